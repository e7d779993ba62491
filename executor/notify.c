/* Handing the fd of a filter's notifications to whoever answers them (SCMP_ACT_NOTIFY): the agent.
 *
 * With its filter loaded, whatever the first process calls may be a call that waits for the agent's word, and the agent has
 * no fd yet. So a child that was made before, whom the filter does not bind, sends it. They share their descriptors.
 *
 *   first process                               child
 *     clone ------------------------------------> read
 *     seccomp(NEW_LISTENER)
 *     write: the fd's number -------------------> sendmsg to the agent: the state, the fd
 *     read <------------------------------------- write: errno; exit
 *
 * write(2) alone may not wait for the agent: profiles that want that are refused. Nobody has to reap the child: no call
 * to do it need be allowed. Since each holds both ends of the socket, neither would read its end when the other is
 * killed: the child dies with its parent, and the parent's patience has a limit.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "init.h"
#include "protocol.h"
#include "sys.h"
#include "text.h"

#ifndef SECCOMP_FILTER_FLAG_NEW_LISTENER
#define SECCOMP_FILTER_FLAG_NEW_LISTENER (1UL << 3)
#endif
#ifndef SECCOMP_FILTER_FLAG_TSYNC_ESRCH
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH (1UL << 4)
#endif

enum { PIECES_MAX = 4, PATIENCE_S = 10 };

int do_agent(struct init *init, operation_t *op) {
        init->agent = op;
        return 0;
}

/* The pieces of the state with our pid, as the creator sees it, between them. In one packet: that is what agents read. */
static int send_state(const struct init *init, int fd) {
        struct iovec parts[2 * PIECES_MAX];
        char digits[16];
        struct text pid = text_in(digits, sizeof digits);
        size_t count = 0, size = 0;

        text_add_number(&pid, init->host_pid);
        text_end(&pid);
        for (size_t i = 1; i < init->agent->strings && count < 2 * PIECES_MAX; i++) {
                if (i > 1)
                        parts[count++] = (struct iovec){digits, strlen(digits)};
                parts[count++] = (struct iovec){init->agent->string[i], strlen(init->agent->string[i])};
        }
        for (size_t i = 0; i < count; i++)
                size += parts[i].iov_len;
        ssize_t n = parts_send((int) init->agent->integers[0], parts, count, fd);
        if (n >= 0 && (size_t) n != size)
                errno = EMSGSIZE;
        return n == (ssize_t) size ? 0 : -1;
}

/* This is the child. */
static _Noreturn void tell_agent(const struct init *init, int socket, pid_t parent) {
        int fd, error = 0;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
                _exit(1);
        if (read(socket, &fd, sizeof fd) != sizeof fd)
                _exit(1);
        if (send_state(init, fd) < 0)
                error = errno;
        close(fd);
        close((int) init->agent->integers[0]);
        _exit(write(socket, &error, sizeof error) != sizeof error);
}

/* A child of which nothing stays: with SA_NOCLDWAIT it is no zombie, and exec takes that flag away again. */
static pid_t clone_unreaped(void) {
        struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
        struct clone3_arguments arguments = {.flags = CLONE_FILES, .exit_signal = SIGCHLD};

        return sigaction(SIGCHLD, &action, NULL) < 0 ? -1 : sys_clone3(&arguments);
}

/* Have the child send `fd`. */
static int have_sent(int socket, int fd) {
        int error;

        if (write(socket, &fd, sizeof fd) != sizeof fd)
                return -1;
        if (read(socket, &error, sizeof error) != sizeof error) {
                close(fd); /* calls that wait for the agent fail from now on, those that tell of this among them */
                error = ETIMEDOUT;
        }
        errno = error;
        return error ? -1 : 0;
}

int load_notifying(struct init *init, unsigned long flags, const void *program) {
        const struct timeval patience = {.tv_sec = PATIENCE_S};
        int sockets[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0 ||
            setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0)
                return -1;
        pid_t parent = getpid(), pid = clone_unreaped();
        if (pid == 0)
                tell_agent(init, sockets[1], parent);
        if (pid < 0)
                return -1;
        flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
        if (flags & SECCOMP_FILTER_FLAG_TSYNC) /* the two go together only with this one, seccomp(2) */
                flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
        int fd = (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
        if (fd < 0)
                return -1;
        init->path = init->agent->string[0];
        return have_sent(sockets[0], fd);
}
