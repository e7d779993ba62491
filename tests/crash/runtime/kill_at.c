/* kill_at WHO N REPORT COMMAND…: run COMMAND and kill -9 one of its processes at the N-th system call of all of them.
 *
 * The calls are counted over the whole tree of processes, from the first on that changes something: before, a runtime
 * has only read. WHO dies: "caller", which makes the call, or "command", the first process. The call is not made.
 * REPORT gets the number of calls that were counted until COMMAND had ended; what it leaves running is let go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYSCALL_STOP = SIGTRAP | 0x80 };

struct run {
        pid_t command;
        bool caller_dies, counting;
        long at, count;
};

static bool changes_something(unsigned long long number) {
        switch (number) {
#ifdef SYS_mkdir
        case SYS_mkdir:
        case SYS_rmdir:
        case SYS_unlink:
#endif
        case SYS_mkdirat:
        case SYS_unlinkat:
        case SYS_connect:
        case SYS_pidfd_open: return true;
        default: return false;
        }
}

static void on_call(struct run *run, pid_t pid) {
        struct __ptrace_syscall_info info;

        if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0 || info.op != PTRACE_SYSCALL_INFO_ENTRY)
                return;
        run->counting = run->counting || changes_something(info.entry.nr);
        if (run->counting && ++run->count == run->at)
                kill(run->caller_dies ? pid : run->command, SIGKILL);
}

static void follow(struct run *run) {
        int status;

        for (;;) {
                pid_t pid = waitpid(-1, &status, __WALL);
                if (pid < 0 && errno != EINTR)
                        return;
                if (pid == run->command && !WIFSTOPPED(status))
                        return;
                if (pid < 0 || !WIFSTOPPED(status))
                        continue;
                int number = WSTOPSIG(status);
                if (number == SYSCALL_STOP)
                        on_call(run, pid);
                /* Stops of ptrace's own: a call, an event, a new process. */
                if (number == SYSCALL_STOP || status >> 16)
                        number = 0;
                ptrace(PTRACE_SYSCALL, pid, NULL, number);
        }
}

int main(int argc, char **argv) {
        int status;

        if (argc < 5)
                return 64;
        struct run run = {.caller_dies = !strcmp(argv[1], "caller"), .at = atol(argv[2])};
        run.command = fork();
        if (run.command == 0) {
                raise(SIGSTOP);
                execvp(argv[4], argv + 4);
                _exit(127);
        }
        if (waitpid(run.command, &status, WUNTRACED) < 0 || !WIFSTOPPED(status))
                return 1;
        /* Not PTRACE_TRACEME, which would begin each new process with a stop that stays when this one has ended. */
        if (ptrace(PTRACE_SEIZE, run.command, NULL,
                   PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                           PTRACE_O_TRACEEXEC) < 0)
                return 1;
        kill(run.command, SIGCONT);
        follow(&run);
        FILE *report = fopen(argv[3], "w");
        return !report || fprintf(report, "%ld\n", run.count) < 0 || fclose(report) != 0;
}
