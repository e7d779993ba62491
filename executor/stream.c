#include <fcntl.h>
#include <sys/epoll.h>

#include "monitor.h"
#include "sys.h"

static int open_pipe(int *ret_mine, int *ret_childs, bool mine_reads) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -1;
        *ret_mine = ends[mine_reads ? 0 : 1];
        *ret_childs = ends[mine_reads ? 1 : 0];
        return fcntl(*ret_mine, F_SETFL, O_NONBLOCK);
}

/* A terminal's streams come later, when the first process has made it. */
int streams_open(struct monitor *m) {
        const struct operation *op = plan_find(m->plan, OP_STDIO);

        m->sources[0] = (struct source){.fd = -1, .frame_type = FRAME_STDOUT};
        m->sources[1] = (struct source){.fd = -1, .frame_type = FRAME_STDERR};
        for (int i = 0; i < 3; i++)
                m->child_stdio[i] = -1;
        if (!op || op->integers[0] == STDIO_NULL || op->integers[0] == STDIO_TERMINAL)
                return 0;
        if (op->integers[0] == STDIO_INHERIT) {
                for (int i = 0; i < 3; i++)
                        m->child_stdio[i] = (int) op->integers[2 + i];
                return 0;
        }
        if (op->integers[1] && open_pipe(&m->input, &m->child_stdio[0], false) < 0)
                return -1;
        if (open_pipe(&m->sources[0].fd, &m->child_stdio[1], true) < 0)
                return -1;
        return open_pipe(&m->sources[1].fd, &m->child_stdio[2], true);
}

void streams_watch(struct monitor *m) {
        for (uint32_t i = 0; i < 2; i++)
                if (m->sources[i].fd >= 0)
                        watch(m, m->sources[i].fd, EPOLLIN, EVENT_SOURCE, i);
}

void hold_sources(struct monitor *m) {
        m->held_back = true;
        for (size_t i = 0; i < 2; i++)
                if (m->sources[i].fd >= 0)
                        unwatch(m, m->sources[i].fd);
}

void release_sources(struct monitor *m) {
        m->held_back = false;
        streams_watch(m);
}
