/* The installed commands `jubako` and `jubako-oci`.
 *
 * One call: find the installation, look for the user's keeper, hand the call over and relay signals and the status;
 * or, where that may not or can not be, leave a keeper behind for the next call and become Python.
 * Everything here serves speed and nothing else: the same command run by `python -m jubako` does the same.
 */
#include "front.h"

#include <string.h>
#include <unistd.h>

/* Returns when the call must run cold. */
static void try_keeper(struct call *call)
{
	int directory = open_runtime_dir();
	if (directory < 0)
		return;
	uint64_t traits = read_traits();
	int connection = dial_keeper(directory, call->install->keeper);
	if (connection < 0) {
		leave_keeper(call, directory, traits);
		return;
	}
	int signals = catch_signals();
	save_terminal();
	if (send_call(call, connection, traits))
		relay_call(call, connection, signals);
	close(connection);
	sigprocmask(SIG_SETMASK, &call->mask, NULL);
}

int main(int argc, char **argv, char **envp)
{
	static struct install install;
	static struct call call;

	hold_stdio();
	call = (struct call){.argc = argc, .argv = argv, .envp = envp, .install = &install};
	bool listed = list_inherited(&call);
	sigprocmask(SIG_SETMASK, NULL, &call.mask);
	if (argc < 1 || !locate_install(&install)) {
		complain("cannot find where it is installed: ", "/proc/self/exe is not readable");
		return EXIT_FRONT_FAILED;
	}
	if (listed && !wants_cold(&call))
		try_keeper(&call);
	run_cold(&call, strcmp(install.name, "jubako-oci") == 0 ? "jubako._oci" : "jubako.__main__");
}
