#include "path.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "sys.h"
#include "text.h"

int root_open(int root, const char *path, uint64_t flags) {
        struct openat2_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_ROOTED | RESOLVE_NO_MAGIC};

        for (int attempt = 0;; attempt++) {
                int fd = sys_openat2(root, *path ? path : "/", &how);
                /* EAGAIN: a rename or mount elsewhere got in the way of "..", openat2(2). */
                if (fd >= 0 || errno != EAGAIN || attempt == 64)
                        return fd;
        }
}

static int copy_path(const char *path, char buffer[PATH_BYTES_MAX]) {
        size_t length = strnlen(path, PATH_BYTES_MAX);

        if (length == PATH_BYTES_MAX) {
                errno = ENAMETOOLONG;
                return -1;
        }
        memcpy(buffer, path, length + 1);
        while (length > 1 && buffer[length - 1] == '/')
                buffer[--length] = '\0';
        return 0;
}

static int open_parent(int root, char *prefix, const char **ret_name) {
        char *slash = strrchr(prefix, '/');

        *ret_name = slash ? slash + 1 : prefix;
        if (slash)
                *slash = '\0';
        int parent = root_open(root, slash ? prefix : "/", O_PATH | O_DIRECTORY);
        if (slash)
                *slash = '/';
        return parent;
}

/* `prefix` is a link to nothing: put what it names in its place, before `rest`. False where it is no link. */
static bool follow(int parent, const char *name, const char *prefix, const char *rest, char path[PATH_BYTES_MAX]) {
        char target[PATH_BYTES_MAX], whole[PATH_BYTES_MAX];
        struct text text = text_in(whole, sizeof whole);

        ssize_t length = readlinkat(parent, name, target, sizeof target);
        if (length <= 0)
                return false;
        if (target[0] != '/')
                text_add_bytes(&text, prefix, (size_t) (name - prefix));
        text_add_bytes(&text, target, (size_t) length);
        if (*rest) {
                text_add(&text, "/");
                text_add(&text, rest);
        }
        if (!text_end(&text))
                return false;
        memcpy(path, whole, (size_t) (text.at - whole));
        return true;
}

enum step { FAILED, DONE, LINK };

/* Make the directories of `path` from the root down. LINK: a link to nothing was in the way, and `path` is what it
 * means now. */
static enum step make_components(int root, char path[PATH_BYTES_MAX], mode_t mode) {
        for (char *end = path + 1; *end; end++) {
                const char *name;
                end += strcspn(end, "/");
                char kept = *end;
                *end = '\0';
                _cleanup_close_ int present = root_open(root, path, O_PATH | O_DIRECTORY);
                if (present < 0 && errno != ENOENT)
                        return FAILED;
                if (present < 0) {
                        _cleanup_close_ int parent = open_parent(root, path, &name);
                        if (parent < 0)
                                return FAILED;
                        if (mkdirat(parent, name, mode) < 0) {
                                if (errno == EEXIST && follow(parent, name, path, kept ? end + 1 : "", path))
                                        return LINK;
                                return FAILED;
                        }
                }
                *end = kept;
                if (!kept)
                        break;
        }
        return DONE;
}

/* The usual case: only the last name is missing. -1 where it is not so, and the path has to be gone through. */
static int make_last(int root, char path[PATH_BYTES_MAX], mode_t mode) {
        const char *name;

        _cleanup_close_ int parent = open_parent(root, path, &name);
        if (parent < 0 || mkdirat(parent, name, mode) < 0)
                return -1;
        return openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int root_make_directory(int root, const char *path, mode_t mode) {
        char buffer[PATH_BYTES_MAX];

        int fd = root_open(root, path, O_PATH | O_DIRECTORY);
        if (fd >= 0 || errno != ENOENT || copy_path(path, buffer) < 0)
                return fd;
        fd = make_last(root, buffer, mode);
        if (fd >= 0)
                return fd;
        enum step step = LINK;
        for (int links = 0; step == LINK && links < 40; links++)
                step = make_components(root, buffer, mode);
        if (step == LINK)
                errno = ELOOP;
        return step == DONE ? root_open(root, buffer, O_PATH | O_DIRECTORY) : -1;
}

int root_make_parent(int root, const char *path, char buffer[PATH_BYTES_MAX], const char **ret_name) {
        if (copy_path(path, buffer) < 0)
                return -1;
        char *slash = strrchr(buffer, '/');
        const char *name = slash ? slash + 1 : buffer;
        if (!*name || !strcmp(name, ".") || !strcmp(name, "..")) {
                errno = EINVAL;
                return -1;
        }
        if (slash)
                *slash = '\0';
        *ret_name = name;
        return root_make_directory(root, slash ? buffer : "/", 0755);
}

/* LINK: the last name was a link to nothing, and `path` is what it means now. */
static enum step make_file(int root, char path[PATH_BYTES_MAX], int *ret_fd) {
        char buffer[PATH_BYTES_MAX];
        const char *name;

        _cleanup_close_ int parent = root_make_parent(root, path, buffer, &name);
        if (parent < 0)
                return FAILED;
        if (mknodat(parent, name, S_IFREG | 0644, 0) == 0) {
                *ret_fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
                return *ret_fd < 0 ? FAILED : DONE;
        }
        size_t length = (size_t) (name - buffer);
        if (length)
                buffer[length - 1] = '/';
        if (errno == EEXIST && follow(parent, name, buffer, "", path))
                return LINK;
        errno = EEXIST;
        return FAILED;
}

int root_make_file(int root, const char *path) {
        char buffer[PATH_BYTES_MAX];
        enum step step = LINK;
        int fd = -1;

        if (copy_path(path, buffer) < 0)
                return -1;
        for (int links = 0; step == LINK && links < 40; links++) {
                fd = root_open(root, buffer, O_PATH);
                if (fd >= 0 || errno != ENOENT)
                        return fd;
                step = make_file(root, buffer, &fd);
        }
        if (step == LINK)
                errno = ELOOP;
        return step == DONE ? fd : -1;
}
