/* Probes: commands that the monitor has performed in the container from time to time, and what came of them.
 *
 * A probe is a plan for one more process in the container, which came with PROBE and the descriptors that it names. Each time
 * the monitor is that plan's creator: it gives the descriptors the numbers that the plan has for them, starts this program
 * anew, which does the rest as for any exec, and hears of the end over the control socket.
 *
 *   waiting ── timer ──> performing ── EXITED, or the control socket's end ──> waiting
 *                            └── timer: too long, SIGKILL, and on to its end
 *
 * The last results stand in the probe's own directory, file `health`; when its status has changed, the plan's command NOTICE
 * is run. Nothing of a probe outlives this process: the plan has CREATOR_DEATH.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "monitor.h"
#include "protocol.h"
#include "sys.h"
#include "text.h"

enum { STARTING, HEALTHY, UNHEALTHY };
enum { FAILED = -1, REAP_NS = 10000000, HOLD_NS = 300000000 };

static void arm(const struct probe *p, int64_t ns) {
        const struct itimerspec when = {
                .it_value = {.tv_sec = ns / 1000000000, .tv_nsec = ns > 0 ? ns % 1000000000 : 1},
        };

        timerfd_settime(p->timer, 0, &when, NULL);
}

/* As long as a start period lasts and nothing has succeeded, failures do not count, and probes may come more often. */
static bool in_start_period(const struct monitor *m, const struct probe *p) {
        return p->status == STARTING && now_ns() < m->started_ns + p->asked.start_period_ns;
}

static void rest(const struct monitor *m, const struct probe *p) {
        bool often = p->asked.start_interval_ns && in_start_period(m, p);

        arm(p, often ? p->asked.start_interval_ns : p->asked.interval_ns);
}

void probe_add(struct monitor *m, const struct probe_request *request, const int *fds, size_t count) {
        struct probe *p = &m->probes[m->probes_count];

        if (m->probes_count == PROBES_MAX || count != request->fds || count < PROBE_FDS_MIN || count > PROBE_FDS_MAX ||
            request->after >= (int32_t) m->probes_count) {
                for (size_t i = 0; i < count; i++)
                        close(fds[i]);
                return;
        }
        p->asked = *request;
        memcpy(p->fds, fds, count * sizeof *fds);
        p->control = p->channel = p->output = -1;
        p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (p->timer < 0 || watch(m, p->timer, EPOLLIN, EVENT_PROBE_TIMER, m->probes_count) < 0)
                return;
        m->probes_count++;
        arm(p, request->delay_ns);
}

/* This is the child of a fork. The descriptors first go where none of the wanted numbers is, then to those. */
static _Noreturn void perform(const struct probe *p, int control, int channel, int output) {
        const struct probe_request *asked = &p->asked;
        int moved[PROBE_FDS_MAX + 3], wanted[PROBE_FDS_MAX + 3], above = 3;
        size_t count = asked->fds;
        char numbers[2][16];
        sigset_t none;

        memcpy(moved, p->fds, count * sizeof *moved);
        memcpy(wanted, asked->numbers, count * sizeof *wanted);
        moved[count] = control, wanted[count++] = asked->control;
        moved[count] = channel, wanted[count++] = asked->channel;
        moved[count] = output, wanted[count++] = asked->output;
        for (size_t i = 0; i < count; i++)
                above = wanted[i] >= above ? wanted[i] + 1 : above;
        for (size_t i = 0; i < count; i++)
                if ((moved[i] = fcntl(moved[i], F_DUPFD_CLOEXEC, above)) < 0)
                        _exit(127);
        sys_close_range(3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
        for (size_t i = 0; i < count; i++)
                if (wanted[i] < 3 || dup2(moved[i], wanted[i]) < 0)
                        _exit(127);
        for (size_t i = 0; i < 2; i++) {
                struct text text = text_in(numbers[i], sizeof numbers[i]);
                text_add_number(&text, i ? asked->control : asked->numbers[0]);
                text_end(&text);
        }
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        char name[] = "jubako-monitor", *arguments[] = {name, numbers[0], numbers[1], NULL};
        extern char **environ;
        execve("/proc/self/exe", arguments, environ);
        _exit(127);
}

/* START is said before the process is there to hear it; the plan's WAIT finds it. */
static bool begin(struct monitor *m, struct probe *p, uint32_t index) {
        int control[2], channel[2], output[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
                return false;
        p->control = control[0];
        int r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel);
        if (r == 0) {
                p->channel = channel[0];
                r = pipe2(output, O_CLOEXEC);
        } else
                channel[1] = -1;
        if (r == 0) {
                p->output = output[0];
                message_send(p->channel, MESSAGE_START, 0, -1);
                p->pid = fork();
                if (p->pid == 0)
                        perform(p, control[1], channel[1], output[1]);
                close(output[1]);
        }
        close(control[1]);
        close_fd(&channel[1]);
        if (r < 0 || p->pid < 0 || fcntl(p->output, F_SETFL, O_NONBLOCK) < 0)
                return false;
        return watch(m, p->control, EPOLLIN, EVENT_PROBE_CONTROL, index) == 0 &&
               watch(m, p->output, EPOLLIN, EVENT_PROBE_OUTPUT, index) == 0;
}

/* More than is kept is read and forgotten: a flood holds the command back, and nobody else. */
static void take_output(struct probe *p) {
        struct probe_result *result = &p->results[p->results_count % PROBE_RESULTS];
        char bytes[PROBE_OUTPUT_BYTES];
        ssize_t n;

        for (int i = 0; i < 16 && p->output >= 0 && (n = read(p->output, bytes, sizeof bytes)) > 0; i++) {
                size_t room = sizeof result->output - result->length;
                size_t take = (size_t) n < room ? (size_t) n : room;
                memcpy(result->output + result->length, bytes, take);
                result->length += (uint32_t) take;
        }
}

static void add_result(struct text *text, const struct probe_result *result) {
        static const char hex[] = "0123456789abcdef";

        text_add(text, "{\"start_ns\":");
        text_add_number(text, result->start_ns);
        text_add(text, ",\"end_ns\":");
        text_add_number(text, result->end_ns);
        text_add(text, ",\"code\":");
        text_add_number(text, result->code);
        text_add(text, result->late ? ",\"late\":true" : ",\"late\":false");
        text_add(text, ",\"output\":\"");
        for (uint32_t i = 0; i < result->length; i++) {
                unsigned char byte = (unsigned char) result->output[i];
                text_add_bytes(text, (const char[]){hex[byte >> 4], hex[byte & 15]}, 2);
        }
        text_add(text, "\"}");
}

/* The output is in hexadecimal digits: it may be anything. */
static void record(const struct probe *p) {
        static const char *const names[] = {"starting", "healthy", "unhealthy"};
        static char bytes[PROBE_RESULTS * (2 * PROBE_OUTPUT_BYTES + 256) + 256];
        struct text text = text_in(bytes, sizeof bytes);
        uint64_t first = p->results_count < PROBE_RESULTS ? 0 : p->results_count - PROBE_RESULTS;

        text_add(&text, "{\"status\":\"");
        text_add(&text, names[p->status]);
        text_add(&text, "\",\"failing_streak\":");
        text_add_number(&text, p->failures);
        text_add(&text, ",\"count\":");
        text_add_number(&text, (int64_t) p->results_count);
        text_add(&text, ",\"log\":[");
        for (uint64_t i = first; i < p->results_count; i++) {
                text_add(&text, i > first ? "," : "");
                add_result(&text, &p->results[i % PROBE_RESULTS]);
        }
        text_add(&text, "]}\n");
        record_whole(p->fds[1], "health", "health.new", bytes, (size_t) (text.at - bytes));
}

/* The command's parent is nobody of ours, so that nobody need wait for it. */
static void give_notice(const struct monitor *m) {
        const struct operation *op = plan_find(m->plan, OP_NOTICE);
        extern char **environ;
        sigset_t none;

        pid_t pid = op ? fork() : -1;
        if (pid > 0)
                waitpid(pid, NULL, 0);
        if (pid != 0)
                return;
        sys_close_range(3, ~0U, 0);
        if (fork() != 0)
                _exit(0);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execve(op->string[0], op->string, environ);
        _exit(127);
}

static void judge(const struct monitor *m, struct probe *p, bool succeeded) {
        int before = p->status;

        if (succeeded) {
                p->failures = 0;
                if (++p->successes >= p->asked.successes)
                        p->status = HEALTHY;
        } else {
                p->successes = 0;
                if (!in_start_period(m, p) && ++p->failures >= p->asked.failures)
                        p->status = UNHEALTHY;
        }
        record(p);
        if (p->status != before)
                give_notice(m);
}

static void conclude(struct monitor *m, struct probe *p) {
        const struct probe_result *result = &p->results[p->results_count++ % PROBE_RESULTS];

        judge(m, p, result->code == 0);
        rest(m, p);
}

/* PF_EXITING, include/linux/sched.h: process 1 has it before it ends the others of its namespace. */
static bool is_ending(const struct monitor *m) {
        return m->exited || process_field(m->pid, PROCESS_FLAGS) & 4;
}

/* Where process 1 ends all others of its namespace do so before it, and no new one can be made: what was `killed` or could
 * not be made says nothing of the container's health if that is the reason, so it is held until that could be known. */
static void end_probe(struct monitor *m, struct probe *p, int32_t code, bool killed) {
        struct probe_result *result = &p->results[p->results_count % PROBE_RESULTS];

        if (p->control >= 0)
                message_send(p->control, MESSAGE_ACKNOWLEDGE, 0, -1);
        take_output(p);
        int *fds[] = {&p->control, &p->channel, &p->output};
        for (size_t i = 0; i < 3; i++) {
                if (*fds[i] >= 0 && i != 1)
                        unwatch(m, *fds[i]);
                close_fd(fds[i]);
        }
        result->end_ns = now_ns();
        result->late = p->late;
        result->code = p->late ? FAILED : code;
        if (result->code && is_ending(m))
                return;
        p->held = killed && !p->late;
        if (p->held)
                arm(p, HOLD_NS);
        else
                conclude(m, p);
}

void on_probe_timer(struct monitor *m, uint32_t index) {
        struct probe *p = &m->probes[index];
        uint64_t ticks;

        if (read(p->timer, &ticks, sizeof ticks) != sizeof ticks)
                return;
        if (p->held) {
                p->held = false;
                conclude(m, p);
                return;
        }
        if (p->control >= 0) { /* it is being performed, for too long */
                p->late = true;
                message_send(p->control, MESSAGE_SIGNAL, SIGKILL, -1);
                arm(p, 1000000000);
                return;
        }
        if (p->pid > 0 && waitpid(p->pid, NULL, WNOHANG) == 0) {
                arm(p, REAP_NS);
                return;
        }
        p->pid = 0;
        if (m->exited)
                return;
        if (!m->started_ns || (p->asked.after >= 0 && m->probes[p->asked.after].status != HEALTHY)) {
                rest(m, p);
                return;
        }
        struct probe_result *result = &p->results[p->results_count % PROBE_RESULTS];
        *result = (struct probe_result){.start_ns = now_ns()};
        p->late = false;
        arm(p, p->asked.timeout_ns);
        if (!begin(m, p, index))
                end_probe(m, p, FAILED, false);
}

/* A command that never began has said why on the init channel. */
static bool began(const struct probe *p) {
        struct failed failed;

        return recv(p->channel, &failed, sizeof failed, MSG_DONTWAIT) <= 0;
}

void on_probe_control(struct monitor *m, uint32_t index) {
        struct probe *p = &m->probes[index];
        union {
                uint32_t type;
                struct exited exited;
                struct failed failed;
        } message = {0};

        if (p->control < 0)
                return;
        ssize_t n = recv(p->control, &message, sizeof message, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0 || message.type == MESSAGE_FAILED)
                end_probe(m, p, FAILED, true);
        else if (message.type == MESSAGE_EXITED && began(p))
                end_probe(m, p, (int32_t) message.exited.code, message.exited.signal == SIGKILL);
        else if (message.type == MESSAGE_EXITED)
                end_probe(m, p, FAILED, true);
}

void on_probe_output(struct monitor *m, uint32_t index, uint32_t events) {
        struct probe *p = &m->probes[index];

        take_output(p);
        if (p->output >= 0 && events & EPOLLHUP) {
                unwatch(m, p->output);
                close_fd(&p->output);
        }
}

/* The container has ended: so do those that are being performed, with their sockets. */
void probes_end(struct monitor *m) {
        for (uint32_t i = 0; i < m->probes_count; i++) {
                struct probe *p = &m->probes[i];
                unwatch(m, p->timer);
                close_fd(&p->timer);
                if (p->control < 0)
                        continue;
                unwatch(m, p->control);
                close_fd(&p->control);
                close_fd(&p->channel);
                if (p->output >= 0)
                        unwatch(m, p->output);
                close_fd(&p->output);
        }
}
