/* What goes wrong before there is a Python that could tell it. */
#include "front.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

void complain(const char *what, const char *detail)
{
	struct iovec parts[] = {
		{.iov_base = (char *)"jubako: ", .iov_len = 8},
		{.iov_base = (char *)what, .iov_len = strlen(what)},
		{.iov_base = (char *)detail, .iov_len = strlen(detail)},
		{.iov_base = (char *)"\n", .iov_len = 1},
	};
	ssize_t ignored = writev(2, parts, 4);
	(void)ignored;
}
