/* Running Python: for this call, and for a keeper that serves the next ones. */
#include "front.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum { FIXED = 7 };

/* What these options are for stands in jubako-python. The program's path needs no more room than the front's own. */
static void fill_arguments(char **list, char *python, const struct install *install, const char *module)
{
	static char program[PATH_MAX + 16];
	snprintf(program, sizeof(program), "%s/jubako-python", install->bin);
	char *fixed[FIXED] = {
		python, (char *)"-I", (char *)"-S", (char *)"-X", (char *)"utf8", program, (char *)module,
	};
	memcpy(list, fixed, sizeof(fixed));
}

_Noreturn void run_cold(const struct call *call, const char *module)
{
	char python[PATH_MAX];
	char **list = calloc((size_t)call->argc + FIXED, sizeof(*list));
	if (!list || !find_python(call->install, python)) {
		complain("cannot find the Python that it was installed with; install it again: ", call->install->bin);
		_exit(EXIT_FRONT_FAILED);
	}
	fill_arguments(list, python, call->install, module);
	for (int i = 1; i < call->argc; i++)
		list[FIXED + i - 1] = call->argv[i];
	execve(python, list, call->envp);
	complain("cannot run ", python);
	_exit(EXIT_FRONT_FAILED);
}

/* Only one keeper for one installation: the lock is held from here until that keeper ends. */
static int lock_keeper(int runtime_dir, const char *keeper)
{
	char name[80];
	snprintf(name, sizeof(name), "%s.lock", keeper);
	int fd = openat(runtime_dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;
	/* A keeper that ends takes the file's name away before it lets go of the lock. */
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Numbers that the keeper finds its two open files at. */
enum { LOCK_FD = 3, DIRECTORY_FD = 4 };

static void keep_only(int runtime_dir, int lock)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int high_lock = fcntl(lock, F_DUPFD_CLOEXEC, 10);
	int high_directory = fcntl(runtime_dir, F_DUPFD_CLOEXEC, 10);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	dup2(high_lock, LOCK_FD);
	dup2(high_directory, DIRECTORY_FD);
	syscall(SYS_close_range, DIRECTORY_FD + 1, ~0u, 0u);
}

static void reset_signals(void)
{
	for (int number = 1; number < 65; number++)
		signal(number, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Nothing of the first caller stays in a keeper: not its files, directory, session, environment or signals. */
static _Noreturn void become_keeper(const struct call *call, int runtime_dir, int lock, uint64_t traits)
{
	char python[PATH_MAX], traits_text[24], idle[32];
	const char *idle_s = getenv("JUBAKO_KEEPER_IDLE");
	char *environment[] = {(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	char *list[FIXED + 5] = {0};
	if (!find_python(call->install, python))
		_exit(1);
	fill_arguments(list, python, call->install, "jubako.cli.keeper.serve");
	snprintf(traits_text, sizeof(traits_text), "%llu", (unsigned long long)traits);
	snprintf(idle, sizeof(idle), "%s", idle_s ? idle_s : IDLE_DEFAULT_S);
	list[FIXED] = (char *)call->install->keeper;
	list[FIXED + 1] = traits_text;
	list[FIXED + 2] = idle;
	list[FIXED + 3] = (char *)call->install->name;
	setsid();
	umask(077);
	if (chdir("/") < 0)
		_exit(1);
	keep_only(runtime_dir, lock);
	reset_signals();
	execve(python, list, environment);
	_exit(1);
}

/* Whoever adopts orphans here becomes the keeper's parent once `first` has ended. Only a manager of the whole machine or
 * session may: conmon and its like wait for all their children, and would not end while a keeper lives. */
static bool adopted_by_a_manager(pid_t first)
{
	char path[32], name[16] = "";
	while (getppid() == first)
		sched_yield();
	if (getppid() == 1)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/comm", getppid());
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
	if (fd >= 0)
		close(fd);
	return length > 0 && strcmp(name, "systemd\n") == 0;
}

void leave_keeper(const struct call *call, int runtime_dir, uint64_t traits)
{
	int lock = lock_keeper(runtime_dir, call->install->keeper);
	if (lock < 0)
		return;
	/* Twice, so that the keeper is nobody's child: what this process becomes may wait for its own. */
	pid_t first = fork();
	if (first == 0) {
		pid_t parent = getpid();
		if (fork() == 0 && adopted_by_a_manager(parent))
			become_keeper(call, runtime_dir, lock, traits);
		_exit(0);
	}
	if (first > 0)
		waitpid(first, NULL, 0);
	close(lock);
}
