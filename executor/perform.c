#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "monitor.h"
#include "protocol.h"
#include "sys.h"
#include "text.h"

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

bool probe_begin(struct monitor *m, struct probe *p, uint32_t index) {
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
