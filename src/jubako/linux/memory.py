"""Pages of this process: which are its own after a fork, and making them so ahead of their first write."""

from __future__ import annotations

import ctypes
import os

from jubako.linux.syscall import libc

MADV_POPULATE_WRITE = 23  # Linux 5.14; madvise(2)
PAGE_SIZE = os.sysconf("SC_PAGESIZE")

# The top byte of an entry of /proc/<pid>/pagemap: 63 present, 61 file or shared, 56 mapped by this process alone.
_OWN = bytes(int(byte & 0xA1 == 0x81) for byte in range(256))

libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def writable_ranges() -> list[tuple[int, int]]:
    """Return (address, pages) of each private writable mapping but the stack."""
    ranges = []
    with open("/proc/self/maps") as maps:
        for line in maps:
            span, permissions, *rest = line.split()
            if permissions[1] == "w" and permissions[3] == "p" and rest[-1] != "[stack]":
                start, end = (int(number, 16) for number in span.split("-"))
                ranges.append((start, (end - start) // PAGE_SIZE))
    return ranges


def own_pages(pagemap: int, address: int, pages: int) -> bytes:
    """Return a byte for each page from `address`: 1 if this process alone has it, as it has what it wrote to."""
    return os.pread(pagemap, pages * 8, address // PAGE_SIZE * 8)[7::8].translate(_OWN)


def populate_for_writing(address: int, pages: int) -> None:
    """Take the page faults of writing there now; OSError where the kernel can not, or something is unmapped."""
    if libc.madvise(address, pages * PAGE_SIZE, MADV_POPULATE_WRITE) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
