/* The first process, from its making until it performs the plan: cgroups, ids and namespaces to join. */
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "init.h"
#include "protocol.h"
#include "spawn.h"
#include "sys.h"
#include "text.h"

int each_join(const struct plan *plan, int64_t only, int64_t without) {
        for (size_t i = 0; i < plan->operations_count; i++) {
                const struct operation *op = &plan->operations[i];
                int64_t type = op->code == OP_JOIN ? op->integers[1] & only & ~without : 0;
                if (type && setns((int) op->integers[0], (int) type) < 0)
                        return -1;
        }
        return 0;
}

/* A process of one thread that writes "0" moves itself without the lock that moving another waits for: 0.03 ms
 * against 5 to 33 ms. kernel/cgroup/cgroup.c, cgroup_procs_write_start(). */
static int join_cgroups(const struct spawn *s) {
        const struct plan *plan = s->m->plan;

        if (s->late_cgroup) {
                int directory = (int) s->late_cgroup->integers[0];
                _cleanup_close_ int fd = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC);
                if (fd < 0 || write(fd, "0", 1) != 1)
                        return -1;
        }
        for (size_t i = 0; i < plan->operations_count; i++) {
                const struct operation *op = &plan->operations[i];
                if (op->code == OP_CGROUP_TASKS && write((int) op->integers[0], "0", 1) != 1)
                        return -1;
        }
        return 0;
}

/* Where a process of an exec runs until it is in the container's cpuset (execCPUAffinity.initial). */
static int set_first_affinity(const struct plan *plan) {
        const struct operation *op = plan_find(plan, OP_FIRST_AFFINITY);
        return op ? do_affinity(NULL, op) : 0;
}

static bool enters_as_root(const struct spawn *s) {
        return s->id_map || (s->joined & CLONE_NEWUSER && plan_find(s->m->plan, OP_PIVOT));
}

/* In a user namespace /proc/<pid> of one that can not be dumped is nobody's there: so before it is entered. */
static bool set_score(const struct spawn *s) {
        const struct operation *op = plan_find(s->m->plan, OP_OOM_SCORE);
        char value[32];
        struct text text = text_in(value, sizeof value);

        if (!op || !enters_as_root(s))
                return false;
        text_add_number(&text, op->integers[0]);
        _cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        return fd >= 0 && write(fd, value, (size_t) (text.at - value)) == text.at - value;
}

/* This is the first process, just made. It waits for its id map when it has a user namespace of its own. In one that
 * it joins, too, only an id that is mapped there can own what it makes. */
static int become_root(struct spawn *s) {
        char byte;

        if (!enters_as_root(s))
                return 0;
        if (s->id_map && recv(s->gate[1], &byte, 1, 0) != 1)
                _exit(1);
        if (s->joined && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -1;
        if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
                return -1;
        return 0;
}

/* What Python ignores (SIGPIPE, SIGXFSZ) would stay ignored over clone and exec, CLONE_CLEAR_SIGHAND or not; and so
 * would 32 and 33, which glibc's posix_spawn ignores and libc's signal() leaves alone: hence the raw call. */
static void default_signals(void) {
        const struct {
                void *handler;
                unsigned long flags;
                void *restorer;
                uint64_t mask;
        } by_default = {NULL, 0, NULL, 0};

        for (int number = 1; number < NSIG; number++)
                syscall(SYS_rt_sigaction, number, &by_default, NULL, sizeof by_default.mask);
}

/* In the namespaces that it was made in a process has other pids; the creator's procfs tells the one there. */
static pid_t pid_in_proc(void) {
        char text[16];
        ssize_t n = readlink("/proc/self", text, sizeof text);
        pid_t pid = 0;

        for (ssize_t i = 0; i < n; i++)
                pid = pid * 10 + text[i] - '0';
        return pid;
}

_Noreturn void first_process(struct spawn *s) {
        const struct monitor *m = s->m;
        struct init init = {
                .plan = m->plan,
                .channel = (int) s->channel->integers[0],
                .listener = (int) s->channel->integers[1],
                .monitor = s->gate[1],
                .root = -1,
                .proc = -1,
                .null_device = -1,
                .empty = -1,
                .deputy = s->deputy,
                .user_namespace = s->id_map,
                .scored = set_score(s),
        };
        uint16_t at = OP_JOIN;

        memcpy(init.stdio, m->child_stdio, sizeof init.stdio);
        close(s->gate[0]);
        close(m->control); /* its end tells the creator that the monitor has died */
        default_signals();
        int r = set_first_affinity(m->plan);
        if (r < 0)
                at = OP_FIRST_AFFINITY;
        if (r == 0 && (r = join_cgroups(s)) < 0)
                at = OP_CGROUP_TASKS;
        if (r == 0 && (r = become_root(s)) < 0)
                at = OP_ID_MAP;
        init.host_pid = pid_in_proc();
        /* One that joins a container makes no procfs of its own, and writes to the host's while it is there. */
        if (!plan_find(m->plan, OP_PIVOT) && (plan_find(m->plan, OP_OOM_SCORE) || plan_find(m->plan, OP_LABEL)))
                init.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (r == 0)
                r = each_join(m->plan, ~0, CLONE_NEWUSER | (s->deputy ? 0 : CLONE_NEWPID));
        if (r == 0)
                init_main(&init);
        failure_send(init.channel, STAGE_INIT, at, 0, errno, NULL, NULL);
        if (write(s->gate[1], "\1", 1) < 0)
                _exit(1);
        _exit(1);
}
