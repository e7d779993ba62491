/* What a process inherits from its caller, and what of it only a cold call can honour. */
#include "front.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IOPRIO_WHO_PROCESS 1

/* Nothing of ours may land on a number of stdio: a closed one becomes /dev/null, as in any careful program. */
void hold_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(EXIT_FRONT_FAILED);
}

/* Shells pass open files by number (`jubako load -i <(…)` names /dev/fd/63), so all go along. */
bool list_inherited(struct call *call)
{
	DIR *directory = opendir("/proc/self/fd");
	if (!directory)
		return false;
	bool fits = true;
	for (struct dirent *entry; (entry = readdir(directory));) {
		int fd = atoi(entry->d_name);
		if (fd <= 2 || fd == dirfd(directory))
			continue;
		if (call->fd_count == sizeof(call->fds) / sizeof(call->fds[0])) {
			fits = false;
			break;
		}
		call->fds[call->fd_count++] = fd;
	}
	closedir(directory);
	return fits;
}

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* These act on a process as it starts, and the keeper's child does not start. */
static bool acts_at_start(const char *variable)
{
	static const char *const prefixes[] = {"LD_", "GLIBC_TUNABLES=", "MALLOC_", "OPENSSL_CONF="};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (begins(variable, prefixes[i]))
			return true;
	return false;
}

/* The kernel stops a background process that reads its terminal; one in another session it would let read. */
static bool in_background(void)
{
	pid_t foreground = tcgetpgrp(STDIN_FILENO);
	return foreground >= 0 && foreground != getpgrp();
}

bool wants_cold(const struct call *call)
{
	if (getauxval(AT_SECURE) || in_background())
		return true;
	for (char **variable = call->envp; *variable; variable++) {
		if (acts_at_start(*variable))
			return true;
		if (strcmp(*variable, "JUBAKO_KEEPER=0") == 0)
			return true;
	}
	return false;
}

/* Inherited properties that /proc does not show to the keeper, as one number. */
uint64_t read_traits(void)
{
	int policy = 0;
	syscall(SYS_get_mempolicy, &policy, NULL, 0UL, NULL, 0UL);
	const long values[] = {
		prctl(PR_GET_SECUREBITS, 0L, 0L, 0L, 0L),
		syscall(SYS_personality, 0xffffffffUL),
		getpriority(PRIO_PROCESS, 0),
		syscall(SYS_sched_getscheduler, 0),
		syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0),
		policy,
	};
	uint64_t traits = 0;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		traits = traits * 1000003u + (uint64_t)values[i];
	return traits >> 1; /* a positive number in any language */
}
