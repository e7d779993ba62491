#include <fcntl.h>
#include <string.h>
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

static void end_source(struct monitor *m, struct source *source) {
        unwatch(m, source->fd);
        if (source->fd != m->terminal) /* the master stays for resizing and for input */
                close(source->fd);
        source->fd = -1;
}

/* One read of a source into log and clients. False when there is nothing (more) to read now. */
static bool pump(struct monitor *m, uint32_t index) {
        struct source *source = &m->sources[index];

        ssize_t n = read(source->fd, m->frame + 1, READ_BYTES);
        if (n < 0 && errno == EINTR)
                return true;
        if (n < 0 && errno == EAGAIN)
                return false;
        if (n <= 0) { /* EIO: the last user of the terminal has closed it, tty(4) */
                end_source(m, source);
                return false;
        }
        m->frame[0] = source->frame_type;
        m->frame_length = (uint32_t) n + 1;
        log_write(&m->log, (int) index, m->frame + 1, (size_t) n);
        if (!broadcast(m, m->frame, m->frame_length)) {
                m->held_back = true;
                for (size_t i = 0; i < 2; i++)
                        if (m->sources[i].fd >= 0)
                                unwatch(m, m->sources[i].fd);
        }
        return true;
}

void release_sources(struct monitor *m) {
        m->held_back = false;
        streams_watch(m);
}

void on_source(struct monitor *m, uint32_t index) {
        if (m->sources[index].fd >= 0 && !m->held_back)
                pump(m, index);
}

void drain(struct monitor *m) {
        if (m->held_back)
                queue_held(m);
        for (uint32_t i = 0; i < 2; i++) {
                while (m->sources[i].fd >= 0 && pump(m, i))
                        ;
                if (m->sources[i].fd >= 0)
                        end_source(m, &m->sources[i]);
        }
        log_end(&m->log);
}

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
