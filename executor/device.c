#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>

#include "init.h"
#include "path.h"
#include "protocol.h"
#include "sys.h"

enum { DEVPTS = 0x1cd1 }; /* DEVPTS_SUPER_MAGIC, statfs(2) */

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

int do_mkdir(struct init *init, operation_t *op) {
        init->path = op->string[0];
        _cleanup_close_ int fd = root_make_directory(init->root, op->string[0], (mode_t) op->integers[0]);
        return fd < 0 ? -1 : 0;
}

int do_symlink(struct init *init, operation_t *op) {
        char buffer[PATH_BYTES_MAX];
        const char *name;

        init->path = op->string[1];
        _cleanup_close_ int parent = root_make_parent(init->root, op->string[1], buffer, &name);
        if (parent < 0)
                return -1;
        return symlinkat(op->string[0], parent, name) < 0 && errno != EEXIST ? -1 : 0;
}

int do_mknod(struct init *init, operation_t *op) {
        char buffer[PATH_BYTES_MAX];
        const int64_t *n = op->integers;
        const char *name;

        init->path = op->string[0];
        _cleanup_close_ int parent = root_make_parent(init->root, op->string[0], buffer, &name);
        if (parent < 0)
                return -1;
        /* A node that the image brought along is not what the plan asked for. */
        if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
                return -1;
        if (mknodat(parent, name, (mode_t) n[0], makedev((unsigned) n[1], (unsigned) n[2])) < 0)
                return -1;
        if (n[3] || n[4])
                return fchownat(parent, name, (uid_t) n[3], (gid_t) n[4], AT_SYMLINK_NOFOLLOW);
        return 0;
}

int open_device(const char *path, mode_t type, unsigned major, unsigned minor) {
        struct mount_attributes attributes = {.propagation = MS_PRIVATE}; /* what covers it stays in the container */
        struct stat status;

        _cleanup_close_ int tree = sys_open_tree(AT_FDCWD, path, TREE_CLONE);
        if (tree < 0 || fstat(tree, &status) < 0)
                return -1;
        if ((status.st_mode & S_IFMT) != type || status.st_rdev != makedev(major, minor)) {
                errno = ENODEV;
                return -1;
        }
        return sys_mount_setattr(tree, 0, &attributes) < 0 ? -1 : take_fd(&tree);
}

int do_bind_device(struct init *init, operation_t *op) {
        const int64_t *n = op->integers;

        init->path = op->string[0];
        _cleanup_close_ int tree = open_device(op->string[0], (mode_t) n[0], (unsigned) n[1], (unsigned) n[2]);
        if (tree < 0)
                return -1;
        init->path = op->string[1];
        _cleanup_close_ int at = root_make_file(init->root, op->string[1]);
        return at < 0 ? -1 : attach_tree(tree, at);
}

/* The peer is opened through its master, not by a path that the container might swap (CVE-2025-52565). */
static int open_terminal(struct init *init, const char *directory, int *ret_master) {
        const int unlocked = 0;
        struct statfs filesystem;

        _cleanup_close_ int dir = root_open(init->root < 0 ? AT_FDCWD : init->root, directory, O_PATH | O_DIRECTORY);
        /* In a running container anything may lie there by now; a FIFO would never open. */
        if (dir < 0 || fstatfs(dir, &filesystem) < 0)
                return -1;
        if (filesystem.f_type != DEVPTS) {
                errno = ENODEV;
                return -1;
        }
        _cleanup_close_ int master = openat(dir, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
        if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0)
                return -1;
        int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (peer >= 0)
                *ret_master = take_fd(&master);
        return peer;
}

/* Not through a link that the image put there: the terminal would cover what the link names (CVE-2025-52565). */
static int open_console(int root) {
        struct stat status;

        _cleanup_close_ int link = root_open(root, "/dev/console", O_PATH | O_NOFOLLOW);
        if (link >= 0 && fstat(link, &status) < 0)
                return -1;
        if (link >= 0 && S_ISLNK(status.st_mode)) {
                errno = ELOOP;
                return -1;
        }
        return link >= 0 ? take_fd(&link) : root_make_file(root, "/dev/console");
}

static int bind_console(struct init *init, int peer) {
        _cleanup_close_ int tree = sys_open_tree(peer, "", TREE_CLONE | TREE_EMPTY_PATH);
        if (tree < 0)
                return -1;
        _cleanup_close_ int at = open_console(init->root);
        return at < 0 ? -1 : attach_tree(tree, at);
}

static int show_plain_lines(int terminal) {
        struct termios modes;

        if (tcgetattr(terminal, &modes) < 0)
                return -1;
        modes.c_oflag &= ~(tcflag_t) ONLCR;
        return tcsetattr(terminal, TCSANOW, &modes);
}

int do_console(struct init *init, operation_t *op) {
        struct winsize size = {
                .ws_row = (unsigned short) op->integers[1],
                .ws_col = (unsigned short) op->integers[2],
        };
        _cleanup_close_ int master = -1, peer = -1;
        int socket = op->integers[0] >= 0 ? (int) op->integers[0] : init->monitor;

        init->path = op->string[0];
        peer = open_terminal(init, op->string[0], &master);
        if (peer < 0 || ((size.ws_row || size.ws_col) && ioctl(peer, TIOCSWINSZ, &size) < 0))
                return -1;
        if (op->integers[3] && show_plain_lines(peer) < 0)
                return -1;
        init->path = "/dev/console";
        if (init->root >= 0 && bind_console(init, peer) < 0)
                return -1;
        if (fd_send(socket, master) < 0)
                return -1;
        init->session = init->terminal = true;
        if (!init->deputy && (setsid() < 0 || ioctl(peer, TIOCSCTTY, 0) < 0))
                return -1;
        for (int i = 0; i < 3; i++)
                init->stdio[i] = peer;
        take_fd(&peer);
        return 0;
}
