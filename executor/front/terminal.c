/* The caller's terminal: put back as it was when a call ends without doing so, and around a stop. */
#include "front.h"

#include <termios.h>
#include <unistd.h>

static struct {
	int fd;
	struct termios modes;
} saved = {.fd = -1};

void save_terminal(void)
{
	for (int fd = 0; fd <= 2 && saved.fd < 0; fd++)
		if (tcgetattr(fd, &saved.modes) == 0)
			saved.fd = fd;
}

void restore_terminal(void)
{
	if (saved.fd >= 0)
		tcsetattr(saved.fd, TCSANOW, &saved.modes);
}

/* Stop as SIGTSTP does by default, and return when continued: the shell gets its terminal, the call its own modes. */
void stop_here(void)
{
	struct termios modes;
	bool held = saved.fd >= 0 && tcgetattr(saved.fd, &modes) == 0;
	restore_terminal();
	sigset_t stop;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	if (held)
		tcsetattr(saved.fd, TCSANOW, &modes);
}
