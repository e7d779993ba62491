#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "init.h"
#include "path.h"
#include "sys.h"
#include "text.h"

int do_unshare(struct init *init, operation_t *op) {
        (void) init;
        return unshare((int) op->integers[0]);
}

int do_hostname(struct init *init, operation_t *op) {
        init->path = op->string[0];
        return sethostname(op->string[0], strlen(op->string[0]));
}

int do_domainname(struct init *init, operation_t *op) {
        init->path = op->string[0];
        return setdomainname(op->string[0], strlen(op->string[0]));
}

/* Write to a procfs that is ours by construction, crossing no link and no mount: a container or an image can not put
 * anything of its own in the way (CVE-2019-16884, CVE-2019-19921, CVE-2023-27561, CVE-2025-52881). */
static int write_proc(struct init *init, const char *path, const char *value) {
        struct openat2_how how = {
                .flags = O_WRONLY | O_CLOEXEC,
                .resolve = RESOLVE_BELOW | RESOLVE_NO_LINKS | RESOLVE_NO_CROSSING,
        };
        size_t length = strlen(value);

        if (init->proc < 0) {
                errno = ENOENT;
                return -1;
        }
        _cleanup_close_ int fd = sys_openat2(init->proc, path, &how);
        if (fd < 0)
                return -1;
        return write(fd, value, length) == (ssize_t) length ? 0 : -1;
}

int do_sysctl(struct init *init, operation_t *op) {
        char path[PATH_BYTES_MAX];
        struct text text = text_in(path, sizeof path);

        init->path = op->string[0];
        text_add(&text, "sys/");
        text_add(&text, op->string[0]);
        if (!text_end(&text)) {
                errno = ENAMETOOLONG;
                return -1;
        }
        return write_proc(init, path, op->string[1]);
}

/* What /proc/self leads to; links are not followed, but this one may be read: procfs makes it of our pid in there. */
static int write_own(struct init *init, const char *directory, const char *file, const char *value) {
        char path[PATH_BYTES_MAX];
        struct text text = text_in(path, sizeof path);

        ssize_t digits = readlinkat(init->proc, "self", path, sizeof path);
        if (digits < 0)
                return -1;
        text.at += digits;
        text_add(&text, directory);
        text_add(&text, file);
        if (!text_end(&text)) {
                errno = ENAMETOOLONG;
                return -1;
        }
        return write_proc(init, path, value);
}

/* What an LSM makes of the program at execve. */
int do_label(struct init *init, operation_t *op) {
        init->path = op->string[1];
        return write_own(init, "/attr/", op->string[0], op->string[1]);
}

int do_oom_score(struct init *init, operation_t *op) {
        char value[32];
        struct text what = text_in(value, sizeof value);

        if (init->scored)
                return 0;
        init->path = "oom_score_adj";
        text_add_number(&what, op->integers[0]);
        text_end(&what);
        if (write_own(init, "/", "oom_score_adj", value) == 0)
                return 0;
        return op->integers[1] && (errno == EACCES || errno == EPERM) ? 0 : -1;
}

int do_rlimit(struct init *init, operation_t *op) {
        struct rlimit limit = {.rlim_cur = (rlim_t) op->integers[1], .rlim_max = (rlim_t) op->integers[2]};

        (void) init;
        if (setrlimit((int) op->integers[0], &limit) == 0)
                return 0;
        return op->integers[3] && errno == EPERM ? 0 : -1;
}

int do_umask(struct init *init, operation_t *op) {
        (void) init;
        umask((mode_t) op->integers[0]);
        return 0;
}

/* keyctl(KEYCTL_JOIN_SESSION_KEYRING): the host's session keys do not follow into the container. Without a name: one
 * that has a name is joined by whoever asks for it, if a container that has it lets them, keyctl(2). */
int do_keyring(struct init *init, operation_t *op) {
        (void) init;
        (void) op;
        long r = syscall(SYS_keyctl, 1, NULL);
        return r < 0 && errno != ENOSYS && errno != EDQUOT ? -1 : 0;
}

int do_loopback(struct init *init, operation_t *op) {
        struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

        (void) op;
        init->path = "lo";
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &request);
}

int die_with_monitor(const struct init *init) {
        struct pollfd gate = {.fd = init->monitor};

        if (prctl(PR_SET_PDEATHSIG, (unsigned long) init->death_signal, 0, 0, 0) < 0)
                return -1;
        /* One that died before this call is told by nothing but its end of the socket. */
        if (poll(&gate, 1, 0) == 1 && gate.revents & POLLHUP)
                _exit(1);
        return 0;
}

int do_parent_death(struct init *init, operation_t *op) {
        init->death_signal = (int) op->integers[0]; /* a child does not inherit it, prctl(2) */
        return die_with_monitor(init);
}

/* A process does not enter the time namespace that it unshares, its children would; offsets can be set until somebody is
 * in it. time_namespaces(7). */
/* The file is only root's of the namespace while its process can be dumped, and there is nobody yet who would. */
static int write_offsets(struct init *init, const char *path, const char *offsets) {
        if (init->user_namespace && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
                return -1;
        int r = write_proc(init, path, offsets), error = errno;
        if (init->user_namespace && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -1;
        errno = error;
        return r;
}

int do_time(struct init *init, operation_t *op) {
        char path[64];
        struct text text = text_in(path, sizeof path);

        init->path = "timens_offsets";
        if (unshare(CLONE_NEWTIME) < 0)
                return -1;
        text_add_number(&text, getpid());
        char *name = text.at;
        text_add(&text, "/timens_offsets");
        text_end(&text);
        if (op->string[0][0] && write_offsets(init, path, op->string[0]) < 0)
                return -1;
        memcpy(name, "/ns/time_for_children", sizeof "/ns/time_for_children");
        _cleanup_close_ int fd = openat(init->proc, path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -1 : setns(fd, CLONE_NEWTIME);
}

int do_session(struct init *init, operation_t *op) {
        (void) op;
        init->session = true;
        return init->deputy || setsid() >= 0 ? 0 : -1;
}
