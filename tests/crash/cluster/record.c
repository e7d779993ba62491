/* record DIRECTORY: writes there that it runs: IDENTITY, UID of the pod, when it began, and the time, in one write each.
 *
 * It holds a lock of its identity for as long as it lives, which the kernel gives back whatever ends it. Who finds the
 * lock held runs beside another of the same identity, and says so in the file `twice`. `record ready` succeeds.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t ending;
static double begun;

static void end(int number) {
    (void)number;
    ending = 1;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void tell(const char *directory, const char *file, const char *what) {
    char line[512], path[512];
    snprintf(path, sizeof path, "%s/%s", directory, file);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int size = snprintf(line, sizeof line, "%s %s %s %.6f %.6f\n", what, getenv("IDENTITY"), getenv("UID"), begun, now());
    if (fd < 0 || write(fd, line, (size_t)size) != size)
        exit(3);
    close(fd);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "ready") == 0)
        return 0;
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGTERM, &action, NULL);
    begun = now();
    char path[512];
    snprintf(path, sizeof path, "%s/%s.lock", argv[1], getenv("IDENTITY"));
    int lock = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB))
        tell(argv[1], "twice", "twice");
    for (const char *what = "start"; !ending; what = "tick") {
        tell(argv[1], "history", what);
        usleep(50000);
    }
    tell(argv[1], "history", "end");
    return 0;
}
