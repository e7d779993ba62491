/* The front: the `jubako` and `jubako-oci` commands. It hands its call to the user's keeper, or runs Python itself. */
#pragma once

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXIT_FRONT_FAILED 125
#define IDLE_DEFAULT_S "300"

/* Where this program stands, and so which installation it belongs to. */
struct install {
	char prefix[PATH_MAX]; /* the directory above bin/ */
	char bin[PATH_MAX];
	char name[NAME_MAX + 1]; /* jubako or jubako-oci */
	char keeper[64];         /* file name of the keeper's socket, without its suffix */
};

struct call {
	int argc;
	char **argv;
	char **envp;
	const struct install *install;
	sigset_t mask; /* the caller's, to be put back before exec */
	int fds[256];  /* inherited ones above 2 */
	size_t fd_count;
};

/* complain.c */
void complain(const char *what, const char *detail);

/* install.c */
bool locate_install(struct install *ret_install);
bool find_python(const struct install *install, char ret_path[PATH_MAX]);

/* inherit.c: what a caller hands on */
void hold_stdio(void);
bool list_inherited(struct call *call);
bool wants_cold(const struct call *call);
uint64_t read_traits(void);

/* runtime.c */
int open_runtime_dir(void);

/* request.c: the connection that a keeper answered, or -1; whether it has the whole request */
int dial_keeper(int runtime_dir, const char *keeper);
bool send_call(const struct call *call, int connection, uint64_t traits);

/* peer.c: whether the listener of a connection may be trusted with all that the caller has */
bool is_own_keeper(int connection);

/* relay.c: returns only when the call was not begun and must run cold */
void relay_call(const struct call *call, int connection, int signals);
int catch_signals(void);

/* spawn.c: closes `fds` */
void spawn_program(int *fds, size_t fd_count, const sigset_t *mask);

/* terminal.c */
void save_terminal(void);
void restore_terminal(void);
void stop_here(void);

/* cold.c */
void leave_keeper(const struct call *call, int runtime_dir, uint64_t traits);
_Noreturn void run_cold(const struct call *call, const char *module);
