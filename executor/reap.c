/* executor: process 1 of a pid namespace that containers of a pod share. It reaps what they leave, and does nothing else.
 *
 * It runs as a program of its own container: an empty root, no capability, nothing open.
 */
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

#include "monitor.h"

int reap(void) {
        sigset_t all;
        int number = 0;

        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        while (number != SIGTERM) {
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        ;
                if (sigwait(&all, &number) != 0)
                        return 1;
        }
        return 0;
}
