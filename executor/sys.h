/* System calls that a libc may not wrap yet, and what goes with them. -1 with errno on failure, as libc's. */
#pragma once
#include <errno.h>
#include <linux/types.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Calls since 5.0 have the same number on every architecture. */
enum {
        NR_PIDFD_SEND_SIGNAL = 424,
        NR_OPEN_TREE = 428,
        NR_MOVE_MOUNT = 429,
        NR_FSOPEN = 430,
        NR_FSCONFIG = 431,
        NR_FSMOUNT = 432,
        NR_PIDFD_OPEN = 434,
        NR_CLONE3 = 435,
        NR_CLOSE_RANGE = 436,
        NR_OPENAT2 = 437,
        NR_MOUNT_SETATTR = 442,
};

enum {
        FS_SET_FLAG = 0,
        FS_SET_STRING = 1,
        FS_CREATE = 6,
        FS_CLOEXEC = 1,
        TREE_CLONE = 1,
        TREE_CLOEXEC = 02000000,
        TREE_RECURSIVE = 0x8000,
        TREE_EMPTY_PATH = 0x1000,
        MOVE_FROM_FD = 0x04,
        MOVE_TO_FD = 0x40,
        ATTRIBUTE_READONLY = 0x01,
        RESOLVE_NO_CROSSING = 0x01,
        RESOLVE_NO_MAGIC = 0x02,
        RESOLVE_NO_LINKS = 0x04,
        RESOLVE_BELOW = 0x08,
        RESOLVE_ROOTED = 0x10,
};

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

struct clone3_arguments {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

struct openat2_how {
        uint64_t flags, mode, resolve;
};

struct mount_attributes {
        uint64_t set, clear, propagation, userns_fd;
};

static inline int sys_fsopen(const char *type) {
        return (int) syscall(NR_FSOPEN, type, FS_CLOEXEC);
}

static inline int sys_fsconfig(int fd, unsigned command, const char *key, const char *value) {
        return (int) syscall(NR_FSCONFIG, fd, command, key, value, 0);
}

static inline int sys_fsmount(int fd, unsigned attributes) {
        return (int) syscall(NR_FSMOUNT, fd, FS_CLOEXEC, attributes);
}

static inline int sys_open_tree(int dir, const char *path, unsigned flags) {
        return (int) syscall(NR_OPEN_TREE, dir, path, flags | TREE_CLOEXEC);
}

static inline int sys_move_mount(int from, int to, const char *to_path, unsigned flags) {
        return (int) syscall(NR_MOVE_MOUNT, from, "", to, to_path, flags);
}

static inline int sys_mount_setattr(int fd, unsigned flags, const struct mount_attributes *attributes) {
        return (int) syscall(NR_MOUNT_SETATTR, fd, "", flags | TREE_EMPTY_PATH, attributes, sizeof *attributes);
}

static inline int sys_openat2(int dir, const char *path, const struct openat2_how *how) {
        return (int) syscall(NR_OPENAT2, dir, path, how, sizeof *how);
}

static inline pid_t sys_clone3(struct clone3_arguments *arguments) {
        return (pid_t) syscall(NR_CLONE3, arguments, sizeof *arguments);
}

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags) {
        return (int) syscall(NR_CLOSE_RANGE, first, last, flags);
}

static inline int sys_pidfd_open(pid_t pid) {
        return (int) syscall(NR_PIDFD_OPEN, pid, 0);
}

static inline int sys_pidfd_send_signal(int pidfd, int number) {
        return (int) syscall(NR_PIDFD_SEND_SIGNAL, pidfd, number, NULL, 0);
}

static inline void close_fd(int *fd) {
        int saved = errno;
        if (*fd >= 0)
                close(*fd);
        *fd = -1;
        errno = saved;
}

#define _cleanup_close_ __attribute__((cleanup(close_fd)))

static inline int take_fd(int *fd) {
        int value = *fd;
        *fd = -1;
        return value;
}
