/* Making the first process. Where clone3 is refused, clone(2) takes its place.
 *
 *   monitor ── clone3 ──> first process                                (namespaces made; joined ones entered by it)
 *   monitor ── clone3 ──> helper ── clone3(CLONE_PARENT) ──> first process      (when a user namespace is joined:
 *                         only from within it may its pid and network namespaces be joined and others be made)
 *
 * A process that joins a running container must not be seen in there before it has
 * become what the container's own are: CAP_SYS_PTRACE would do to take over all its capabilities and descriptors
 * (CVE-2016-9962 was about the latter). So what is made as above is only a *deputy*, outside of the pid namespace. It
 * performs all operations, then makes the first process as its sibling, tells its pid and ends.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "protocol.h"
#include "spawn.h"
#include "sys.h"
#include "text.h"

/* The call that each kernel and each filter knows: Docker's answers ENOSYS to clone3, whose flags it can not see. What it
 * can not do, the child does: signals are its own to reset, and it enters the cgroup as it enters those of v1. */
static pid_t clone_by_old_call(const struct clone3_arguments *new, int *ret_pidfd) {
        unsigned long flags = (unsigned long) (new->flags & ~(CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP));

        if (flags & CSIGNAL) { /* CLONE_NEWTIME has the bit of a signal here */
                errno = ENOSYS;
                return -1;
        }
        return (pid_t) syscall(SYS_clone, flags | new->exit_signal, NULL, ret_pidfd, NULL, NULL);
}

static pid_t clone_first(struct spawn *s, uint64_t extra, int *ret_pidfd) {
        const struct operation *cgroup = plan_find(s->m->plan, OP_CGROUP_CLONE);
        struct clone3_arguments arguments = {
                .flags = (uint64_t) s->clone->integers[0] | CLONE_CLEAR_SIGHAND | extra,
                .exit_signal = extra & CLONE_PARENT ? 0 : SIGCHLD,
                .pidfd = (uint64_t) (uintptr_t) ret_pidfd,
        };

        if (ret_pidfd)
                arguments.flags |= CLONE_PIDFD;
        if (cgroup) {
                arguments.flags |= CLONE_INTO_CGROUP;
                arguments.cgroup = (uint64_t) cgroup->integers[0];
        }
        pid_t pid = sys_clone3(&arguments);
        if (pid < 0 && (errno == ENOSYS || errno == EPERM)) {
                s->late_cgroup = cgroup;
                pid = clone_by_old_call(&arguments, ret_pidfd);
        }
        if (pid == 0)
                first_process(s);
        return pid;
}

static int spawn_direct(struct spawn *s) {
        struct monitor *m = s->m;

        /* Joining a pid namespace takes effect for children only. */
        if (!s->deputy && each_join(m->plan, CLONE_NEWPID, 0) < 0)
                return -1;
        int pidfd;
        pid_t pid = clone_first(s, 0, &pidfd);
        if (pid < 0)
                return -1;
        m->pid = pid;
        m->pidfd = pidfd;
        return 0;
}

/* This is the helper: it enters the user namespace, makes the first process as its sibling and tells its pid. */
static _Noreturn void helper(struct spawn *s, int answers) {
        pid_t pid = -1;

        if (each_join(s->m->plan, CLONE_NEWUSER, 0) == 0 &&
            (s->deputy || each_join(s->m->plan, CLONE_NEWPID, 0) == 0))
                pid = clone_first(s, CLONE_PARENT, NULL);
        int64_t answer = pid < 0 ? -errno : pid;
        _exit(write(answers, &answer, sizeof answer) != sizeof answer);
}

static int spawn_through_helper(struct spawn *s) {
        struct monitor *m = s->m;
        int64_t answer;
        int pipe[2];

        if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK) < 0)
                return -1;
        _cleanup_close_ int answers = pipe[0];
        _cleanup_close_ int end = pipe[1];
        pid_t pid = fork();
        if (pid == 0)
                helper(s, end);
        if (pid < 0)
                return -1;
        /* It has answered when it ends, or never will: it was killed. The first process, too, has the pipe's end. */
        waitpid(pid, NULL, 0);
        ssize_t n = read(answers, &answer, sizeof answer);
        if (n != sizeof answer || answer < 0) {
                errno = n == sizeof answer ? (int) -answer : EPROTO;
                return -1;
        }
        m->pid = (pid_t) answer;
        m->pidfd = sys_pidfd_open(m->pid);
        return m->pidfd < 0 ? -1 : 0;
}

static int write_map(pid_t pid, const char *file, const char *value) {
        char path[64];
        struct text text = text_in(path, sizeof path);
        size_t length = strlen(value);

        text_add(&text, "/proc/");
        text_add_number(&text, pid);
        text_add(&text, file);
        text_end(&text);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
        return fd < 0 || write(fd, value, length) != (ssize_t) length ? -1 : 0;
}

static int map_ids(struct spawn *s) {
        struct monitor *m = s->m;
        const struct operation *op = s->id_map;

        if (op->integers[0]) {
                if (message_send(m->control, MESSAGE_ID_MAP, (uint32_t) m->pid, -1) < 0)
                        return -1;
                if (message_receive(m->control) != MESSAGE_ID_MAP_DONE) {
                        errno = ECANCELED;
                        return -1;
                }
        } else {
                if (op->integers[1] && write_map(m->pid, "/setgroups", "deny") < 0)
                        return -1;
                if (write_map(m->pid, "/uid_map", op->string[0]) < 0 || write_map(m->pid, "/gid_map", op->string[1]) < 0)
                        return -1;
        }
        return send(s->gate[0], "", 1, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int spawn(struct monitor *m, uint16_t *ret_operation) {
        struct spawn s = {
                .m = m,
                .clone = plan_find(m->plan, OP_CLONE),
                .id_map = plan_find(m->plan, OP_ID_MAP),
                .channel = plan_find(m->plan, OP_INIT_CHANNEL),
        };

        for (size_t i = 0; i < m->plan->operations_count; i++)
                if (m->plan->operations[i].code == OP_JOIN)
                        s.joined |= m->plan->operations[i].integers[1];
        /* One that mounts must be inside: a new procfs shows the pid namespace of who makes it. */
        s.deputy = s.joined & CLONE_NEWPID && !plan_find(m->plan, OP_PIVOT);
        /* The filter that is loaded by a deputy may have the calls wait by which it makes the first process, and the
         * agent is told that one's pid before. */
        m->deputy = s.deputy = s.deputy && !plan_find(m->plan, OP_AGENT);
        *ret_operation = OP_CLONE;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s.gate) < 0)
                return -1;
        /* Where the id map is written by the creator, /proc/<pid> must belong to it until then. */
        if (!s.id_map && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -1;
        m->init = s.gate[0];
        int r = s.joined & CLONE_NEWUSER ? spawn_through_helper(&s) : spawn_direct(&s);
        close(s.gate[1]);
        if (r < 0)
                return -1;
        *ret_operation = OP_ID_MAP;
        if (s.id_map && map_ids(&s) < 0)
                return -1;
        return message_send(m->control, MESSAGE_CLONED, (uint32_t) m->pid, m->pidfd);
}
