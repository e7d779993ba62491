/* Which descriptors the first process still has. They are the host's, and whoever is in its pid namespace with
 * CAP_SYS_PTRACE opens them through /proc/<pid>/fd (CVE-2016-9962): so none waits open for a start that may be far away. */
#include "init.h"
#include "sys.h"

enum { KEPT_MAX = 8, FIRST_FREE = 3 };

int place_stdio(struct init *init) {
        for (int i = 0; i < FIRST_FREE; i++) {
                if (init->stdio[i] < 0)
                        continue;
                if (dup2(init->stdio[i], i) < 0)
                        return -1;
                init->stdio[i] = i;
        }
        return 0;
}

unsigned first_closed(const struct plan *plan) {
        return FIRST_FREE + (unsigned) plan->operations[plan->operations_count - 1].integers[0];
}

int close_all_but(unsigned first, int *kept, size_t count) {
        for (size_t i = 1; i < count; i++)
                for (size_t j = i; j > 0 && kept[j - 1] > kept[j]; j--) {
                        int lower = kept[j];
                        kept[j] = kept[j - 1];
                        kept[j - 1] = lower;
                }
        for (size_t i = 0; i < count; i++) {
                if (kept[i] < (int) first)
                        continue;
                if (kept[i] > (int) first && sys_close_range(first, (unsigned) kept[i] - 1, 0) < 0)
                        return -1;
                first = (unsigned) kept[i] + 1;
        }
        return sys_close_range(first, ~0U, 0);
}

static int keep(int *kept, size_t *count, int fd) {
        for (size_t i = 0; i < *count; i++)
                if (kept[i] == fd)
                        return 0;
        if (*count == KEPT_MAX) {
                errno = EMFILE;
                return -1;
        }
        kept[(*count)++] = fd;
        return 0;
}

int close_before_wait(struct init *init) {
        const struct plan *plan = init->plan;
        int kept[KEPT_MAX] = {init->channel, init->listener, init->monitor};
        size_t count = 3;

        for (size_t i = 0; i < plan->operations_count; i++) {
                const struct operation *op = &plan->operations[i];
                if (op->code == OP_HOOK && keep(kept, &count, (int) op->integers[1]) < 0)
                        return -1;
                if (op->code == OP_AGENT && keep(kept, &count, (int) op->integers[0]) < 0)
                        return -1;
        }
        init->root = init->proc = init->null_device = init->empty = -1;
        return place_stdio(init) < 0 ? -1 : close_all_but(first_closed(plan), kept, count);
}
