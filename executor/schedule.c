/* How the kernel schedules the process: processor, disk and memory. Children inherit all of it. */
#include <sched.h>
#include <string.h>

#include "init.h"
#include "sys.h"

/* struct sched_attr as of its first version, sched_setattr(2). */
struct scheduling {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
};

int do_scheduler(struct init *init, operation_t *op) {
        const int64_t *n = op->integers;
        struct scheduling scheduling = {
                .size = sizeof scheduling,
                .policy = (uint32_t) n[0],
                .nice = (int32_t) n[1],
                .priority = (uint32_t) n[2],
                .flags = (uint64_t) n[3],
                .runtime = (uint64_t) n[4],
                .deadline = (uint64_t) n[5],
                .period = (uint64_t) n[6],
        };

        (void) init;
        return (int) syscall(SYS_sched_setattr, 0, &scheduling, 0);
}

int do_io_priority(struct init *init, operation_t *op) {
        (void) init;
        return (int) syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, op->integers[0]);
}

/* Whatever processors the caller was bound to: its cpuset alone says which the container has. That it may not be
 * changed is no reason to fail. */
static void reset_affinity(void) {
        unsigned char all[1024];

        memset(all, 0xff, sizeof all);
        syscall(SYS_sched_setaffinity, 0, sizeof all, all);
}

int do_affinity(struct init *init, operation_t *op) {
        (void) init;
        if (!op->last_length) {
                reset_affinity();
                return 0;
        }
        return (int) syscall(SYS_sched_setaffinity, 0, (unsigned long) op->last_length, op->string[0]);
}

int do_personality(struct init *init, operation_t *op) {
        (void) init;
        return (int) syscall(SYS_personality, (unsigned long) op->integers[0]) < 0 ? -1 : 0;
}

int do_memory_policy(struct init *init, operation_t *op) {
        unsigned long bits = 8UL * op->last_length;

        (void) init;
        return (int) syscall(SYS_set_mempolicy, op->integers[0], bits ? op->string[0] : NULL, bits ? bits + 1 : 0);
}
