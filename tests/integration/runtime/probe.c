/* Makes the system calls that its arguments name, each in a child of its own, and prints what came of it.
 *
 * An argument is ABI:NUMBER[:ARGUMENT...]; the ABI is 64 (x32 has its bit in the number) or 32 (int 0x80).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static long call_32(const long *n) {
        long result;

        __asm__ volatile("int $0x80"
                         : "=a"(result)
                         : "a"(n[0]), "b"(n[1]), "c"(n[2]), "d"(n[3]), "S"(n[4]), "D"(n[5])
                         : "memory", "r8", "r9", "r10", "r11");
        return result;
}

static long call_64(const long *n) {
        long result = syscall(n[0], n[1], n[2], n[3], n[4], n[5], n[6]);
        return result < 0 ? -errno : result;
}

static void trapped(int number, siginfo_t *info, void *context) {
        (void) number;
        (void) context;
        _exit(200 + (info->si_errno & 15));
}

int main(int argc, char *argv[]) {
        for (int i = 1; i < argc; i++) {
                long n[7] = {0}, abi = strtol(strtok(argv[i], ":"), NULL, 0);
                char *word;
                int count = 0, status;

                while (count < 7 && (word = strtok(NULL, ":")))
                        n[count++] = (long) strtoull(word, NULL, 0);
                pid_t child = fork();
                if (child == 0) {
                        struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO};
                        sigaction(SIGSYS, &action, NULL);
                        long r = abi == 32 ? call_32(n) : call_64(n);
                        _exit(r < 0 ? (int) -r : 0);
                }
                if (waitpid(child, &status, 0) < 0)
                        return 1;
                printf("%d ", WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
        }
        printf("\n");
        return 0;
}
