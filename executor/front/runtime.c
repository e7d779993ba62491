/* The directory of the keeper's socket: one that is the caller's own and that nobody else can write to. */
#include "front.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_own(const char *path)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(path, flags);
	if (fd < 0 && errno == ENOENT && mkdir(path, 0700) == 0)
		fd = open(path, flags);
	if (fd < 0)
		return -1;
	struct stat st;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 022) == 0)
		return fd;
	close(fd);
	return -1;
}

int open_runtime_dir(void)
{
	char path[PATH_MAX];
	if (geteuid() == 0) {
		int fd = open_own("/run/jubako");
		if (fd >= 0)
			return fd;
	}
	const char *base = getenv("XDG_RUNTIME_DIR");
	if (base && base[0] == '/' && snprintf(path, sizeof(path), "%s/jubako", base) < (int)sizeof(path)) {
		int fd = open_own(path);
		if (fd >= 0)
			return fd;
	}
	snprintf(path, sizeof(path), "/tmp/jubako-%u", geteuid());
	return open_own(path);
}
