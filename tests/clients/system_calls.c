/* Makes system calls that a container's filter judges, and prints the error of each; none of them does lasting harm. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each in a child of its own, so that what one changes or dies of does not touch the next. */
#define TRY(name, ...)                                                                     \
        do {                                                                               \
                fflush(stdout);                                                            \
                pid_t child = fork();                                                      \
                if (child == 0) {                                                          \
                        errno = 0;                                                         \
                        long r = (__VA_ARGS__);                                            \
                        _exit(r >= 0 ? 0 : errno);                                         \
                }                                                                          \
                int status;                                                                \
                waitpid(child, &status, 0);                                                \
                if (WIFSIGNALED(status))                                                   \
                        printf("%s: signal %d\n", name, WTERMSIG(status));                 \
                else                                                                       \
                        printf("%s: %s\n", name, strerrorname_np(WEXITSTATUS(status)) ?:   \
                                                         "error");                         \
        } while (0)

#define CALL(number, ...) TRY(#number, syscall(SYS_##number, ##__VA_ARGS__))

int main(void) {
        alarm(20);
        unsigned char buffer[256] = {0};

        TRY("unshare user", unshare(CLONE_NEWUSER));
        TRY("unshare mount", unshare(CLONE_NEWNS));
        TRY("unshare network", unshare(CLONE_NEWNET));
        TRY("unshare files", unshare(CLONE_FILES));
        TRY("clone user", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
        TRY("clone mount", syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0));
        TRY("clone plain", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
        CALL(clone3, buffer, 64UL);
        CALL(setns, -1, 0);
        TRY("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
        CALL(umount2, "/nowhere", 0);
        CALL(pivot_root, "/", "/");
        CALL(fsopen, "nothing", 0);
        CALL(open_tree, -1, "", 0);
        CALL(move_mount, -1, "", -1, "", 0);
        CALL(mount_setattr, -1, "", 0, buffer, 32UL);
        CALL(chroot, "/");
        CALL(keyctl, 0, -3, 0, 0, 0);
        CALL(add_key, "user", "jubako", "x", 1, -2);
        CALL(request_key, "user", "jubako", NULL, 0);
        CALL(bpf, 0, buffer, 64UL);
        CALL(userfaultfd, 0);
        CALL(perf_event_open, buffer, 0, -1, -1, 0UL);
        CALL(io_uring_setup, 0, buffer);
        CALL(kexec_load, 0UL, 0UL, NULL, 0UL);
        CALL(kexec_file_load, -1, -1, 0UL, NULL, 0UL);
        CALL(init_module, NULL, 0UL, "");
        CALL(finit_module, -1, "", 0);
        CALL(delete_module, "nothing", O_NONBLOCK);
        CALL(create_module, "nothing", 0UL);
        CALL(reboot, 0, 0, 0, NULL);
        CALL(swapon, "/nowhere", 0);
        CALL(swapoff, "/nowhere");
        CALL(acct, "/nowhere");
        CALL(quotactl, 0, NULL, 0, NULL);
        CALL(syslog, 10, NULL, 0);
        CALL(settimeofday, buffer, NULL);
        CALL(clock_settime, -1, buffer);
        CALL(clock_adjtime, -1, buffer);
        CALL(adjtimex, NULL);
        CALL(iopl, 0);
        CALL(ioperm, 0UL, 1UL, 0);
        CALL(modify_ldt, 0, buffer, 16UL);
        CALL(open_by_handle_at, -1, buffer, 0);
        CALL(name_to_handle_at, -1, "", buffer, buffer, 0);
        CALL(lookup_dcookie, 0UL, buffer, 1UL);
        CALL(fanotify_init, 0, 0);
        CALL(kcmp, getpid(), getpid(), 0, 0UL, 0UL);
        CALL(process_vm_readv, 1, NULL, 0UL, NULL, 0UL, 0UL);
        CALL(process_vm_writev, 1, NULL, 0UL, NULL, 0UL, 0UL);
        CALL(pidfd_getfd, -1, 0, 0);
        CALL(get_mempolicy, NULL, NULL, 0UL, NULL, 0UL);
        CALL(set_mempolicy, 0, NULL, 0UL);
        CALL(mbind, NULL, 0UL, 0, NULL, 0UL, 0);
        CALL(move_pages, 0, 0UL, NULL, NULL, NULL, 0);
        CALL(migrate_pages, 0, 0UL, NULL, NULL);
        CALL(vhangup);
        CALL(vmsplice, -1, NULL, 0UL, 0);
        CALL(sysfs, 3);
        CALL(uselib, "/nowhere");
        CALL(ustat, 0, buffer);
        CALL(_sysctl, NULL);
        CALL(nfsservctl, 0, NULL, NULL);
        CALL(get_kernel_syms, NULL);
        CALL(query_module, NULL, 0, NULL, 0UL, NULL);
        CALL(sethostname, "", 0UL);
        CALL(setdomainname, "", 0UL);
        CALL(seccomp, 99, 0, NULL);
        CALL(ptrace, PTRACE_ATTACH, 99999, 0, 0); /* who attached to its parent would stop it */
        TRY("personality linux32", personality(PER_LINUX32));
        TRY("personality bsd", personality(PER_BSD));
        TRY("personality query", personality(0xffffffff));
        TRY("socket vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
        TRY("socket alg", socket(AF_ALG, SOCK_SEQPACKET, 0));
        TRY("socket netlink audit", socket(AF_NETLINK, SOCK_RAW, 9));
        TRY("socket ping", socket(AF_INET, SOCK_DGRAM, 1));
        TRY("socket raw", socket(AF_INET, SOCK_RAW, 1));
        TRY("socket packet", socket(AF_PACKET, SOCK_RAW, 0));
        TRY("mknod", mknodat(AT_FDCWD, "/tmp/jubako-device", 020600, 0x10b));
        TRY("setuid zero", setresuid(0, 0, 0));
        TRY("chown", chown("/tmp", 0, 0));
        TRY("no such call", syscall(9999));
        return 0;
}
