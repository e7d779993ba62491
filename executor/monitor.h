/* The monitor: makes the first process, then stays beside it: streams, log, clients, exit status.
 *
 * One thread, one epoll loop, nothing allocated but a client's queue. A full pipe of the creator's own connection
 * holds the container back, as a pipe would; no other client ever does (it is dropped when its queue is full).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "plan.h"
#include "protocol.h"

enum {
        CLIENTS_MAX = 32,
        READ_BYTES = FRAME_BYTES_MAX - 1,
        QUEUE_BYTES = 1 << 20,
        LINE_BYTES = 16384,
        LOG_BUFFER_BYTES = 32768,
        PROBE_FDS_MIN = 2, /* its plan, its directory */
        PROBE_RESULTS = 5,
        PROBE_OUTPUT_BYTES = 4096,
};

/* Frames that a client has not taken yet: u32 length, bytes, and so on, from `head` to `tail`. */
struct client {
        int fd;
        bool primary; /* the creator's own connection */
        char *queue;
        uint32_t head, tail;
};

struct line {
        uint32_t length;
        char bytes[LINE_BYTES];
};

struct log {
        int fd;
        const char *path;
        int64_t size, size_max, files_max, format;
        struct line lines[2]; /* stdout, stderr: what has come of a line so far */
        uint32_t pending;
        char buffer[LOG_BUFFER_BYTES];
};

struct source {
        int fd;
        char frame_type;
};

struct probe_result {
        int64_t start_ns, end_ns;
        int32_t code; /* -1: it could not be performed, or took too long */
        bool late;
        uint32_t length;
        char output[PROBE_OUTPUT_BYTES];
};

enum health { STARTING, HEALTHY, UNHEALTHY };

struct probe {
        struct probe_request asked;
        int fds[PROBE_FDS_MAX];
        int timer, control, channel, output;
        pid_t pid; /* of the one that performs it, until it is reaped */
        bool late, held; /* `held`: killed by somebody, perhaps by the container's end */
        int status, failures, successes;
        uint64_t results_count;
        struct probe_result results[PROBE_RESULTS];
};

struct monitor {
        const struct plan *plan;
        int control, run_dir, lock, epoll, signals, listener;
        int init;  /* the packet socket to the first process; its end says that exec has worked */
        int pidfd, out_of_memory;
        pid_t pid;
        bool deputy; /* `pid` is a deputy's, spawn.c */
        struct source sources[2];
        int child_stdio[3]; /* the child's ends, until it is made */
        int input;          /* stdin's pipe or the terminal's master, or -1 */
        int terminal;       /* the master, or -1 */
        bool stdin_once, start_failed, exited, control_gone, acknowledged;
        int64_t started_ns, finished_ns;
        uint32_t exit_code, exit_signal, killed_by_oom;
        uint64_t pid_start; /* the first process's start time in ticks: with the pid, a name that is never used again */

        struct client clients[CLIENTS_MAX];
        bool held_back;         /* the primary client has not taken `frame` yet: sources rest */
        uint32_t frame_length;
        char frame[FRAME_BYTES_MAX];
        uint32_t input_at, input_length; /* stdin that the container has not taken yet: clients rest */
        char input_bytes[FRAME_BYTES_MAX];
        struct log log;
        struct probe probes[PROBES_MAX];
        uint32_t probes_count;
};

int64_t now_ns(void);

/* spawn.c: make the first process, joining and making namespaces. Fills pid, pidfd; tells the creator. */
int spawn(struct monitor *m, uint16_t *ret_operation);

/* monitor.c */
int monitor_open(struct monitor *m, uint16_t *ret_operation);
/* Until the container has ended and everybody knows; then the process may end. */
void monitor_run(struct monitor *m);

enum event {
        EVENT_CONTROL,
        EVENT_INIT,
        EVENT_PIDFD,
        EVENT_SIGNAL,
        EVENT_LISTENER,
        EVENT_INPUT,
        EVENT_SOURCE,
        EVENT_CLIENT,
        EVENT_PROBE_TIMER,
        EVENT_PROBE_CONTROL,
        EVENT_PROBE_OUTPUT,
};
int watch(struct monitor *m, int fd, uint32_t events, enum event event, uint32_t index);
void watch_again(struct monitor *m, int fd, uint32_t events, enum event event, uint32_t index);
void unwatch(struct monitor *m, int fd);

/* control.c: what the creator says. */
void on_control(struct monitor *m);
void on_init(struct monitor *m);

/* Where nobody stays as monitor: when the deputy has made the first process, tell the creator its pid. */
void pass_on_first(const struct monitor *m);
void signal_container(struct monitor *m, int number);
void resize_terminal(struct monitor *m, unsigned height, unsigned width);

/* stream.c: the container's streams; while the primary client holds them back nothing is read of them. */
int streams_open(struct monitor *m);
void streams_watch(struct monitor *m);
void hold_sources(struct monitor *m);
void release_sources(struct monitor *m);

/* input.c: from clients to the container. */
void on_input(struct monitor *m);
void close_input(struct monitor *m);
void take_input(struct monitor *m, const char *bytes, uint32_t length);

/* queue.c: frames on their way to one client. */
int send_frame(int fd, const char *frame, uint32_t length); /* 1 sent, 0 full, -1 gone */
/* False when the queue has no room left, or there is no memory for one. */
bool enqueue(struct client *client, const char *frame, uint32_t length);
/* Send what waits; false when the client is gone. */
bool flush_queue(struct client *client);
void drop_queue(struct client *client);

/* output.c: from the container to log and clients. */
void on_source(struct monitor *m, uint32_t index);
/* After the end: all that is left in the pipes. */
void drain(struct monitor *m);

/* client.c */
void client_add(struct monitor *m, int fd, bool primary);
void client_drop(struct monitor *m, struct client *client);
void on_listener(struct monitor *m);
void on_client(struct monitor *m, uint32_t index, uint32_t events);
/* Hand `frame` to every client; false when the primary can not take it now. */
bool broadcast(struct monitor *m, const char *frame, uint32_t length);
/* The container has ended: what its creator was too slow for waits in a queue from now on. */
void queue_held(struct monitor *m);
bool clients_waiting(const struct monitor *m);
int listen_for_clients(struct monitor *m);

/* log.c */
int log_open(struct log *log, const struct operation *op);
void log_write(struct log *log, int stream, const char *bytes, size_t length);
void log_end(struct log *log);
void log_flush(struct log *log);

/* probe.c */
void probe_add(struct monitor *m, const struct probe_request *request, const int *fds, size_t count);
void on_probe_timer(struct monitor *m, uint32_t index);
void on_probe_control(struct monitor *m, uint32_t index);
void on_probe_output(struct monitor *m, uint32_t index, uint32_t events);
void probes_end(struct monitor *m);

/* perform.c: start a probe's command. START is said before it is there to hear it; the plan's WAIT finds it. */
bool probe_begin(struct monitor *m, struct probe *p, uint32_t index);

/* health.c: the file `health`, output in hexadecimal digits since it may be anything; and the command that is told. */
void health_record(const struct probe *p);
/* The command's parent is nobody of ours, so that nobody need wait for it. */
void give_notice(const struct monitor *m);

/* reap.c: process 1 of a pod, and of a container with --init. */
int reap(void);
int supervise(char *const command[]);

/* record.c: files in the run directory, each written whole and renamed into place. */
int record_lock(struct monitor *m);
void record_state(struct monitor *m);
void record_exit(struct monitor *m);
/* A number of /proc/<pid>/stat; 0 where there is none. */
enum { PROCESS_FLAGS = 9, PROCESS_START = 22 };
uint64_t process_field(pid_t pid, int wanted);
void record_whole(int dir, const char *name, const char *temporary, const char *bytes, size_t length);
