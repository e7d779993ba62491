#include "monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "protocol.h"
#include "sys.h"

enum { FLUSH_NS = 3000000000 };

static int64_t integer_of(const struct monitor *m, enum operation_code code, size_t index, int64_t otherwise) {
        const struct operation *op = plan_find(m->plan, code);

        return op ? op->integers[index] : otherwise;
}

/* This is the monitor before it has a child: what it does now, the child inherits. */
int monitor_open(struct monitor *m, uint16_t *ret_operation) {
        const struct operation *log = plan_find(m->plan, OP_LOG);
        sigset_t all;

        m->run_dir = (int) integer_of(m, OP_RUN_DIR, 0, -1);
        m->out_of_memory = (int) integer_of(m, OP_OOM, 0, -1);
        m->stdin_once = integer_of(m, OP_ATTACH, 2, 0);
        m->epoll = m->signals = m->listener = m->input = m->terminal = m->init = m->lock = m->log.fd = -1;
        for (size_t i = 0; i < CLIENTS_MAX; i++)
                m->clients[i].fd = -1;
        sigfillset(&all);
        *ret_operation = OP_RUN_DIR;
        if (sigprocmask(SIG_SETMASK, &all, NULL) < 0 || record_lock(m) < 0)
                return -1;
        *ret_operation = OP_STDIO;
        if (streams_open(m) < 0)
                return -1;
        *ret_operation = OP_LOG;
        return log ? log_open(&m->log, log) : 0;
}

static int watch_signals(struct monitor *m) {
        static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
        sigset_t set;

        sigemptyset(&set);
        for (size_t i = 0; i < sizeof forwarded / sizeof forwarded[0]; i++)
                sigaddset(&set, forwarded[i]);
        m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return m->signals < 0 ? -1 : watch(m, m->signals, EPOLLIN, EVENT_SIGNAL, 0);
}

static void close_childs_ends(struct monitor *m) {
        const struct operation *channel = plan_find(m->plan, OP_INIT_CHANNEL);

        for (int i = 0; i < 3; i++)
                close_fd(&m->child_stdio[i]);
        close((int) channel->integers[0]);
        for (size_t i = 0; i < m->plan->operations_count; i++) {
                const struct operation *op = &m->plan->operations[i];
                if (op->code == OP_JOIN || op->code == OP_CGROUP_CLONE || op->code == OP_CGROUP_TASKS)
                        close((int) op->integers[0]);
                if (op->code == OP_BIND && op->integers[6] >= 0)
                        close((int) op->integers[6]);
                if (op->code == OP_ROOT_BIND && op->integers[2] >= 0)
                        close((int) op->integers[2]);
                if (op->code == OP_PRESERVED && op->integers[0] > 0)
                        sys_close_range(3, 2 + (unsigned) op->integers[0], 0);
        }
}

static int watch_all(struct monitor *m) {
        int primary = (int) integer_of(m, OP_ATTACH, 0, -1);

        m->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (m->epoll < 0 || watch_signals(m) < 0)
                return -1;
        if (watch(m, m->control, EPOLLIN, EVENT_CONTROL, 0) < 0 || watch(m, m->init, EPOLLIN, EVENT_INIT, 0) < 0 ||
            watch(m, m->pidfd, EPOLLIN, EVENT_PIDFD, 0) < 0)
                return -1;
        streams_watch(m);
        if (primary >= 0)
                client_add(m, primary, true);
        if (integer_of(m, OP_ATTACH, 1, 0) && listen_for_clients(m) < 0)
                return -1;
        return 0;
}

static void on_signal(struct monitor *m) {
        struct signalfd_siginfo info;

        while (read(m->signals, &info, sizeof info) == sizeof info)
                signal_container(m, (int) info.ssi_signo);
}

/* memory.oom_control (v1) and memory.events (v2) both have a line "oom_kill N". */
static bool killed_by_oom(const struct monitor *m) {
        char bytes[512];

        ssize_t n = m->out_of_memory < 0 ? -1 : pread(m->out_of_memory, bytes, sizeof bytes - 1, 0);
        if (n <= 0)
                return false;
        bytes[n] = '\0';
        const char *at = strstr(bytes, "\noom_kill ");
        return at && at[10] != '0';
}

static void send_exited(struct monitor *m) {
        struct exited exited = {
                .type = MESSAGE_EXITED,
                .code = m->exit_code,
                .signal = m->exit_signal,
                .oom = m->killed_by_oom,
                .started_ns = m->started_ns,
                .finished_ns = m->finished_ns,
        };

        if (m->control >= 0)
                send(m->control, &exited, sizeof exited, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_exit_of_container(struct monitor *m) {
        siginfo_t info = {0};
        char frame[1 + sizeof(uint32_t)] = {FRAME_EXITED};

        if (m->init >= 0)
                on_init(m); /* both may have become ready at once; the end of exec comes first, and a deputy's word */
        if (waitid(P_PIDFD, (id_t) m->pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
                return;
        m->finished_ns = now_ns();
        m->exited = true;
        m->exit_signal = info.si_code == CLD_EXITED ? 0 : (uint32_t) info.si_status;
        m->exit_code = info.si_code == CLD_EXITED ? (uint32_t) info.si_status : 128 + m->exit_signal;
        m->killed_by_oom = killed_by_oom(m);
        unwatch(m, m->pidfd);
        probes_end(m);
        drain(m);
        record_exit(m);
        memcpy(frame + 1, &m->exit_code, sizeof m->exit_code);
        broadcast(m, frame, sizeof frame);
        for (size_t i = 0; i < CLIENTS_MAX; i++)
                if (m->clients[i].fd >= 0 && m->clients[i].head == m->clients[i].tail)
                        client_drop(m, &m->clients[i]);
        if (m->listener >= 0)
                unwatch(m, m->listener);
        close_fd(&m->listener);
        send_exited(m);
}

static void dispatch(struct monitor *m, const struct epoll_event *event) {
        uint32_t index = (uint32_t) event->data.u64;

        switch ((enum event) (event->data.u64 >> 32)) {
        case EVENT_CONTROL: on_control(m); break;
        case EVENT_INIT: on_init(m); break;
        case EVENT_PIDFD: on_exit_of_container(m); break;
        case EVENT_SIGNAL: on_signal(m); break;
        case EVENT_LISTENER: on_listener(m); break;
        case EVENT_INPUT: on_input(m); break;
        case EVENT_SOURCE:
                if (event->events & EPOLLOUT)
                        on_input(m);
                if (event->events & ~(uint32_t) EPOLLOUT)
                        on_source(m, index);
                break;
        case EVENT_CLIENT: on_client(m, index, event->events); break;
        case EVENT_PROBE_TIMER: on_probe_timer(m, index); break;
        case EVENT_PROBE_CONTROL: on_probe_control(m, index); break;
        case EVENT_PROBE_OUTPUT: on_probe_output(m, index, event->events); break;
        }
}

/* Whether somebody has the state file locked: who ends the container, waits for that and cleans up. */
static bool is_awaited(const struct monitor *m) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

        _cleanup_close_ int state = openat(m->run_dir, "state", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        return state >= 0 && fcntl(state, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

/* Nobody is left who would clean up: run the one command that does, in a session and with fds of its own. */
static void run_cleanup(const struct monitor *m) {
        const struct operation *op = plan_find(m->plan, OP_CLEANUP);
        extern char **environ;
        sigset_t none;

        if (!op)
                return;
        sys_close_range(3, ~0U, 0); /* the lock and the ports are free before it looks */
        pid_t pid = fork();
        if (pid != 0)
                return;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execve(op->string[0], op->string, environ);
        _exit(127);
}

static bool finished(const struct monitor *m, bool patient) {
        return m->exited && (m->acknowledged || m->control_gone) && !(patient && clients_waiting(m));
}

void monitor_run(struct monitor *m) {
        struct epoll_event events[16];

        close_childs_ends(m);
        if (watch_all(m) < 0)
                failure_send(m->control, STAGE_MONITOR, OP_ATTACH, 0, errno, "attach.sock", NULL);
        record_state(m);
        while (!finished(m, now_ns() - m->finished_ns < FLUSH_NS)) {
                int n = epoll_wait(m->epoll, events, sizeof events / sizeof events[0], m->exited ? 200 : -1);
                for (int i = 0; i < n; i++)
                        dispatch(m, &events[i]);
        }
        if (!m->acknowledged && !is_awaited(m))
                run_cleanup(m);
}
