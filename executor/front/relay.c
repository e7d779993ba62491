/* While the keeper's child runs the call: signals go to it, its status comes back.
 *
 * The child leads a session and process group of its own. A signal that the terminal made (Ctrl-C) goes to that whole
 * group, as it would have gone to the caller's; one that was sent to this process goes to the child alone.
 */
#include "front.h"
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#define PIDFD_GROUP 4u /* PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9 */
#define FROM_KERNEL 0x80 /* SI_KERNEL: the terminal, not kill(2) */

struct relay {
	const struct call *call;
	int connection;
	int signals;
	int child; /* pidfd, once the call was accepted */
	pid_t pid;
};

struct received {
	struct reply reply;
	int fds[PROTOCOL_MAX_FDS];
	size_t fd_count;
};

/* Signals that say something about this process itself stay with it. */
int catch_signals(void)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS, SIGCHLD, SIGPIPE, SIGTTIN};
	sigset_t caught;
	sigfillset(&caught);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&caught, own[i]);
	sigprocmask(SIG_BLOCK, &caught, NULL);
	/* SIGTTOU is blocked, so that the terminal can be restored from the background, and never read. */
	sigdelset(&caught, SIGTTOU);
	return signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void send_signal(const struct relay *relay, int number, bool to_group)
{
	if (syscall(SYS_pidfd_send_signal, relay->child, number, NULL, to_group ? PIDFD_GROUP : 0u) == 0)
		return;
	if (to_group && errno == EINVAL && syscall(SYS_pidfd_send_signal, relay->child, 0, NULL, 0u) == 0)
		kill(-relay->pid, number);
}

static _Noreturn void die_by(int number)
{
	const struct rlimit no_core = {0, 0};
	setrlimit(RLIMIT_CORE, &no_core);
	signal(number, SIG_DFL);
	sigset_t one;
	sigemptyset(&one);
	sigaddset(&one, number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(number);
	_exit(128 + number);
}

/* A call that Ctrl-Z reached asks to be stopped. Both stop and go on together, in an order that can not be overtaken. */
static void stop_both(const struct relay *relay)
{
	send_signal(relay, SIGSTOP, true);
	stop_here();
	send_signal(relay, SIGCONT, true);
	send_signal(relay, SIGWINCH, false);
}

static _Noreturn void report_lost(const struct relay *relay)
{
	restore_terminal();
	send_signal(relay, SIGHUP, true);
	complain("the process that ran this command ended without a status; it may have been killed", "");
	_exit(EXIT_FRONT_FAILED);
}

/* False at the connection's end. */
static bool receive(int connection, struct received *ret)
{
	struct iovec part = {.iov_base = &ret->reply, .iov_len = sizeof(ret->reply)};
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(PROTOCOL_MAX_FDS * sizeof(int))];
	} control;
	struct msghdr envelope = {.msg_iov = &part, .msg_iovlen = 1};
	envelope.msg_control = control.space;
	envelope.msg_controllen = sizeof(control.space);
	ssize_t size = recvmsg(connection, &envelope, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	struct cmsghdr *rights = size > 0 ? CMSG_FIRSTHDR(&envelope) : NULL;
	ret->fd_count = 0;
	if (rights && rights->cmsg_type == SCM_RIGHTS) {
		ret->fd_count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(ret->fds, CMSG_DATA(rights), ret->fd_count * sizeof(int));
	}
	return size == (ssize_t)sizeof(ret->reply);
}

/* Returns false when the call must run cold. */
static bool take_reply(struct relay *relay)
{
	static struct received received;
	const struct reply *reply = &received.reply;
	if (!receive(relay->connection, &received)) {
		if (relay->child < 0)
			return false;
		report_lost(relay);
	}
	switch (reply->kind) {
	case REPLY_ACCEPTED:
		relay->pid = reply->value;
		relay->child = received.fd_count ? received.fds[0] : -1;
		return true;
	case REPLY_SPAWN:
		spawn_program(received.fds, received.fd_count, &relay->call->mask);
		return true;
	case REPLY_STOP:
		stop_both(relay);
		return true;
	case REPLY_EXITED:
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		_exit(reply->value);
	case REPLY_KILLED:
		if (relay->child < 0)
			return false;
		restore_terminal();
		die_by(reply->value);
	default:
		return relay->child >= 0;
	}
}

static void take_signals(const struct relay *relay)
{
	struct signalfd_siginfo info;
	while (read(relay->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		send_signal(relay, (int)info.ssi_signo, info.ssi_code == FROM_KERNEL);
}

void relay_call(const struct call *call, int connection, int signals)
{
	struct relay relay = {.call = call, .connection = connection, .signals = signals, .child = -1};
	struct pollfd ready[] = {
		{.fd = connection, .events = POLLIN},
		{.fd = -1, .events = POLLIN},
	};
	while (poll(ready, 2, -1) > 0) {
		if (ready[1].revents)
			take_signals(&relay);
		if (ready[0].revents && !take_reply(&relay))
			return;
		/* Until the call is accepted, signals wait in their queue. */
		if (relay.child >= 0)
			ready[1].fd = signals;
	}
}
