#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

#include "init.h"
#include "path.h"
#include "protocol.h"
#include "sys.h"
#include "text.h"

static void end_by_signal(int number) {
        _exit(128 + number);
}

/* The kernel spares the init of a pid namespace the signals that it does not handle, so that nothing but SIGKILL would
 * end one that waits. execve takes the handlers away. */
static int heed_signals(void) {
        const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
        struct sigaction action = {.sa_handler = end_by_signal};
        sigset_t heeded;

        sigemptyset(&heeded);
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
                if (sigaction(numbers[i], &action, NULL) < 0)
                        return -1;
                sigaddset(&heeded, numbers[i]);
        }
        return sigprocmask(SIG_UNBLOCK, &heeded, NULL);
}

/* This is the first process; everything is in place but the last privileges. It waits for START, from the creator
 * or, when the creator does not stay, from whoever connects to the listening socket. */
int do_wait(struct init *init, operation_t *op) {
        (void) op;
        if (close_before_wait(init) < 0)
                return -1;
        if (init->listener >= 0) {
                if (message_send(init->channel, MESSAGE_READY, 0, -1) < 0)
                        return -1;
                /* Only now does somebody know of this process who would remember it. */
                if (message_receive(init->channel) != MESSAGE_ACKNOWLEDGE)
                        _exit(1);
                if (heed_signals() < 0)
                        return -1;
                close_fd(&init->channel);
                init->channel = accept4(init->listener, NULL, NULL, SOCK_CLOEXEC);
                if (init->channel < 0)
                        return -1;
                close_fd(&init->listener);
        }
        if (message_receive(init->channel) != MESSAGE_START)
                _exit(1); /* abandoned: nobody is left to tell */
        return 0;
}

/* The working directory must lie beneath the root: a leaked directory fd would give one that does not
 * (CVE-2024-21626). getcwd(2) then answers "(unreachable)/…". */
int do_directory(struct init *init, operation_t *op) {
        char text[PATH_BYTES_MAX];

        init->path = op->string[0];
        if (chdir(op->string[0]) < 0 || syscall(SYS_getcwd, text, sizeof text) < 0)
                return -1;
        if (text[0] == '/')
                return 0;
        errno = EXDEV;
        return -1;
}

int do_environment(struct init *init, operation_t *op) {
        init->environment = op->string;
        return 0;
}

static const char *variable(char *const *environment, const char *name) {
        size_t length = strlen(name);

        for (; *environment; environment++)
                if (!strncmp(*environment, name, length) && (*environment)[length] == '=')
                        return *environment + length + 1;
        return NULL;
}

typedef int (*visit_t)(const char *path, char *const argv[], char *const *environment);

/* Go's exec.LookPath wants the same of a program: no directory, and executable. */
static int check(const char *path, char *const argv[], char *const *environment) {
        struct stat status;

        (void) argv;
        (void) environment;
        if (stat(path, &status) < 0)
                return -1;
        if (S_ISDIR(status.st_mode)) {
                errno = EACCES;
                return -1;
        }
        return access(path, X_OK);
}

/* Search PATH as Go's exec.LookPath does (what runc's users know): absolute entries only, the first that is
 * executable; EACCES is what is told when something was found that is not. */
static int search(visit_t visit, char *const argv[], char *const *environment) {
        const char *at = variable(environment, "PATH");
        int found = ENOENT;

        for (; at && *at; at += *at == ':') {
                char path[PATH_BYTES_MAX];
                struct text text = text_in(path, sizeof path);
                size_t length = strcspn(at, ":");
                if (length && *at == '/') {
                        text_add_bytes(&text, at, length);
                        text_add(&text, "/");
                        text_add(&text, argv[0]);
                        if (text_end(&text) && visit(path, argv, environment) == 0)
                                return 0;
                        if (errno == EACCES)
                                found = EACCES;
                        else if (errno != ENOENT && errno != ENOTDIR)
                                return -1;
                }
                at += length;
        }
        errno = found;
        return -1;
}

static int visit_program(const struct init *init, visit_t visit, char *const argv[]) {
        char *const none[] = {NULL};
        char *const *environment = init->environment ? init->environment : none;

        return strchr(argv[0], '/') ? visit(argv[0], argv, environment) : search(visit, argv, environment);
}

/* A program that is not there is told of while the container is made, as callers of runc expect. */
int do_find(struct init *init, operation_t *op) {
        init->path = op->string[0];
        return visit_program(init, check, op->string);
}

int make_ready(struct init *init) {
        unsigned first = first_closed(init->plan);
        int kept[] = {init->channel, init->monitor};
        sigset_t signals;

        if (init->ready)
                return 0;
        init->ready = true;
        if (place_stdio(init) < 0 || sys_close_range(first, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */) < 0)
                return -1;
        if (init->deputy && close_all_but(first, kept, 2) < 0)
                return -1;
        sigemptyset(&signals);
        return sigprocmask(SIG_SETMASK, &signals, NULL);
}

/* What the deputy's child does not inherit. */
static int settle(const struct init *init) {
        if (init->session && setsid() < 0)
                return -1;
        if (init->terminal && ioctl(0, TIOCSCTTY, 0) < 0)
                return -1;
        return init->death_signal ? die_with_monitor(init) : 0;
}

/* The deputy has come to its end: its child, made as its sibling, is the first process. By the old call, which filters
 * know and can tell from one that makes namespaces. */
static int hand_over(const struct init *init) {
        int64_t pid = syscall(SYS_clone, CLONE_PARENT, NULL, NULL, NULL, NULL);
        if (pid < 0)
                return -1;
        if (pid == 0)
                return settle(init);
        _exit(write(init->monitor, &pid, sizeof pid) != sizeof pid);
}

int do_execute(struct init *init, operation_t *op) {
        init->path = op->string[0];
        if (make_ready(init) < 0 || (init->deputy && hand_over(init) < 0))
                return -1;
        int r = visit_program(init, execve, op->string), error = errno;
        /* A script, or a program that is dynamically linked, whose interpreter is not there: the kernel says no more. */
        if (error == ENOENT && visit_program(init, check, op->string) == 0)
                memcpy(init->detail, "interpreter", sizeof "interpreter");
        errno = error;
        return r;
}
