/* Root filesystems of overlayfs: the layers one by one where the kernel takes them so (6.8), else joined.
 *
 * fsconfig(2) takes strings of up to 255 bytes, a layer's path may be longer and many layers joined are. So layers are
 * opened, and named by the numbers of their fds, relative to /proc/self/fd as working directory: three bytes each.
 */
#include <fcntl.h>
#include <string.h>

#include "init.h"
#include "sys.h"
#include "text.h"

enum { VALUE_MAX = 255 };

static const char *value_of(const char *option, const char *key) {
        size_t length = strlen(key);
        return !strncmp(option, key, length) && option[length] == '=' ? option + length + 1 : NULL;
}

static bool is_layer(const char *option, const char **ret_path) {
        static const char *const keys[] = {"lowerdir+", "upperdir", "workdir"};

        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
                if ((*ret_path = value_of(option, keys[i])))
                        return true;
        return false;
}

bool overlay_needs_fds(char *const options[]) {
        const char *path;

        for (; *options; options++)
                if (is_layer(*options, &path) && strlen(path) > VALUE_MAX)
                        return true;
        return false;
}

/* Open a layer and append its number to `text`, after a colon when it is not the first. The fds stay open until exec. */
static int add_layer(struct init *init, struct text *text, const char *path, bool first) {
        init->path = path;
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -1;
        if (!first)
                text_add(text, ":");
        text_add_number(text, fd);
        return 0;
}

static int configure_single(struct init *init, int context, const char *key, const char *path) {
        char number[16];
        struct text text = text_in(number, sizeof number);

        if (add_layer(init, &text, path, true) < 0 || !text_end(&text))
                return -1;
        return sys_fsconfig(context, FS_SET_STRING, key, number);
}

/* All lower layers in one value. Beyond 255 bytes (some 80 layers) an old kernel has no way. */
static int configure_lower(struct init *init, int context, char *const options[]) {
        char joined[VALUE_MAX + 1];
        struct text text = text_in(joined, sizeof joined);
        bool first = true;

        for (; *options; options++) {
                const char *path = value_of(*options, "lowerdir+");
                if (path && add_layer(init, &text, path, first) < 0)
                        return -1;
                first = first && !path;
        }
        if (!text_end(&text)) {
                errno = E2BIG;
                return -1;
        }
        return first ? 0 : sys_fsconfig(context, FS_SET_STRING, "lowerdir", joined);
}

static int configure_all(struct init *init, int context, char *const options[]) {
        if (configure_lower(init, context, options) < 0)
                return -1;
        for (; *options; options++) {
                const char *path;
                int r;
                if (value_of(*options, "lowerdir+"))
                        continue;
                init->path = *options;
                if ((path = value_of(*options, "upperdir")))
                        r = configure_single(init, context, "upperdir", path);
                else if ((path = value_of(*options, "workdir")))
                        r = configure_single(init, context, "workdir", path);
                else
                        r = configure_option(context, *options);
                if (r < 0)
                        return -1;
        }
        init->path = "overlay";
        return sys_fsconfig(context, FS_CREATE, NULL, NULL);
}

int overlay_by_fds(struct init *init, char *const options[], unsigned attributes) {
        _cleanup_close_ int context = sys_fsopen("overlay");
        _cleanup_close_ int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (context < 0 || before < 0 || chdir("/proc/self/fd") < 0)
                return -1;
        sys_fsconfig(context, FS_SET_STRING, "source", "overlay");
        int r = configure_all(init, context, options);
        if (r < 0)
                keep_log(init, context);
        if (fchdir(before) < 0 || r < 0)
                return -1;
        return sys_fsmount(context, attributes);
}
