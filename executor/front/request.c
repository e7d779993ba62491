/* Handing a call to the keeper: arguments, environment, directory and open files, in one message. */
#include "front.h"
#include "protocol.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_FDS (PROTOCOL_MAX_FDS + 1)
#define PATIENCE_S 2

struct message {
	struct request header;
	int32_t targets[PROTOCOL_MAX_FDS];
	int fds[MAX_FDS];
	const char *strings;
	size_t strings_size;
};

static bool greeted(int connection)
{
	struct reply hello;
	return recv(connection, &hello, sizeof(hello), MSG_WAITALL) == (ssize_t)sizeof(hello) && hello.kind == REPLY_HELLO;
}

/* A keeper that does not answer is as good as none: the timeouts hold for connect and the greeting. */
static void limit_patience(int connection, time_t seconds)
{
	const struct timeval patience = {.tv_sec = seconds};
	setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

int dial_keeper(int runtime_dir, const char *keeper)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	/* Through the fd that was checked; this also keeps a long path within sun_path. */
	int length = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s.sock", runtime_dir, keeper);
	if (length >= (int)sizeof(address.sun_path))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	limit_patience(fd, PATIENCE_S);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && is_own_keeper(fd) && greeted(fd)) {
		limit_patience(fd, 0);
		return fd;
	}
	close(fd);
	return -1;
}

static uint64_t mask_bits(const sigset_t *mask)
{
	uint64_t bits = 0;
	for (int number = 1; number <= 64; number++)
		if (sigismember(mask, number) == 1)
			bits |= UINT64_C(1) << (number - 1);
	return bits;
}

/* The kernel lays argv and envp out as one run of strings, so they can be sent as they lie; false if they are not. */
static bool take_strings(const struct call *call, struct message *message)
{
	char *const *lists[] = {call->argv, call->envp};
	const char *end = call->argv[0];
	uint32_t counts[] = {0, 0};
	for (int i = 0; i < 2; i++)
		for (char *const *item = lists[i]; *item; item++, counts[i]++) {
			if (*item != end)
				return false;
			end = *item + strlen(*item) + 1;
		}
	message->strings = call->argv[0];
	message->strings_size = (size_t)(end - call->argv[0]);
	message->header.argc = counts[0];
	message->header.envc = counts[1];
	return message->strings_size < UINT32_MAX / 2;
}

static bool take_fds(const struct call *call, int cwd, struct message *message)
{
	size_t count = 3 + call->fd_count;
	if (count > PROTOCOL_MAX_FDS)
		return false;
	message->fds[0] = cwd;
	for (size_t i = 0; i < count; i++) {
		message->targets[i] = i < 3 ? (int32_t)i : call->fds[i - 3];
		message->fds[i + 1] = message->targets[i];
	}
	message->header.fd_count = (uint32_t)count;
	return true;
}

static bool send_rest(int connection, struct iovec *parts, size_t count, size_t sent)
{
	for (size_t i = 0; i < count; i++) {
		size_t skipped = sent < parts[i].iov_len ? sent : parts[i].iov_len;
		sent -= skipped;
		const char *data = (const char *)parts[i].iov_base + skipped;
		for (size_t left = parts[i].iov_len - skipped; left > 0;) {
			ssize_t done = send(connection, data, left, MSG_NOSIGNAL);
			if (done < 0)
				return false;
			data += done;
			left -= (size_t)done;
		}
	}
	return true;
}

static bool send_message(int connection, struct message *message)
{
	size_t targets_size = message->header.fd_count * sizeof(int32_t);
	size_t fds_size = (message->header.fd_count + 1) * sizeof(int);
	struct iovec parts[] = {
		{.iov_base = &message->header, .iov_len = sizeof(message->header)},
		{.iov_base = message->targets, .iov_len = targets_size},
		{.iov_base = (char *)message->strings, .iov_len = message->strings_size},
	};
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control = {0};
	struct msghdr envelope = {.msg_iov = parts, .msg_iovlen = 3};
	envelope.msg_control = control.space;
	envelope.msg_controllen = (socklen_t)CMSG_SPACE(fds_size);
	struct cmsghdr *rights = CMSG_FIRSTHDR(&envelope);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = (socklen_t)CMSG_LEN(fds_size);
	memcpy(CMSG_DATA(rights), message->fds, fds_size);
	message->header.size = (uint32_t)(targets_size + message->strings_size);
	ssize_t sent = sendmsg(connection, &envelope, MSG_NOSIGNAL);
	return sent > 0 && send_rest(connection, parts, 3, (size_t)sent);
}

bool send_call(const struct call *call, int connection, uint64_t traits)
{
	static struct message message;
	int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cwd < 0)
		return false;
	message.header.magic = PROTOCOL_MAGIC;
	message.header.blocked = mask_bits(&call->mask);
	message.header.traits = traits;
	bool sent = take_strings(call, &message) && take_fds(call, cwd, &message) && send_message(connection, &message);
	close(cwd);
	return sent;
}
