/* Filesystems by fsopen(2): made and configured, attached nowhere yet. */
#include <string.h>

#include "init.h"
#include "sys.h"

/* "e overlay: …", one message per read. fsopen(2). */
void keep_log(struct init *init, int context) {
        int saved = errno;
        char text[sizeof init->detail];
        for (;;) {
                ssize_t n = read(context, text, sizeof text - 1);
                if (n <= 0)
                        break;
                text[n] = '\0';
                text[strcspn(text, "\n")] = '\0';
                memcpy(init->detail, text, sizeof text);
        }
        errno = saved;
}

int configure_option(int context, char *option) {
        char *equals = strchr(option, '=');
        char key[64];

        if (!equals)
                return sys_fsconfig(context, FS_SET_FLAG, option, NULL);
        size_t length = (size_t) (equals - option);
        if (length >= sizeof key) {
                errno = EINVAL;
                return -1;
        }
        memcpy(key, option, length);
        key[length] = '\0';
        return sys_fsconfig(context, FS_SET_STRING, key, equals + 1);
}

int make_filesystem(struct init *init, const char *type, const char *source, char *const options[],
                    unsigned attributes) {
        _cleanup_close_ int context = sys_fsopen(type);
        if (context < 0)
                return -1;
        int r = sys_fsconfig(context, FS_SET_STRING, "source", source);
        for (char *const *option = options; *option && r == 0; option++) {
                init->path = *option;
                r = configure_option(context, *option);
        }
        if (r == 0) {
                init->path = type;
                r = sys_fsconfig(context, FS_CREATE, NULL, NULL);
        }
        if (r < 0) {
                keep_log(init, context);
                return -1;
        }
        return sys_fsmount(context, attributes);
}
