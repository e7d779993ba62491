/* What travels between the creator (Python), the monitor and the first process. PROTOCOL.md draws it. */
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "plan.h"

struct message {
        uint32_t type, value;
};

struct exited {
        uint32_t type, code, signal, oom;
        int64_t started_ns, finished_ns;
};

/* A command to be performed from time to time, as the plan in the first of `fds` descriptors has it. `numbers` are what that
 * plan calls them; `control`, `channel` and `output` those that are made each time. Failures and successes in a row make
 * it unhealthy and healthy. With `after` (or -1) it rests until that probe is healthy. */
struct probe_request {
        uint32_t type, fds;
        int64_t delay_ns, interval_ns, timeout_ns, start_period_ns, start_interval_ns;
        int32_t failures, successes, after, control, channel, output;
        int32_t numbers[PROBE_FDS_MAX];
};

/* Followed on the wire by `path_length` bytes of path and `detail_length` of what the kernel said (fsopen's log). */
struct failed {
        uint32_t type, stage, operation, index;
        int32_t error;
        uint16_t path_length, detail_length;
        char text[1000];
};

/* Send one message, with up to one fd (-1: none). 0, or -1 with errno. */
int message_send(int socket, uint32_t type, uint32_t value, int fd);

/* Wait for a message; returns its type, 0 when the peer is gone, -1 with errno. */
int message_receive(int socket);

/* Report a failure; `path` and `detail` may be NULL. Never fails: a creator that is gone is told nothing. */
void failure_send(int socket, uint32_t stage, uint32_t operation, uint32_t index, int error, const char *path,
                  const char *detail);

/* Send all parts as one, with up to one fd (-1: none); how many bytes, or -1 with errno. */
ssize_t parts_send(int socket, struct iovec *parts, size_t count, int fd);

/* Send `fd` with one byte over a stream or packet socket. */
int fd_send(int socket, int fd);
/* Take one message without waiting; how many bytes, or -1 with errno. `ret_fd`: what came with it, close-on-exec, or -1. */
ssize_t receive_with_fd(int socket, void *bytes, size_t size, int *ret_fd);
