#include "plan.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum who { MONITOR, INIT };
enum more { NONE, LIST, BLOB };

struct shape {
        uint16_t code;
        uint8_t who, integers, strings, more;
};

static const struct shape shapes[] = {
#define OPERATION(name, number, who, integers, strings, more) {(number), (who), (integers), (strings), (more)},
#include "operations.h"
};

struct header {
        uint32_t magic;
        uint16_t version, zero;
        uint32_t size, operations;
};

struct prefix {
        uint32_t size;
        uint16_t code, strings;
};

static int refuse(int error) {
        errno = error;
        return -1;
}

static const struct shape *shape_of(uint16_t code) {
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
                if (shapes[i].code == code)
                        return &shapes[i];
        return NULL;
}

/* One string: length, bytes, NUL. A NUL within is refused unless `blob`. */
static int decode_string(const char **at, const char *end, bool blob, char **ret_string, uint32_t *ret_length) {
        uint32_t length;

        if ((size_t) (end - *at) < sizeof length)
                return refuse(EBADMSG);
        memcpy(&length, *at, sizeof length);
        const char *text = *at + sizeof length;
        if (length >= (size_t) (end - text) || text[length] != '\0')
                return refuse(EBADMSG);
        if (!blob && memchr(text, '\0', length))
                return refuse(EBADMSG);
        *at = text + length + 1;
        *ret_string = (char *) (uintptr_t) text; /* execve(2) wants char *const[]; the mapping is read-only */
        *ret_length = length;
        return 0;
}

static int decode_strings(const char *at, const char *end, const struct shape *shape, struct plan *plan,
                          struct operation *ret) {
        uint32_t length = 0;

        if (plan->strings_count + ret->strings + 1 > PLAN_STRINGS_MAX)
                return refuse(E2BIG);
        ret->string = plan->strings + plan->strings_count;
        for (size_t i = 0; i < ret->strings; i++) {
                bool blob = shape->more == BLOB && i + 1u == ret->strings;
                if (decode_string(&at, end, blob, &ret->string[i], &length) < 0)
                        return -1;
        }
        if (end - at >= 8) /* nothing but padding may follow */
                return refuse(EBADMSG);
        ret->last_length = length;
        ret->string[ret->strings] = NULL;
        plan->strings_count += ret->strings + 1u;
        return 0;
}

static int decode_operation(const char *at, size_t left, struct plan *plan, struct operation *ret, size_t *ret_size,
                            enum who *ret_who) {
        struct prefix prefix;

        if (left < sizeof prefix)
                return refuse(EBADMSG);
        memcpy(&prefix, at, sizeof prefix);
        if (prefix.size < sizeof prefix || prefix.size > left || prefix.size % 8)
                return refuse(EBADMSG);
        const struct shape *shape = shape_of(prefix.code);
        if (!shape || prefix.strings < shape->strings)
                return refuse(EBADMSG);
        if (shape->more != LIST && prefix.strings != shape->strings)
                return refuse(EBADMSG);
        size_t integers = shape->integers * sizeof(int64_t);
        if (prefix.size - sizeof prefix < integers)
                return refuse(EBADMSG);
        ret->code = prefix.code;
        ret->strings = prefix.strings;
        ret->integers = (const int64_t *) (const void *) (at + sizeof prefix);
        *ret_size = prefix.size;
        *ret_who = shape->who;
        return decode_strings(at + sizeof prefix + integers, at + prefix.size, shape, plan, ret);
}

static int decode_all(const char *at, const char *end, size_t count, struct plan *plan) {
        enum who before = MONITOR;

        for (size_t i = 0; i < count; i++) {
                size_t size;
                enum who who;
                if (decode_operation(at, (size_t) (end - at), plan, &plan->operations[i], &size, &who) < 0)
                        return -1;
                if (who < before)
                        return refuse(EBADMSG);
                before = who;
                at += size;
        }
        return at == end ? 0 : refuse(EBADMSG);
}

int plan_decode(const void *bytes, size_t size, struct plan *ret) {
        struct header header;

        if (size < sizeof header || size > PLAN_BYTES_MAX || (uintptr_t) bytes % 8)
                return refuse(EBADMSG);
        memcpy(&header, bytes, sizeof header);
        if (header.magic != PLAN_MAGIC || header.version != PLAN_VERSION)
                return refuse(EPROTO);
        if (header.size != size || header.operations == 0)
                return refuse(EBADMSG);
        if (header.operations > PLAN_OPERATIONS_MAX)
                return refuse(E2BIG);
        const char *at = bytes;
        ret->strings_count = 0;
        ret->operations_count = header.operations;
        if (decode_all(at + sizeof header, at + size, header.operations, ret) < 0)
                return -1;
        /* What the rest relies upon: somewhere to report to and to write, a process to make, a program to run at the end. */
        if (!plan_find(ret, OP_INIT_CHANNEL) || !plan_find(ret, OP_CLONE) || !plan_find(ret, OP_RUN_DIR))
                return refuse(EBADMSG);
        if (ret->operations[ret->operations_count - 1].code != OP_EXECUTE)
                return refuse(EBADMSG);
        return 0;
}

const struct operation *plan_find(const struct plan *plan, enum operation_code code) {
        for (size_t i = 0; i < plan->operations_count; i++)
                if (plan->operations[i].code == code)
                        return &plan->operations[i];
        return NULL;
}
