/* What the makers of the first process share, spawn.c and first.c. */
#pragma once
#include "monitor.h"

struct spawn {
        struct monitor *m;
        const struct operation *clone, *id_map, *channel;
        int gate[2]; /* packet socket: monitor's end, first process's end */
        const struct operation *late_cgroup; /* of v2, to be entered by the child */
        int64_t joined;
        bool deputy;
};

/* Enter the namespaces of the plan that are of the types `only` but not `without`. */
int each_join(const struct plan *plan, int64_t only, int64_t without);

/* This is the first process, or its deputy, just made. */
_Noreturn void first_process(struct spawn *s);
