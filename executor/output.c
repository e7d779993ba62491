#include "monitor.h"
#include "sys.h"

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
        if (!broadcast(m, m->frame, m->frame_length))
                hold_sources(m);
        return true;
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
