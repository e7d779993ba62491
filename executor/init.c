#include "init.h"

#include "protocol.h"
#include "sys.h"

typedef int (*perform_t)(struct init *init, operation_t *op);

static perform_t performer(uint16_t code) {
        switch (code) {
        case OP_PROPAGATION: return do_propagation;
        case OP_UNSHARE: return do_unshare;
        case OP_ROOT_FILESYSTEM: return do_root_filesystem;
        case OP_ROOT_BIND: return do_root_bind;
        case OP_FILESYSTEM: return do_filesystem;
        case OP_BIND: return do_bind;
        case OP_MKDIR: return do_mkdir;
        case OP_SYMLINK: return do_symlink;
        case OP_MKNOD: return do_mknod;
        case OP_BIND_DEVICE: return do_bind_device;
        case OP_MASK: return do_mask;
        case OP_READONLY: return do_readonly;
        case OP_CONSOLE: return do_console;
        case OP_PIVOT: return do_pivot;
        case OP_ROOT_READONLY: return do_root_readonly;
        case OP_HOSTNAME: return do_hostname;
        case OP_DOMAINNAME: return do_domainname;
        case OP_SYSCTL: return do_sysctl;
        case OP_RLIMIT: return do_rlimit;
        case OP_OOM_SCORE: return do_oom_score;
        case OP_UMASK: return do_umask;
        case OP_KEYRING: return do_keyring;
        case OP_WAIT: return do_wait;
        case OP_BOUNDING: return do_bounding;
        case OP_USER: return do_user;
        case OP_CAPABILITIES: return do_capabilities;
        case OP_NO_NEW_PRIVILEGES: return do_no_new_privileges;
        case OP_SECCOMP: return do_seccomp;
        case OP_DIRECTORY: return do_directory;
        case OP_ENVIRONMENT: return do_environment;
        case OP_EXECUTE: return do_execute;
        case OP_LOOPBACK: return do_loopback;
        case OP_PARENT_DEATH: return do_parent_death;
        case OP_PROC: return do_proc;
        case OP_SESSION: return do_session;
        case OP_ATTRIBUTES: return do_attributes;
        case OP_AGENT: return do_agent;
        case OP_LABEL: return do_label;
        case OP_FIND: return do_find;
        case OP_MOUNTED: return do_mounted;
        case OP_HOOK: return do_hook;
        case OP_TIME: return do_time;
        case OP_SCHEDULER: return do_scheduler;
        case OP_IO_PRIORITY: return do_io_priority;
        case OP_AFFINITY: return do_affinity;
        case OP_PERSONALITY: return do_personality;
        case OP_MEMORY_POLICY: return do_memory_policy;
        default: return NULL; /* one of the monitor's */
        }
}

/* This is the first process. Its namespaces, ids and cgroups are what they shall be; it waits only at WAIT. */
_Noreturn void init_main(struct init *init) {
        const struct plan *plan = init->plan;

        for (size_t i = 0; i < plan->operations_count; i++) {
                perform_t perform = performer(plan->operations[i].code);
                init->path = NULL;
                if (!perform || perform(init, &plan->operations[i]) == 0)
                        continue;
                int error = errno;
                char failed = 1;
                failure_send(init->channel, STAGE_INIT, plan->operations[i].code, (uint32_t) i, error, init->path,
                             init->detail[0] ? init->detail : NULL);
                if (write(init->monitor, &failed, 1) < 0)
                        _exit(1);
                break;
        }
        _exit(1);
}
