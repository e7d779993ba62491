/* keys share: put a key into the session keyring and let everybody of this user join that; then wait.
 * keys seek: is that key in this process's session keyring? keyctl(2). */
#define _GNU_SOURCE
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 2)
		return 64;
	if (!strcmp(argv[1], "seek"))
		return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "stolen", 0) > 0;
	if (syscall(SYS_keyctl, KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING, 0x3f3f3f3f) < 0 ||
	    syscall(SYS_add_key, "user", "stolen", "x", 1, KEY_SPEC_SESSION_KEYRING) < 0)
		return 1;
	puts("shared");
	fflush(stdout);
	return pause();
}
