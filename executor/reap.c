/* executor, executor -- PROGRAM [ARGUMENT …]: process 1 of a pid namespace. It reaps what others leave.
 *
 * The first form is that of a pod, whose containers share the namespace: it does nothing else. The second is --init of a container: it
 * runs the program, passes signals on to it, and ends as it does. Both run as the program of a container, with nothing of ours.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor.h"
#include "text.h"

/* Every child that has ended; the status of `awaited` is kept. */
static bool reap_all(pid_t awaited, int *ret_status) {
        bool found = false;
        int status;

        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
                if (pid == awaited) {
                        *ret_status = status;
                        found = true;
                }
        return found;
}

int reap(void) {
        sigset_t all;
        int number = 0, status;

        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        while (number != SIGTERM) {
                reap_all(0, &status);
                if (sigwait(&all, &number) != 0)
                        return 1;
        }
        return 0;
}

/* This is the program's process: in a group of its own, which has the terminal, as a shell would have it. */
static _Noreturn void become(char *const command[], const sigset_t *mask) {
        char bytes[512];
        struct text text = text_in(bytes, sizeof bytes);

        if (setpgid(0, 0) == 0)
                tcsetpgrp(0, getpid());
        sigprocmask(SIG_SETMASK, mask, NULL);
        execvp(command[0], command);
        int error = errno;
        text_add(&text, "exec ");
        text_add(&text, command[0]);
        text_add(&text, ": ");
        text_add(&text, strerror(error));
        text_add(&text, "\n");
        if (write(2, bytes, (size_t) (text.at - bytes)) < 0)
                _exit(1);
        _exit(error == ENOENT ? 127 : 126);
}

int supervise(char *const command[]) {
        sigset_t all, mask;
        int number, status = 0;

        /* What a fault of our own would raise is left to end us. */
        sigfillset(&all);
        sigdelset(&all, SIGSEGV);
        sigdelset(&all, SIGBUS);
        sigprocmask(SIG_SETMASK, &all, &mask);
        pid_t pid = fork();
        if (pid < 0)
                return 1;
        if (pid == 0)
                become(command, &mask);
        while (!reap_all(pid, &status)) {
                if (sigwait(&all, &number) != 0)
                        return 1;
                if (number != SIGCHLD)
                        kill(pid, number);
        }
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
