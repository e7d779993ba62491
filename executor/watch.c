/* What the monitor waits for, and which event it is told as. */
#include <errno.h>
#include <sys/epoll.h>

#include "monitor.h"

static struct epoll_event event_of(uint32_t events, enum event event, uint32_t index) {
        return (struct epoll_event){.events = events, .data.u64 = (uint64_t) event << 32 | index};
}

int watch(struct monitor *m, int fd, uint32_t events, enum event event, uint32_t index) {
        struct epoll_event e = event_of(events, event, index);

        return epoll_ctl(m->epoll, EPOLL_CTL_ADD, fd, &e);
}

/* Change what is watched, or begin to. */
void watch_again(struct monitor *m, int fd, uint32_t events, enum event event, uint32_t index) {
        struct epoll_event e = event_of(events, event, index);

        if (epoll_ctl(m->epoll, EPOLL_CTL_MOD, fd, &e) < 0 && errno == ENOENT)
                epoll_ctl(m->epoll, EPOLL_CTL_ADD, fd, &e);
}

void unwatch(struct monitor *m, int fd) {
        epoll_ctl(m->epoll, EPOLL_CTL_DEL, fd, NULL);
}
