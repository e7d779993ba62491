/* What the front and the keeper say to each other; src/jubako/cli/keeper/protocol.py holds the same numbers, and
 * docs/internals/keeper.md draws the exchange. Both ends are of one installation on one machine: native byte order.
 *
 *   keeper -> front    REPLY_HELLO, when a process has taken the connection. Nothing is sent to a keeper that does not
 *                      answer: files on their way to a stopped process would stay open.
 *   front  -> keeper   struct request, int32_t targets[fd_count], argc + envc strings, each ended by NUL.
 *                      With its first byte: the fds, first the directory, then one for each target.
 *   keeper -> front    REPLY_COLD, or REPLY_ACCEPTED and then what happens. A connection that ends before either has
 *                      begun nothing, so no call is ever run twice.
 */
#pragma once

#include <stdint.h>

#define PROTOCOL_MAGIC 0x314b424au /* "JBK1" */
#define PROTOCOL_MAX_FDS 250       /* SCM_MAX_FD is 253 */

struct request {
	uint32_t magic;
	uint32_t size; /* of all that follows this struct */
	uint32_t argc;
	uint32_t envc;
	uint32_t fd_count; /* without the directory */
	uint32_t padding;
	uint64_t blocked; /* signal mask of the caller: bit n - 1 is signal n */
	uint64_t traits;  /* must be the keeper's own, see inherit.c */
};

enum reply_kind {
	REPLY_HELLO = 0,
	REPLY_ACCEPTED = 1, /* value: pid of the call's process, its pidfd rides along */
	REPLY_COLD = 2,     /* nothing was done; the front runs Python itself. value: why */
	REPLY_EXITED = 3,   /* value: exit code */
	REPLY_KILLED = 4,   /* value: signal */
	REPLY_STOP = 5,     /* the call wants to be stopped, as SIGTSTP does */
	REPLY_SPAWN = 6,    /* the call wants a program to be the front's child; fds: see struct spawn */
};

struct reply {
	uint32_t kind;
	int32_t value;
};

/* The text of REPLY_SPAWN: this struct, int32_t targets[fd_count], argc + envc strings, each ended by NUL. The fds that
 * ride along: a socket for the answer, a sealed memory file with that text, the program, then one for each target. */
struct spawn {
	uint32_t argc;
	uint32_t envc;
	uint32_t fd_count;
};

/* The front's answer, with the pidfd of its new child: `error` is an errno, or 0. */
struct answer {
	int32_t error;
	int32_t pid;
};
