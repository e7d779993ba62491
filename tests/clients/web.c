/* A small web server that ends gracefully, and a client that asks it again and again.
 *
 *   web serve PORT                                        /slow takes 300 ms; each answer is the VERSION and the host's name
 *   web ask ADDRESS PORT PER_SECOND SECONDS close|keep    one request after the other; tells what failed, then what it counted
 *
 * The server, on SIGTERM, takes what waits to be accepted, closes its door, and lets each connection know with its next
 * answer; who asks no more is let go after two seconds.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { IDLE_MS = 2000, TICK_MS = 50, PATIENCE_MS = 5000, SLOW_MS = 300, MESSAGE_BYTES = 4096 };

static atomic_bool ending;
static atomic_int connections;

static void end(int number) {
    (void)number;
    ending = true;
}

static long now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void sleep_ms(long milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&time, &time) < 0 && errno == EINTR)
        ;
}

/* Read one message without a body into `text`; false when there is none. */
static bool read_head(int fd, char *text) {
    size_t have = 0;
    long idle_since = 0;
    while (have < MESSAGE_BYTES - 1) {
        struct pollfd one = {.fd = fd, .events = POLLIN};
        if (poll(&one, 1, TICK_MS) == 0) {
            if (ending && !idle_since)
                idle_since = now_ms();
            if (ending && now_ms() - idle_since > IDLE_MS)
                return false;
            continue;
        }
        ssize_t got = read(fd, text + have, MESSAGE_BYTES - 1 - have);
        if (got <= 0)
            return false;
        have += (size_t)got;
        text[have] = 0;
        if (strstr(text, "\r\n\r\n"))
            return true;
    }
    return false;
}

static void *answer(void *argument) {
    int fd = (int)(long)argument;
    char text[MESSAGE_BYTES], name[256], said[512], reply[1024];
    gethostname(name, sizeof name);
    for (bool last = false; !last && read_head(fd, text);) {
        if (strncmp(text, "GET /slow", 9) == 0)
            sleep_ms(SLOW_MS);
        last = ending || strstr(text, "Connection: close");
        const char *version = getenv("VERSION");
        int size = snprintf(said, sizeof said, "%s %s\n", version ? version : "-", name);
        size = snprintf(reply, sizeof reply, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n%s", size,
                        last ? "close" : "keep-alive", said);
        if (write(fd, reply, (size_t)size) != size)
            break;
    }
    shutdown(fd, SHUT_WR);
    close(fd);
    connections--;
    return NULL;
}

static void take(int door) {
    int fd;
    while ((fd = accept4(door, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        pthread_t thread;
        connections++;
        pthread_create(&thread, NULL, answer, (void *)(long)fd);
        pthread_detach(thread);
    }
}

static int serve(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(door, (struct sockaddr *)&address, sizeof address) || listen(door, 512))
        return perror("listen"), 1;
    while (!ending) {
        struct pollfd one = {.fd = door, .events = POLLIN};
        poll(&one, 1, TICK_MS);
        take(door);
    }
    take(door);
    close(door);
    for (long since = now_ms(); connections && now_ms() - since < PATIENCE_MS;)
        sleep_ms(TICK_MS);
    return 0;
}

static int open_to(const struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {PATIENCE_MS / 1000, 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        return fd;
    int failed = errno;
    close(fd);
    errno = failed;
    return -1;
}

/* Ask once; returns what failed, or NULL. `fd` stays open where the answer says so. */
static const char *ask_once(int *fd, const struct sockaddr_in *address, const char *request, char *text) {
    if (*fd < 0 && (*fd = open_to(address)) < 0)
        return "connect";
    if (send(*fd, request, strlen(request), MSG_NOSIGNAL) < 0)
        return "send";
    size_t have = 0;
    text[0] = 0;
    const char *body;
    do {
        ssize_t got = recv(*fd, text + have, MESSAGE_BYTES - 1 - have, 0);
        if (got <= 0) {
            errno = got ? errno : EPIPE;
            return "receive";
        }
        have += (size_t)got;
        text[have] = 0;
        body = strstr(text, "\r\n\r\n");
    } while (!body || !strchr(body + 4, '\n'));
    if (strncmp(text, "HTTP/1.1 200", 12) != 0)
        return "status";
    if (strstr(text, "Connection: close")) {
        close(*fd);
        *fd = -1;
    }
    memmove(text, body + 4, strlen(body + 4) + 1);
    return NULL;
}

static int ask(const char *where, int port, int rate, int seconds, bool keep) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, where, &address.sin_addr);
    char request[128], text[MESSAGE_BYTES];
    long begun = now_ms(), asked = 0, failed = 0, slowest = 0;
    int fd = -1;
    while (!ending && now_ms() - begun < seconds * 1000L) {
        long due = begun + asked * 1000 / rate, since = now_ms();
        if (due > since)
            sleep_ms(due - since);
        snprintf(request, sizeof request, "GET /%s HTTP/1.1\r\nHost: web\r\n%s\r\n", asked % 50 ? "" : "slow",
                 keep ? "" : "Connection: close\r\n");
        since = now_ms();
        const char *what = ask_once(&fd, &address, request, text);
        slowest = now_ms() - since > slowest ? now_ms() - since : slowest;
        asked++;
        if (what) {
            failed++;
            printf("failed after %ld ms: %s: %s\n", now_ms() - begun, what, strerror(errno));
            close(fd);
            fd = -1;
        } else {
            printf("answer %s", text);
        }
    }
    printf("asked %ld failed %ld slowest_ms %ld\n", asked, failed, slowest);
    return failed != 0;
}

int main(int argc, char **argv) {
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(atoi(argv[2]));
    if (argc == 7 && strcmp(argv[1], "ask") == 0)
        return ask(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), strcmp(argv[6], "keep") == 0);
    return 2;
}
