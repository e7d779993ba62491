/* Hooks of the specification that run inside the container: createContainer before the pivot, where the host's paths still
 * lead to the host's files, and startContainer as the last thing before the program. The others are the creator's. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "init.h"
#include "protocol.h"
#include "sys.h"
#include "text.h"

int do_mounted(struct init *init, operation_t *op) {
        (void) op;
        if (message_send(init->channel, MESSAGE_MOUNTED, 0, -1) < 0)
                return -1;
        if (message_receive(init->channel) != MESSAGE_GO_ON)
                _exit(1); /* a hook of the creator's has failed, or the creator is gone */
        return 0;
}

/* This is the hook's process. The state is its standard input; what it says in `said` is told if it fails. */
static _Noreturn void become_hook(operation_t *op, int said, int failure) {
        size_t arguments = (size_t) op->integers[2];
        char *path = op->string[0], *name[] = {path, NULL};
        char **argv = name, **environment = op->string + 1 + arguments;
        int state = (int) op->integers[1], null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        sigset_t none;

        if (arguments) {
                argv = op->string; /* the path's place makes room for the end of the arguments */
                memmove(argv, argv + 1, arguments * sizeof *argv);
                argv[arguments] = NULL;
        }
        sigemptyset(&none);
        if (lseek(state, 0, SEEK_SET) == 0 && dup2(state, 0) == 0 && dup2(null < 0 ? said : null, 1) == 1 &&
            dup2(said, 2) == 2 && sys_close_range(3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */) == 0 &&
            sigprocmask(SIG_SETMASK, &none, NULL) == 0)
                execve(path, argv, environment);
        _exit(write(failure, &errno, sizeof errno) != sizeof errno);
}

/* 0 when it has ended in time, -1 with ETIMEDOUT or why nobody could wait; it is dead in any case. */
static int wait_for_hook(pid_t pid, int timeout_ms, int *ret_status) {
        _cleanup_close_ int pidfd = sys_pidfd_open(pid);
        struct pollfd end = {.fd = pidfd, .events = POLLIN};
        int ready = pidfd < 0 ? -1 : 0;

        while (pidfd >= 0 && (ready = poll(&end, 1, timeout_ms)) < 0 && errno == EINTR)
                ;
        int error = ready < 0 ? errno : ETIMEDOUT;
        if (ready <= 0)
                kill(pid, SIGKILL);
        while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
                ;
        errno = error;
        return ready > 0 ? 0 : -1;
}

/* "startContainer hook #1", which the record of a failure begins with. */
static struct text name_hook(struct init *init, operation_t *op) {
        struct text text = text_in(init->detail, sizeof init->detail);

        text_add(&text, op->integers[3] ? "startContainer" : "createContainer");
        text_add(&text, " hook #");
        text_add_number(&text, op->integers[4]);
        if (text_end(&text))
                text.at--; /* more may follow in the place of the NUL */
        return text;
}

/* "exit status 3: reason" behind that. */
static int explain(struct text text, int status, int said) {
        char words[200];

        text_add(&text, ": ");
        text_add(&text, WIFEXITED(status) ? "exit status " : "signal ");
        text_add_number(&text, WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
        ssize_t n = pread(said, words, sizeof words, 0);
        while (n > 0 && words[n - 1] == '\n')
                n--;
        if (n > 0) {
                text_add(&text, ": ");
                text_add_bytes(&text, words, (size_t) n);
        }
        text_end(&text);
        errno = ECANCELED;
        return -1;
}

int do_hook(struct init *init, operation_t *op) {
        int failure[2], status = 0, error = 0;

        init->path = op->string[0];
        struct text name = name_hook(init, op);
        _cleanup_close_ int said = memfd_create("hook", MFD_CLOEXEC);
        if (said < 0 || pipe2(failure, O_CLOEXEC) < 0)
                return -1;
        _cleanup_close_ int failed = failure[0];
        pid_t pid = (pid_t) syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0)
                become_hook(op, said, failure[1]);
        close(failure[1]);
        if (pid < 0 || wait_for_hook(pid, (int) op->integers[0], &status) < 0)
                return -1;
        if (read(failed, &error, sizeof error) == sizeof error) {
                errno = error;
                return -1;
        }
        if (status)
                return explain(name, status, said);
        init->detail[0] = '\0';
        return 0;
}
