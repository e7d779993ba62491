#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "init.h"
#include "path.h"
#include "sys.h"

int do_propagation(struct init *init, operation_t *op) {
        init->path = "/";
        return mount(NULL, "/", NULL, (unsigned long) op->integers[0], NULL);
}

static int set_attributes(int tree, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation) {
        struct mount_attributes attributes = {.set = set, .clear = clear, .propagation = propagation};

        return set || clear || propagation ? sys_mount_setattr(tree, flags, &attributes) : 0;
}

int attach_tree(int tree, int target) {
        return sys_move_mount(tree, target, "", MOVE_FROM_FD | MOVE_TO_FD);
}

/* The new root lies over "/" until pivot_root: absolute paths still start beneath it, at the old root (path
 * lookup does not cross a mount at its starting point), so that sources can be opened by their host paths. */
static int adopt_root(struct init *init, int tree) {
        if (sys_move_mount(tree, AT_FDCWD, "/", MOVE_FROM_FD) < 0)
                return -1;
        init->root = tree;
        return 0;
}

/* "lowerdir+" is there since Linux 6.8. Before, it is refused as an unknown parameter: by 6.5 and later when it is set, by
 * older ones, where overlayfs takes one string of options, when all is there. */
static int make_overlay(struct init *init, char *const options[], unsigned attributes) {
        if (!overlay_needs_fds(options)) {
                int tree = make_filesystem(init, "overlay", "overlay", options, attributes);
                if (tree >= 0 || errno != EINVAL)
                        return tree;
        }
        init->detail[0] = '\0';
        return overlay_by_fds(init, options, attributes);
}

int do_root_filesystem(struct init *init, operation_t *op) {
        const char *type = op->string[0];
        unsigned attributes = (unsigned) op->integers[0];

        _cleanup_close_ int tree = strcmp(type, "overlay")
                                           ? make_filesystem(init, type, type, op->string + 1, attributes)
                                           : make_overlay(init, op->string + 1, attributes);
        if (tree < 0 || adopt_root(init, tree) < 0)
                return -1;
        take_fd(&tree);
        return 0;
}

/* The detached mount that the creator made, or one of `source`. */
static int detached(int64_t given, const char *source, int64_t recursive) {
        return given >= 0 ? (int) given : sys_open_tree(AT_FDCWD, source, TREE_CLONE | (recursive ? TREE_RECURSIVE : 0));
}

int do_root_bind(struct init *init, operation_t *op) {
        init->path = op->string[0];
        _cleanup_close_ int tree = detached(op->integers[2], op->string[0], op->integers[0]);
        if (tree < 0 || set_attributes(tree, 0, (uint64_t) op->integers[1], 0, 0) < 0 ||
            set_attributes(tree, TREE_RECURSIVE, 0, 0, MS_PRIVATE) < 0 || adopt_root(init, tree) < 0)
                return -1;
        take_fd(&tree);
        return 0;
}

int do_proc(struct init *init, operation_t *op) {
        char *const none[] = {NULL};

        (void) op;
        init->proc = make_filesystem(init, "proc", "proc", none, 0);
        return init->proc < 0 ? -1 : 0;
}

/* sysfs needs a network namespace that is ours, proc needs full sight of the old one, mount_too_revealing():
 * where the kernel refuses with EPERM, the host's own mount is bound instead if the plan says so. */
static int bind_host_mount(const char *target) {
        return sys_open_tree(AT_FDCWD, target, TREE_CLONE | TREE_RECURSIVE);
}

/* As with runc, a tmpfs over a directory has that one's mode unless told another; and its content, with tmpcopyup. */
static int take_over(int target, int tree, int64_t what) {
        struct stat status;

        if (what & COPY_CONTENT && copy_content(target, tree) < 0)
                return -1;
        if (!(what & COPY_MODE))
                return 0;
        _cleanup_close_ int root = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return root < 0 || fstat(target, &status) < 0 ? -1 : fchmod(root, status.st_mode & 07777);
}

/* The filesystem of `op`, detached; read-only is for later, when it has what it takes over. */
static int filesystem_of(struct init *init, operation_t *op) {
        unsigned later = op->integers[3] ? ATTRIBUTE_READONLY : 0;
        const char *type = op->string[0], *target = op->string[2];

        int tree = make_filesystem(init, type, op->string[1], op->string + 3, (unsigned) op->integers[0] & ~later);
        if (tree >= 0 || errno != EPERM || !op->integers[2])
                return tree;
        tree = bind_host_mount(target);
        if (tree >= 0 && set_attributes(tree, 0, (uint64_t) op->integers[0], 0, 0) < 0)
                close_fd(&tree);
        return tree;
}

int do_filesystem(struct init *init, operation_t *op) {
        const char *type = op->string[0], *target = op->string[2];
        uint64_t later = op->integers[3] ? (uint64_t) op->integers[0] & ATTRIBUTE_READONLY : 0;

        _cleanup_close_ int tree = filesystem_of(init, op);
        if (tree < 0)
                return -1;
        init->path = target;
        _cleanup_close_ int at = root_open(init->root, target, O_PATH | O_DIRECTORY);
        if (at >= 0 && take_over(at, tree, op->integers[3]) < 0)
                return -1;
        if (at < 0)
                at = root_make_directory(init->root, target, 0755);
        if (at < 0 || set_attributes(tree, 0, later, 0, (uint64_t) op->integers[1]) < 0 || attach_tree(tree, at) < 0)
                return -1;
        if (init->proc < 0 && !strcmp(type, "proc"))
                init->proc = take_fd(&tree);
        return 0;
}

/* A tree of the creator's has peers on the host: what is mounted in the container, beneath a part of it that is not
 * named here, must not appear there. */
static int set_propagation(int tree, uint64_t propagation) {
        if (!(propagation & MS_SHARED) && set_attributes(tree, TREE_RECURSIVE, 0, 0, MS_SLAVE) < 0)
                return -1;
        return set_attributes(tree, propagation & MS_REC ? TREE_RECURSIVE : 0, 0, 0, propagation & ~(uint64_t) MS_REC);
}

int do_bind(struct init *init, operation_t *op) {
        const char *target = op->string[1];
        const int64_t *n = op->integers;
        struct stat status;

        init->path = op->string[0];
        _cleanup_close_ int tree = detached(n[6], op->string[0], n[0]);
        if (tree < 0 || fstat(tree, &status) < 0)
                return -1;
        if (set_attributes(tree, 0, (uint64_t) n[1], (uint64_t) n[2], 0) < 0 || set_propagation(tree, (uint64_t) n[5]) < 0)
                return -1;
        if (set_attributes(tree, TREE_RECURSIVE, (uint64_t) n[3], (uint64_t) n[4], 0) < 0)
                return -1;
        init->path = target;
        _cleanup_close_ int at = S_ISDIR(status.st_mode) ? root_make_directory(init->root, target, 0755)
                                                         : root_make_file(init->root, target);
        return at < 0 ? -1 : attach_tree(tree, at);
}

/* A procfs or sysfs of the old root that is fully visible would let a user namespace mount one without our masks,
 * mount_too_revealing(). Nothing of that reaches the host: "/proc" is the old root's, see adopt_root(). */
static int hide_old(const char *path) {
        if (mount(NULL, path, NULL, MS_SLAVE | MS_REC, NULL) < 0)
                return errno == EINVAL || errno == ENOENT ? 0 : -1; /* no mount */
        if (umount2(path, MNT_DETACH) == 0)
                return 0;
        return mount("tmpfs", path, "tmpfs", MS_RDONLY, NULL);
}

/* Where "/" is the initial root (an initramfs) it can not be pivoted. The new root lies over it already; the old one is
 * beneath, and a process that may chroot can reach it: that is what was asked for. */
static int change_root(struct init *init) {
        if (hide_old("/proc") < 0 || hide_old("/sys") < 0)
                return -1;
        return fchdir(init->root) < 0 || chroot(".") < 0 ? -1 : chdir("/");
}

/* What is unmounted of a shared old root would be so on the host. "." is still the new root's own, with the old one among
 * what lies beneath: so by descriptor, and the volumes that are to be shared stay so. */
static int cut_off(int old_root) {
        return fchdir(old_root) < 0 ? -1 : mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL);
}

/* pivot_root(".", ".") stacks the old root on the new one; detaching "." takes it away. pivot_root(2). */
int do_pivot(struct init *init, operation_t *op) {
        init->path = ".";
        if (op->integers[0])
                return change_root(init);
        _cleanup_close_ int old_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (old_root < 0 || fchdir(init->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
                return -1;
        if (op->integers[1] && cut_off(old_root) < 0)
                return -1;
        return umount2(".", MNT_DETACH) < 0 ? -1 : chdir("/");
}

int do_root_readonly(struct init *init, operation_t *op) {
        (void) op;
        init->path = "/";
        return set_attributes(init->root, 0, ATTRIBUTE_READONLY, 0, 0);
}
