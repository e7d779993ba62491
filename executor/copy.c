/* tmpcopyup: what an image has where a tmpfs is mounted goes along into the tmpfs. All by descriptor, no link followed. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "init.h"
#include "path.h"
#include "sys.h"

enum { DEPTH_MAX = 64, PIECE = 1 << 30 };

static int copy_directory(int from, int to, unsigned depth);

/* What the image has may be somebody's to change meanwhile: a device or a FIFO in the file's place would have no end. */
static int open_file(int from, const char *name) {
        struct stat status;

        _cleanup_close_ int fd = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0)
                return -1;
        if (!S_ISREG(status.st_mode)) {
                errno = EBUSY;
                return -1;
        }
        return take_fd(&fd);
}

static int copy_file(int from, int to, const char *name) {
        _cleanup_close_ int source = open_file(from, name);
        _cleanup_close_ int target =
                source < 0 ? -1 : openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (target < 0)
                return -1;
        for (;;) {
                ssize_t n = sendfile(target, source, NULL, PIECE);
                if (n <= 0)
                        return (int) n;
        }
}

static int copy_link(int from, int to, const char *name) {
        char target[PATH_BYTES_MAX];

        ssize_t length = readlinkat(from, name, target, sizeof target - 1);
        if (length < 0)
                return -1;
        target[length] = '\0';
        return symlinkat(target, to, name);
}

static int copy_below(int from, int to, const char *name, unsigned depth) {
        const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

        if (mkdirat(to, name, 0700) < 0)
                return -1;
        _cleanup_close_ int source = openat(from, name, flags), target = openat(to, name, flags);
        return source < 0 || target < 0 ? -1 : copy_directory(source, target, depth + 1);
}

static int copy_entry(int from, int to, const char *name, unsigned depth) {
        struct stat status;

        if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                return -1;
        int r = S_ISDIR(status.st_mode)   ? copy_below(from, to, name, depth)
                : S_ISREG(status.st_mode) ? copy_file(from, to, name)
                : S_ISLNK(status.st_mode) ? copy_link(from, to, name)
                                          : mknodat(to, name, status.st_mode & (S_IFMT | 0600), status.st_rdev);
        if (r < 0 || fchownat(to, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return -1;
        if (!S_ISLNK(status.st_mode) && fchmodat(to, name, status.st_mode & 07777, 0) < 0)
                return -1;
        const struct timespec times[] = {status.st_atim, status.st_mtim};
        return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

static bool is_dots(const char *name) {
        return !strcmp(name, ".") || !strcmp(name, "..");
}

static int copy_directory(int from, int to, unsigned depth) {
        _Alignas(struct dirent64) char buffer[4096];

        if (depth == DEPTH_MAX) {
                errno = ELOOP;
                return -1;
        }
        for (;;) {
                long n = syscall(SYS_getdents64, from, buffer, sizeof buffer);
                if (n <= 0)
                        return (int) n;
                for (long at = 0; at < n;) {
                        const struct dirent64 *entry = (const void *) (buffer + at);
                        at += entry->d_reclen;
                        if (!is_dots(entry->d_name) && copy_entry(from, to, entry->d_name, depth) < 0)
                                return -1;
                }
        }
}

int copy_content(int target, int tree) {
        _cleanup_close_ int from = openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return from < 0 ? -1 : copy_directory(from, tree, 0);
}
