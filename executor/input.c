#include <string.h>
#include <sys/epoll.h>

#include "monitor.h"
#include "sys.h"

void close_input(struct monitor *m) {
        if (m->input < 0 || m->input == m->terminal || m->input_length)
                return;
        unwatch(m, m->input);
        close_fd(&m->input);
}

/* Pass on what is pending. What the container does not take now is kept, and its clients rest until it does. */
static void push_input(struct monitor *m) {
        while (m->input_length) {
                ssize_t n = write(m->input, m->input_bytes + m->input_at, m->input_length);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        return;
                if (n < 0) { /* nobody reads it any more */
                        m->input_length = 0;
                        close_input(m);
                        return;
                }
                m->input_at += (uint32_t) n;
                m->input_length -= (uint32_t) n;
        }
}

/* `rest`: nobody is read while what one client has sent still waits. */
static void clients_rest(struct monitor *m, bool rest) {
        for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
                const struct client *client = &m->clients[i];
                bool waiting = client->head < client->tail || (client->primary && m->held_back);
                if (client->fd < 0)
                        continue;
                if (rest && !waiting)
                        unwatch(m, client->fd);
                else
                        watch_again(m, client->fd, (rest ? 0 : EPOLLIN) | (waiting ? EPOLLOUT : 0), EVENT_CLIENT, i);
        }
}

void take_input(struct monitor *m, const char *bytes, uint32_t length) {
        if (m->input < 0 || !length)
                return;
        memcpy(m->input_bytes, bytes, length);
        m->input_at = 0;
        m->input_length = length;
        push_input(m);
        if (!m->input_length)
                return;
        clients_rest(m, true);
        if (m->input == m->terminal)
                watch_again(m, m->input, (m->held_back ? 0 : EPOLLIN) | EPOLLOUT, EVENT_SOURCE, 0);
        else
                watch(m, m->input, EPOLLOUT, EVENT_INPUT, 0);
}

void on_input(struct monitor *m) {
        push_input(m);
        if (m->input_length)
                return;
        if (m->input >= 0)
                unwatch(m, m->input);
        clients_rest(m, false);
}
