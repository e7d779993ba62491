#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

#include "monitor.h"
#include "protocol.h"
#include "sys.h"

enum { FDS_MAX = 250 }; /* SCM_MAX_FD is 253 */

void signal_container(struct monitor *m, int number) {
        if (!m->exited && number > 0 && number < 65)
                sys_pidfd_send_signal(m->pidfd, number);
}

void resize_terminal(struct monitor *m, unsigned height, unsigned width) {
        struct winsize size = {.ws_row = (unsigned short) height, .ws_col = (unsigned short) width};

        if (m->terminal >= 0)
                ioctl(m->terminal, TIOCSWINSZ, &size);
}

static void control_ends(struct monitor *m) {
        const struct operation *death = plan_find(m->plan, OP_CREATOR_DEATH);

        unwatch(m, m->control);
        close_fd(&m->control);
        m->control_gone = true;
        if (death)
                signal_container(m, (int) death->integers[0]);
}

/* Fds that come with KEEP are held by just being open. */
static size_t fds_of(struct msghdr *header, int fds[FDS_MAX]) {
        const struct cmsghdr *control = CMSG_FIRSTHDR(header);

        if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
                return 0;
        size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof *fds;
        memcpy(fds, CMSG_DATA(control), count * sizeof *fds);
        return count;
}

void on_control(struct monitor *m) {
        union {
                struct message plain;
                struct probe_request probe;
        } message = {0};
        int fds[FDS_MAX];
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
        } ancillary;
        struct iovec part = {.iov_base = &message, .iov_len = sizeof message};
        struct msghdr header = {
                .msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = ancillary.space,
                .msg_controllen = sizeof ancillary.space,
        };

        ssize_t n = recvmsg(m->control, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n == (ssize_t) sizeof message.probe && message.plain.type == MESSAGE_PROBE) {
                size_t count = fds_of(&header, fds);
                probe_add(m, &message.probe, fds, count);
                return;
        }
        if (n != (ssize_t) sizeof message.plain) {
                control_ends(m);
                return;
        }
        if (message.plain.type == MESSAGE_SIGNAL)
                signal_container(m, (int) message.plain.value);
        else if (message.plain.type == MESSAGE_RESIZE)
                resize_terminal(m, message.plain.value >> 16, message.plain.value & 0xffff);
        else if (message.plain.type == MESSAGE_ACKNOWLEDGE)
                m->acknowledged = true;
}

static void adopt_terminal(struct monitor *m, int master) {
        const struct operation *stdio = plan_find(m->plan, OP_STDIO);

        if (fcntl(master, F_SETFL, O_NONBLOCK | O_RDWR) < 0)
                return;
        m->terminal = m->sources[0].fd = master;
        if (stdio && stdio->integers[1])
                m->input = master;
        watch(m, master, EPOLLIN, EVENT_SOURCE, 0);
}

/* The deputy has made the first process, which is our child: nobody else is believed, since what comes here may be the
 * word of a container that traces it. */
static int open_first(const struct monitor *m, pid_t pid) {
        siginfo_t info;

        _cleanup_close_ int pidfd = sys_pidfd_open(pid);
        if (pidfd < 0 || pid == m->pid || waitid(P_PIDFD, (id_t) pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
                return -1;
        return take_fd(&pidfd);
}

void pass_on_first(const struct monitor *m) {
        siginfo_t info;
        int64_t pid;

        ssize_t n = read(m->init, &pid, sizeof pid);
        waitid(P_PIDFD, (id_t) m->pidfd, &info, WEXITED); /* it is nobody else's to reap */
        if (n != sizeof pid)
                return;
        _cleanup_close_ int pidfd = open_first(m, (pid_t) pid);
        if (pidfd >= 0)
                message_send(m->control, MESSAGE_CLONED, (uint32_t) pid, pidfd);
}

static void adopt_first(struct monitor *m, pid_t pid) {
        siginfo_t info;

        int pidfd = open_first(m, pid);
        if (pidfd < 0)
                return;
        unwatch(m, m->pidfd);
        waitid(P_PIDFD, (id_t) m->pidfd, &info, WEXITED);
        close(m->pidfd);
        m->pid = pid;
        m->pidfd = pidfd;
        m->pid_start = 0;
        watch(m, pidfd, EPOLLIN, EVENT_PIDFD, 0);
        if (m->control >= 0)
                message_send(m->control, MESSAGE_CLONED, (uint32_t) pid, pidfd);
}

static void on_end_of_init(struct monitor *m) {
        unwatch(m, m->init);
        close_fd(&m->init);
        if (m->start_failed)
                return;
        m->started_ns = now_ns();
        record_state(m);
        if (m->control >= 0)
                message_send(m->control, MESSAGE_READY, 0, -1);
}

/* From the first process: the terminal's master, a byte when it fails, the end when the program runs (or it is dead);
 * from its deputy also the pid of the first process. False when there is nothing more to read now. */
static bool take_from_init(struct monitor *m) {
        int64_t bytes = 0;
        int fd;

        ssize_t n = receive_with_fd(m->init, &bytes, sizeof bytes, &fd);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return false;
        if (fd >= 0)
                adopt_terminal(m, fd);
        else if (n == (ssize_t) sizeof bytes)
                adopt_first(m, (pid_t) bytes);
        else if (n > 0)
                m->start_failed = true;
        else
                on_end_of_init(m);
        return m->init >= 0;
}

void on_init(struct monitor *m) {
        while (m->init >= 0 && take_from_init(m))
                ;
}
