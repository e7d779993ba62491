"""Doing something inside another network namespace, and coming back.

Model:        a namespace is an open file (`/proc/PID/ns/net`); sockets belong to the namespace in which they were made,
              so the body makes its sockets and is done: they keep working outside.
Invariant:    after the body the calling thread is where it was. A thread that could not go back would act on the wrong
              host, so the process aborts.
Concurrency:  setns(2) moves only the calling thread.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from jubako.linux.syscall import libc

CLONE_NEWNET = 0x40000000


@contextmanager
def inside(netns_fd: int) -> Iterator[None]:
    """Run the body with the calling thread in the network namespace `netns_fd`; raises OSError if it can not enter."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(netns_fd)
        try:
            yield
        finally:
            _return(home)
    finally:
        os.close(home)


def _enter(fd: int) -> None:
    if libc.setns(fd, CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "network namespace")


def _return(home: int) -> None:
    try:
        _enter(home)
    except OSError:
        os.abort()
