"""Which of the keeper's pages do calls write to? The next spare copies those before its call comes.

A forked child shares all memory until it writes, and to count a reference is to write. A short command writes to a
third of all pages; each first write is a fault of 1 to 6 µs (most in a virtual machine), together a third of `run`.
Copied in one go while the spare waits, they cost less in all, and nothing to the call.

Model:        one byte for each page of the keeper's writable mappings, in memory shared by all its children. A call
              marks its pages when it is over; a spare reads the marks.
Concurrency:  writers only ever set marks; a mark lost or read late is a page fault, nothing else.
"""

from __future__ import annotations

import mmap
import os
import re
import resource
from collections.abc import Callable

from jubako.linux import memory

# Runs of marks, over gaps of a few pages, in pieces between which a spare looks up.
RUNS = re.compile(rb"\x01{1,64}(?:\x00{1,3}\x01{1,64}){0,4}")
# A call that had fewer faults than this has nothing to teach.
FEW_FAULTS = 100


class Touched:
    """Made once in the keeper, when all is imported; `prefault` is the spare's, `learn` the call's."""

    def __init__(self) -> None:
        self._ranges = memory.writable_ranges()
        self._marks = mmap.mmap(-1, sum(pages for _address, pages in self._ranges) or 1)
        self._faults = 0

    def prefault(self, is_wanted: Callable[[], bool]) -> None:
        """Copy what calls have written to, until done or `is_wanted`."""
        offset = 0
        for address, pages in self._ranges:
            for run in RUNS.finditer(self._marks[offset : offset + pages]):
                if is_wanted():
                    return
                try:
                    memory.populate_for_writing(address + run.start() * memory.PAGE_SIZE, run.end() - run.start())
                except OSError:
                    return
            offset += pages

    def begin(self) -> None:
        self._faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt

    def learn(self) -> None:
        """Mark the pages that this process has of its own."""
        if resource.getrusage(resource.RUSAGE_SELF).ru_minflt - self._faults < FEW_FAULTS:
            return
        offset = 0
        pagemap = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        for address, pages in self._ranges:
            own = memory.own_pages(pagemap, address, pages)
            before = self._marks[offset : offset + len(own)]
            both = int.from_bytes(own, "little") | int.from_bytes(before, "little")
            self._marks[offset : offset + len(own)] = both.to_bytes(len(own), "little")
            offset += pages
        os.close(pagemap)
