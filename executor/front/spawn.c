/* For jubako-oci: starting the executor as a child of this process, as a call's process ordered it.
 *
 * A container must descend from the caller of its runtime and inherit what the caller has: groups, limits, session,
 * labels. So the call's process, a child of the keeper, makes the plan and the channels, and the executor starts here.
 */
#include "front.h"
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* What the fds of an order are, before one for each target. */
enum { ANSWER, TEXT, PROGRAM, FIRST_TARGET };

struct order {
	struct spawn header;
	const int32_t *targets;
	char **argv;
	char **envp;
	int *fds;
};

/* The whole of a small file in memory, with a NUL after it. */
static char *read_text(int fd, size_t *ret_size)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof(struct spawn) || st.st_size > INT32_MAX)
		return NULL;
	size_t size = (size_t)st.st_size;
	char *text = calloc(size + 1, 1);
	if (!text || pread(fd, text, size, 0) != (ssize_t)size)
		return NULL;
	*ret_size = size;
	return text;
}

/* Point at `count` strings from `text` on; returns what follows them, NULL where they do not end before `end`. */
static char *take_list(char **list, uint32_t count, char *text, const char *end)
{
	for (uint32_t i = 0; i < count && text; i++) {
		list[i] = text;
		text = memchr(text, '\0', (size_t)(end - text));
		if (text)
			text++;
	}
	return text;
}

static bool take_order(struct order *order, char *text, size_t size, size_t fd_count)
{
	struct spawn *header = &order->header;
	memcpy(header, text, sizeof(*header));
	if (header->fd_count + FIRST_TARGET != fd_count || header->argc > size || header->envc > size)
		return false;
	char *strings = text + sizeof(*header) + header->fd_count * sizeof(int32_t);
	order->targets = (const int32_t *)(const void *)(text + sizeof(*header));
	order->argv = calloc((size_t)header->argc + header->envc + 2, sizeof(char *));
	if (!order->argv || strings > text + size)
		return false;
	order->envp = order->argv + header->argc + 1;
	strings = take_list(order->argv, header->argc, strings, text + size);
	return strings && take_list(order->envp, header->envc, strings, text + size);
}

/* Out of the way of the numbers at which the program is to find its files. */
static bool move_above(struct order *order)
{
	int above = 3;
	for (uint32_t i = 0; i < order->header.fd_count; i++)
		if (order->targets[i] >= above)
			above = order->targets[i] + 1;
	for (uint32_t i = PROGRAM; i < FIRST_TARGET + order->header.fd_count; i++) {
		int moved = fcntl(order->fds[i], F_DUPFD_CLOEXEC, above);
		if (moved < 0)
			return false;
		close(order->fds[i]);
		order->fds[i] = moved;
	}
	return true;
}

/* With the caller's signal mask, the null device as its streams and its files at their numbers. */
static int start(const struct order *order, const sigset_t *mask, pid_t *ret_pid)
{
	char path[32];
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", order->fds[PROGRAM]);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, mask);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&files, 0, 1);
	posix_spawn_file_actions_adddup2(&files, 0, 2);
	for (uint32_t i = 0; i < order->header.fd_count; i++)
		posix_spawn_file_actions_adddup2(&files, order->fds[FIRST_TARGET + i], order->targets[i]);
	int error = posix_spawn(ret_pid, path, &files, &attributes, order->argv, order->envp);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return error;
}

static int perform(int *fds, size_t fd_count, const sigset_t *mask, pid_t *ret_pid)
{
	struct order order = {.fds = fds};
	size_t size;
	char *text = fd_count >= FIRST_TARGET ? read_text(fds[TEXT], &size) : NULL;
	int error = EBADMSG;
	if (text && take_order(&order, text, size, fd_count))
		error = move_above(&order) ? start(&order, mask, ret_pid) : errno;
	free(order.argv);
	free(text);
	return error;
}

static void send_answer(int to, struct answer answer)
{
	int pidfd = answer.error ? -1 : (int)syscall(SYS_pidfd_open, answer.pid, 0u);
	struct iovec part = {.iov_base = &answer, .iov_len = sizeof(answer)};
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr envelope = {.msg_iov = &part, .msg_iovlen = 1};
	if (pidfd >= 0) {
		envelope.msg_control = control.space;
		envelope.msg_controllen = sizeof(control.space);
		struct cmsghdr *rights = CMSG_FIRSTHDR(&envelope);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &pidfd, sizeof(pidfd));
	}
	sendmsg(to, &envelope, MSG_NOSIGNAL);
	if (pidfd >= 0)
		close(pidfd);
}

void spawn_program(int *fds, size_t fd_count, const sigset_t *mask)
{
	struct answer answer = {0};
	pid_t pid = 0;
	answer.error = perform(fds, fd_count, mask, &pid);
	answer.pid = pid;
	if (fd_count > ANSWER)
		send_answer(fds[ANSWER], answer);
	for (size_t i = 0; i < fd_count; i++)
		close(fds[i]);
}
