#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "init.h"
#include "sys.h"

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_RAISE 2
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#endif

int do_bounding(struct init *init, operation_t *op) {
        (void) init;
        for (unsigned long cap = 0; cap < 64; cap++) {
                if ((uint64_t) op->integers[0] >> cap & 1)
                        continue;
                /* EINVAL: past the last capability that this kernel knows. */
                if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
                        return errno == EINVAL ? 0 : -1;
        }
        return 0;
}

/* A stream that is the null device becomes the container's own one: through a descriptor of the host's, root in the
 * container could change its mode and owner. In a running container anything may lie there by now. */
static int own_null(int fd) {
        struct stat status;

        _cleanup_close_ int own = open("/dev/null", O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (own < 0 || fstat(own, &status) < 0 || !S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
                return 0; /* there is none: it keeps what it was given */
        return dup2(own, fd) < 0 ? -1 : 0;
}

/* The program may open /dev/stdout again as another user, so the streams become that user's; /dev/null does not. */
static int give_stdio(const struct init *init, uid_t uid) {
        struct stat status;

        for (int i = 0; i < 3; i++) {
                int fd = init->stdio[i] < 0 ? i : init->stdio[i];
                if (fstat(fd, &status) < 0)
                        continue;
                if (S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)) {
                        if (own_null(fd) < 0)
                                return -1;
                        continue;
                }
                if (init->stdio[i] < 0 || status.st_uid == uid)
                        continue;
                if (fchown(fd, uid, (gid_t) -1) < 0 && errno != EINVAL && errno != EPERM && errno != EROFS)
                        return -1;
        }
        return 0;
}

int do_user(struct init *init, operation_t *op) {
        uid_t uid = (uid_t) op->integers[0];
        gid_t gid = (gid_t) op->integers[1];
        size_t count = op->last_length / sizeof(gid_t);
        gid_t groups[256];

        if (count > sizeof groups / sizeof groups[0]) {
                errno = E2BIG;
                return -1;
        }
        memcpy(groups, op->string[0], count * sizeof groups[0]);
        if (give_stdio(init, uid) < 0)
                return -1;
        /* A map of a single id has setgroups denied, user_namespaces(7). The raw calls: libc's signal other threads. */
        if (op->integers[3] && syscall(SYS_setgroups, count, groups) < 0)
                return -1;
        if (prctl(PR_SET_KEEPCAPS, (unsigned long) op->integers[2], 0, 0, 0) < 0)
                return -1;
        if (syscall(SYS_setresgid, gid, gid, gid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0)
                return -1;
        return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
}

int do_capabilities(struct init *init, operation_t *op) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2];

        (void) init;
        for (unsigned i = 0; i < 2; i++) {
                data[i].effective = (uint32_t) ((uint64_t) op->integers[0] >> (32 * i));
                data[i].permitted = (uint32_t) ((uint64_t) op->integers[1] >> (32 * i));
                data[i].inheritable = (uint32_t) ((uint64_t) op->integers[2] >> (32 * i));
        }
        if (syscall(SYS_capset, &header, data) < 0)
                return -1;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return -1;
        for (unsigned long cap = 0; cap < 64; cap++)
                if ((uint64_t) op->integers[3] >> cap & 1)
                        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
                                return -1;
        return 0;
}

int do_no_new_privileges(struct init *init, operation_t *op) {
        (void) init;
        (void) op;
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int do_seccomp(struct init *init, operation_t *op) {
        size_t count = op->last_length / sizeof(struct sock_filter);
        struct sock_fprog program = {.len = (unsigned short) count,
                                     .filter = (struct sock_filter *) (void *) op->string[0]};

        if (count == 0 || count > 65535 || op->last_length % sizeof(struct sock_filter)) {
                errno = EINVAL;
                return -1;
        }
        if (make_ready(init) < 0)
                return -1;
        if (init->agent)
                return load_notifying(init, (unsigned long) op->integers[0], &program);
        return (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (unsigned long) op->integers[0], &program);
}
