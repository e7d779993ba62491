/* executor PLAN_FD CONTROL_FD: perform the plan in PLAN_FD, reporting to the creator on CONTROL_FD. PROTOCOL.md.
 *
 * This process becomes the monitor of the first process that it makes. With other arguments it is something else: see reap.c,
 * hold_user_namespace() and hold_namespaces().
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <string.h>
#include <sys/stat.h>

#include "monitor.h"
#include "protocol.h"
#include "sys.h"

static struct plan plan;
static struct monitor monitor;

static int load_plan(int fd, struct plan *ret) {
        struct stat status;

        if (fstat(fd, &status) < 0)
                return -1;
        if (status.st_size <= 0 || status.st_size > PLAN_BYTES_MAX) {
                errno = EBADMSG;
                return -1;
        }
        const void *bytes = mmap(NULL, (size_t) status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        close(fd);
        return bytes == MAP_FAILED ? -1 : plan_decode(bytes, (size_t) status.st_size, ret);
}

static int start(struct monitor *m, uint32_t *ret_stage, uint16_t *ret_operation) {
        *ret_stage = STAGE_MONITOR;
        *ret_operation = OP_RUN_DIR;
        setsid(); /* fails only where this is a session's leader already */
        umask(0);
        if (prctl(PR_SET_NAME, "jubako-monitor", 0, 0, 0) < 0 || monitor_open(m, ret_operation) < 0)
                return -1;
        return spawn(m, ret_operation);
}

/* executor FD: a process in a user namespace of its own, for whoever writes its id maps and opens it, until FD ends. */
static int hold_user_namespace(int fd) {
        char byte = 0;

        return unshare(CLONE_NEWUSER) < 0 || write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 0;
}

/* executor namespaces FD LOCK MOUNTS: in a user and a mount namespace of its own, which whoever has a lock of the open file
 * LOCK finds by this process. When nobody has one any more, the file is made empty, and the namespaces end. MOUNTS is the
 * mount namespace that the new one is a copy of: kept, so that no later one gets its number. */
static int hold_namespaces(int fd, int lock, int mounts) {
        char byte = 0;

        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 0)
                return 1;
        const int high[] = {fcntl(lock, F_DUPFD, 20), fcntl(mounts, F_DUPFD, 20)};
        if (dup2(high[0], 3) < 0 || dup2(high[1], 4) < 0 || chdir("/") < 0 || sys_close_range(5, ~0U, 0) < 0)
                return 1;
        lock = 3;
        setsid();
        while (flock(lock, LOCK_EX) < 0)
                if (errno != EINTR)
                        return 1;
        return ftruncate(lock, 0) < 0;
}

int main(int argc, char **argv) {
        uint32_t stage = STAGE_DECODE;
        uint16_t operation = 0;

        if (argc == 1)
                return reap();
        if (argc > 2 && !strcmp(argv[1], "--"))
                return supervise(argv + 2);
        if (argc == 2)
                return hold_user_namespace(atoi(argv[1]));
        if (argc == 5 && !strcmp(argv[1], "namespaces"))
                return hold_namespaces(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
        if (argc != 3)
                return 64;
        monitor.plan = &plan;
        monitor.control = atoi(argv[2]);
        if (fcntl(monitor.control, F_SETFD, FD_CLOEXEC) < 0)
                return 64;
        if (load_plan(atoi(argv[1]), &plan) < 0 || start(&monitor, &stage, &operation) < 0) {
                failure_send(monitor.control, stage, operation, 0, errno, NULL, NULL);
                return 1;
        }
        if (plan_find(&plan, OP_CLONE)->integers[1]) {
                if (monitor.deputy)
                        pass_on_first(&monitor);
                return 0; /* the first process is the caller's to look after */
        }
        monitor_run(&monitor);
        return 0;
}
