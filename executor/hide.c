/* Parts of the root that a container must not see or not write: bound over through fds, never by path alone. */
#include <fcntl.h>
#include <sys/stat.h>

#include "init.h"
#include "path.h"
#include "sys.h"

/* One empty read-only tmpfs serves all masked directories. */
static int empty_directory(void) {
        _cleanup_close_ int context = sys_fsopen("tmpfs");

        if (context < 0 || sys_fsconfig(context, FS_SET_STRING, "mode", "0555") < 0 ||
            sys_fsconfig(context, FS_CREATE, NULL, NULL) < 0)
                return -1;
        return sys_fsmount(context, ATTRIBUTE_READONLY);
}

/* The node is the host's own: read-only, so that its mode and owner stay the host's. It is checked to be the null
 * device (CVE-2025-31133). */
static int null_device(void) {
        struct mount_attributes attributes = {.set = ATTRIBUTE_READONLY};

        _cleanup_close_ int tree = open_device("/dev/null", S_IFCHR, 1, 3);
        if (tree < 0 || sys_mount_setattr(tree, 0, &attributes) < 0)
                return -1;
        return take_fd(&tree);
}

/* The first place gets the mount itself and the next ones a clone of it: before Linux 6.15 a mount that is attached
 * nowhere cannot be cloned. */
static int cover(int at, int *mount, int (*make)(void)) {
        if (*mount >= 0) {
                _cleanup_close_ int tree = sys_open_tree(*mount, "", TREE_CLONE | TREE_EMPTY_PATH);
                return tree < 0 ? -1 : attach_tree(tree, at);
        }
        *mount = make();
        return *mount < 0 ? -1 : attach_tree(*mount, at);
}

int do_mask(struct init *init, operation_t *op) {
        struct stat status;

        init->path = op->string[0];
        _cleanup_close_ int at = root_open(init->root, op->string[0], O_PATH);
        if (at < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
        if (fstat(at, &status) < 0)
                return -1;
        return S_ISDIR(status.st_mode) ? cover(at, &init->empty, empty_directory)
                                       : cover(at, &init->null_device, null_device);
}

int do_readonly(struct init *init, operation_t *op) {
        struct mount_attributes attributes = {.set = ATTRIBUTE_READONLY};

        init->path = op->string[0];
        _cleanup_close_ int at = root_open(init->root, op->string[0], O_PATH);
        if (at < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
        _cleanup_close_ int tree = sys_open_tree(at, "", TREE_CLONE | TREE_EMPTY_PATH | TREE_RECURSIVE);
        if (tree < 0 || sys_mount_setattr(tree, TREE_RECURSIVE, &attributes) < 0)
                return -1;
        return attach_tree(tree, at);
}

int do_attributes(struct init *init, operation_t *op) {
        struct mount_attributes attributes = {.set = (uint64_t) op->integers[0], .clear = (uint64_t) op->integers[1]};

        init->path = op->string[0];
        _cleanup_close_ int at = root_open(init->root, op->string[0], O_PATH);
        return at < 0 ? -1 : sys_mount_setattr(at, op->integers[2] ? TREE_RECURSIVE : 0, &attributes);
}
