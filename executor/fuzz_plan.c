/* libFuzzer target: whatever the bytes are, the decoder accepts a plan that is safe to walk, or refuses. */
#include <stdlib.h>
#include <string.h>

#include "plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile size_t sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static struct plan plan;

        /* Exactly as long as the input, so that a read past its end is seen; malloc aligns as the decoder wants. */
        char *bytes = malloc(size ? size : 1);
        if (!bytes)
                return 0;
        memcpy(bytes, data, size);
        if (plan_decode(bytes, size, &plan) == 0)
                for (size_t i = 0; i < plan.operations_count; i++) {
                        const struct operation *op = &plan.operations[i];
                        for (char **string = op->string; *string; string++)
                                sink += strlen(*string);
                        sink += op->last_length;
                }
        free(bytes);
        return 0;
}
