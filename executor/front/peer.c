/* Who listens at the keeper's socket: a process of the same user that is no more confined than this one.
 *
 * The front hands it files and environment, and runs what it orders (spawn.c). A process that the same user confined
 * (capabilities, no_new_privs, seccomp, namespaces, root, label) must not get out by listening in the keeper's place.
 */
#include "front.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

struct text {
	char bytes[4096];
};

static int open_peer(int connection, pid_t pid)
{
	int pidfd;
	socklen_t size = sizeof(pidfd);
	if (getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0)
		return pidfd;
	return (int)syscall(SYS_pidfd_open, pid, 0u);
}

static bool lives(int pidfd)
{
	struct pollfd ready = {.fd = pidfd, .events = POLLIN};
	return poll(&ready, 1, 0) == 0;
}

/* A file that the kernel lacks, or that has nothing to say (attr/current without a security module), is empty. */
static void read_file(int process, const char *name, struct text *ret_text)
{
	memset(ret_text, 0, sizeof(*ret_text));
	int fd = openat(process, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t ignored = read(fd, ret_text->bytes, sizeof(ret_text->bytes) - 1);
	(void)ignored;
	close(fd);
}

static void read_link(int process, const char *name, struct text *ret_text)
{
	memset(ret_text, 0, sizeof(*ret_text));
	ssize_t ignored = readlinkat(process, name, ret_text->bytes, sizeof(ret_text->bytes) - 1);
	(void)ignored;
}

/* The lines of both from the one that begins with `first` up to the one that begins with `end`. */
static bool same_lines(const char *mine, const char *theirs, const char *first, const char *end)
{
	const char *from[] = {strstr(mine, first), strstr(theirs, first)};
	if (!from[0] || !from[1])
		return false;
	const char *to[] = {strstr(from[0], end), strstr(from[1], end)};
	if (!to[0] || !to[1] || to[0] - from[0] != to[1] - from[1])
		return false;
	return memcmp(from[0], from[1], (size_t)(to[0] - from[0])) == 0;
}

static bool same_context(int self, int peer)
{
	static const char *const namespaces[] = {"ns/user", "ns/mnt", "ns/pid", "ns/net", "ns/ipc", "ns/uts"};
	static struct text mine, theirs;
	struct stat my_root, their_root;
	if (fstatat(self, "root/", &my_root, 0) < 0 || fstatat(peer, "root/", &their_root, 0) < 0 ||
	    my_root.st_dev != their_root.st_dev || my_root.st_ino != their_root.st_ino)
		return false;
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		read_link(self, namespaces[i], &mine);
		read_link(peer, namespaces[i], &theirs);
		if (!mine.bytes[0] || strcmp(mine.bytes, theirs.bytes) != 0)
			return false;
	}
	read_file(self, "attr/current", &mine);
	read_file(peer, "attr/current", &theirs);
	if (strcmp(mine.bytes, theirs.bytes) != 0)
		return false;
	read_file(self, "status", &mine);
	read_file(peer, "status", &theirs);
	return same_lines(mine.bytes, theirs.bytes, "\nUid:", "\nFDSize:") &&
	       same_lines(mine.bytes, theirs.bytes, "\nGroups:", "\nNStgid:") &&
	       same_lines(mine.bytes, theirs.bytes, "\nCapInh:", "\nSpeculation");
}

bool is_own_keeper(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	char path[32];
	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid())
		return false;
	int pidfd = open_peer(connection, peer.pid);
	if (pidfd < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d", (int)peer.pid);
	int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* It lives after the look, so all that was read is its own and not a later holder's of its pid. */
	bool own = process >= 0 && self >= 0 && same_context(self, process) && lives(pidfd);
	const int opened[] = {pidfd, process, self};
	for (size_t i = 0; i < sizeof(opened) / sizeof(opened[0]); i++)
		if (opened[i] >= 0)
			close(opened[i]);
	return own;
}
