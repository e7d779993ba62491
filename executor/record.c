#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "monitor.h"
#include "sys.h"
#include "text.h"

int64_t now_ns(void) {
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Held while the monitor lives: who can take it knows that the monitor is gone. */
int record_lock(struct monitor *m) {
        const struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

        m->lock = openat(m->run_dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        return m->lock < 0 ? -1 : fcntl(m->lock, F_OFD_SETLK, &whole);
}

void record_whole(int dir, const char *name, const char *temporary, const char *bytes, size_t length) {
        int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return;
        ssize_t n = write(fd, bytes, length);
        close(fd);
        if (n == (ssize_t) length && renameat(dir, temporary, dir, name) == 0)
                return;
        unlinkat(dir, temporary, 0);
}

static void add_field(struct text *text, const char *name, int64_t value) {
        text_add(text, name);
        text_add_number(text, value);
}

/* Fields are counted after the command's name, which may hold anything. proc(5). */
uint64_t process_field(pid_t pid, int wanted) {
        char path[64], bytes[1024];
        struct text text = text_in(path, sizeof path);

        text_add(&text, "/proc/");
        text_add_number(&text, pid);
        text_add(&text, "/stat");
        text_end(&text);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes - 1);
        if (n <= 0)
                return 0;
        bytes[n] = '\0';
        const char *at = strrchr(bytes, ')');
        for (int field = 2; at && field < wanted; field++)
                at = strchr(at + 1, ' ');
        uint64_t value = 0;
        for (at = at ? at + 1 : ""; *at >= '0' && *at <= '9'; at++)
                value = value * 10 + (uint64_t) (*at - '0');
        return value;
}

void record_state(struct monitor *m) {
        char bytes[256];
        struct text text = text_in(bytes, sizeof bytes);

        if (!m->pid_start)
                m->pid_start = process_field(m->pid, PROCESS_START);
        add_field(&text, "{\"pid\":", m->pid);
        add_field(&text, ",\"pid_start\":", (int64_t) m->pid_start);
        add_field(&text, ",\"monitor\":", getpid());
        add_field(&text, ",\"started_ns\":", m->started_ns);
        text_add(&text, "}\n");
        record_whole(m->run_dir, "state", "state.new", bytes, (size_t) (text.at - bytes));
}

void record_exit(struct monitor *m) {
        char bytes[256];
        struct text text = text_in(bytes, sizeof bytes);

        add_field(&text, "{\"code\":", m->exit_code);
        add_field(&text, ",\"signal\":", m->exit_signal);
        text_add(&text, m->killed_by_oom ? ",\"oom\":true" : ",\"oom\":false");
        add_field(&text, ",\"started_ns\":", m->started_ns);
        add_field(&text, ",\"finished_ns\":", m->finished_ns);
        text_add(&text, "}\n");
        record_whole(m->run_dir, "exit", "exit.new", bytes, (size_t) (text.at - bytes));
}
