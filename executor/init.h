/* The first process of a container (or of an exec): performs the plan's INIT operations in order, then is the program.
 *
 * It runs between clone and exec: no malloc, no stdio, no state but `struct init`.
 * Operation functions return 0, or -1 with errno set and `init->path` telling on what.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "plan.h"

struct init {
        const struct plan *plan;
        int channel;        /* to the creator: START comes in, FAILED goes out, its close says that exec has worked */
        int listener;       /* where whoever sends START connects, once the creator has gone; -1: START comes on `channel` */
        int monitor;        /* a packet socket to the monitor: gates, the terminal's master, "failed" */
        int stdio[3];
        bool deputy;        /* this is not the first process yet: do_execute() makes it. See spawn.c */
        bool session;       /* of a deputy: what it leaves to the first process, which is to lead a session, */
        bool terminal;      /* have a terminal, */
        int death_signal;   /* and die with the monitor */
        bool ready;         /* make_ready() is done */
        bool user_namespace; /* it has one of its own, where nobody else is */
        bool scored;        /* OOM_SCORE is done */
        int root;           /* the new root's mount; -1 before it is made */
        int proc;           /* a procfs of our own making, or the host's for one that joins; -1 when there is none */
        pid_t host_pid;     /* our pid as the creator sees it */
        int null_device;    /* a detached bind of the verified /dev/null; -1 until needed */
        int empty;          /* a detached, read-only, empty tmpfs; -1 until needed */
        const struct operation *agent; /* who answers the notifications of the filter; NULL: nobody */
        char *const *environment;
        const char *path;
        char detail[256];   /* what the kernel said of a refused mount */
};

typedef const struct operation operation_t;

_Noreturn void init_main(struct init *init);

/* filesystem.c */
/* Set one option (key=value or a flag) of a filesystem that is being made. */
int configure_option(int context, char *option);
/* Keep the last thing that the filesystem said about a refusal in `init->detail`. errno stays. */
void keep_log(struct init *init, int context);
/* A detached mount of a new filesystem. */
int make_filesystem(struct init *init, const char *type, const char *source, char *const options[], unsigned attributes);
/* mount.c */
int do_propagation(struct init *init, operation_t *op);
int do_root_filesystem(struct init *init, operation_t *op);
int do_root_bind(struct init *init, operation_t *op);
int do_filesystem(struct init *init, operation_t *op);
int do_bind(struct init *init, operation_t *op);
int do_proc(struct init *init, operation_t *op);
int do_pivot(struct init *init, operation_t *op);
int do_root_readonly(struct init *init, operation_t *op);
/* Attach the detached mount `tree` over what `target` is open on. */
int attach_tree(int tree, int target);
/* copy.c */
/* Copy what is in the directory that `target` is open on into `tree`. */
int copy_content(int target, int tree);
/* overlay.c */
/* Whether a layer's path is too long to be given as a string. */
bool overlay_needs_fds(char *const options[]);
/* A detached overlay mount whose layers are named by fds: for old kernels and for long paths. */
int overlay_by_fds(struct init *init, char *const options[], unsigned attributes);
/* hide.c */
int do_mask(struct init *init, operation_t *op);
int do_readonly(struct init *init, operation_t *op);
int do_attributes(struct init *init, operation_t *op);
/* device.c */
int do_mkdir(struct init *init, operation_t *op);
int do_symlink(struct init *init, operation_t *op);
int do_mknod(struct init *init, operation_t *op);
int do_bind_device(struct init *init, operation_t *op);
int do_console(struct init *init, operation_t *op);
/* A detached bind of the device node `path` of the host, after checking that it is that device. */
int open_device(const char *path, mode_t type, unsigned major, unsigned minor);
/* system.c */
int do_unshare(struct init *init, operation_t *op);
int do_hostname(struct init *init, operation_t *op);
int do_domainname(struct init *init, operation_t *op);
int do_sysctl(struct init *init, operation_t *op);
int do_oom_score(struct init *init, operation_t *op);
int do_label(struct init *init, operation_t *op);
int do_rlimit(struct init *init, operation_t *op);
int do_umask(struct init *init, operation_t *op);
int do_keyring(struct init *init, operation_t *op);
int do_loopback(struct init *init, operation_t *op);
int do_parent_death(struct init *init, operation_t *op);
/* Ask the kernel for `death_signal` at the monitor's death, and end where it is dead already. */
int die_with_monitor(const struct init *init);
int do_session(struct init *init, operation_t *op);
int do_time(struct init *init, operation_t *op);
/* schedule.c */
int do_scheduler(struct init *init, operation_t *op);
int do_io_priority(struct init *init, operation_t *op);
int do_affinity(struct init *init, operation_t *op);
int do_personality(struct init *init, operation_t *op);
int do_memory_policy(struct init *init, operation_t *op);
/* hook.c */
int do_mounted(struct init *init, operation_t *op);
int do_hook(struct init *init, operation_t *op);
/* privilege.c */
int do_bounding(struct init *init, operation_t *op);
int do_user(struct init *init, operation_t *op);
int do_capabilities(struct init *init, operation_t *op);
int do_no_new_privileges(struct init *init, operation_t *op);
int do_seccomp(struct init *init, operation_t *op);
/* notify.c */
int do_agent(struct init *init, operation_t *op);
/* Load the filter (struct sock_fprog) with `flags`, and give the agent the fd of its notifications. */
int load_notifying(struct init *init, unsigned long flags, const void *program);
/* descriptors.c */
int place_stdio(struct init *init);
/* The first descriptor that is not the program's. */
unsigned first_closed(const struct plan *plan);
/* Close all from `first` on but `kept`, which is brought into order. */
int close_all_but(unsigned first, int *kept, size_t count);
/* Close all that nothing after WAIT uses. */
int close_before_wait(struct init *init);
/* execute.c */
int do_wait(struct init *init, operation_t *op);
int do_directory(struct init *init, operation_t *op);
int do_environment(struct init *init, operation_t *op);
int do_execute(struct init *init, operation_t *op);
/* All that the program needs but execve itself: before a filter is loaded that may not allow it. Once. */
int make_ready(struct init *init);
int do_find(struct init *init, operation_t *op);
