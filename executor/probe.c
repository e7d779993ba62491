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
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "monitor.h"
#include "protocol.h"
#include "sys.h"

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
        health_record(p);
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
        if (!probe_begin(m, p, index))
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
