/* The plan: what Python hands over, decoded and checked before anything is done.
 *
 * Wire:   header, then operations back to back; native byte order, every operation a multiple of 8 bytes long.
 *         header      u32 magic, u16 version, u16 zero, u32 size of all, u32 number of operations
 *         operation   u32 size, u16 code, u16 strings, i64 integers[], then per string: u32 length, bytes, NUL
 * Owner:  the bytes stay where they are (a read-only mapping); `struct plan` points into them.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum constant {
#define CONSTANT(name, number) name = (number),
#include "operations.h"
};

enum operation_code {
#define OPERATION(name, number, who, integers, strings, more) OP_##name = (number),
#include "operations.h"
};

struct operation {
        uint16_t code;
        uint16_t strings;
        uint32_t last_length; /* bytes of the last string: what a BLOB needs */
        const int64_t *integers;
        char **string; /* NULL after the last */
};

struct plan {
        size_t operations_count;
        size_t strings_count;
        struct operation operations[PLAN_OPERATIONS_MAX];
        char *strings[PLAN_STRINGS_MAX];
};

/* 0, or -1 with errno EBADMSG, E2BIG or EPROTO (another version); `*ret` is usable only after 0. `bytes` must be
 * aligned to 8 and outlive the plan. */
int plan_decode(const void *bytes, size_t size, struct plan *ret);

/* The first operation with `code`, or NULL. */
const struct operation *plan_find(const struct plan *plan, enum operation_code code);
