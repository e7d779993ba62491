from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from jubako.cli.keeper import context
from jubako.cli.keeper.context import Context, Differs

SAY = "import os, sys; os.umask(0o31); sys.stdout.write('x'); sys.stdout.flush(); sys.stdin.read()"


def test_a_child_is_like_its_parent() -> None:
    own = Context(os.getpid())
    with subprocess.Popen([sys.executable, "-c", SAY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.read(1)
        other = Context(child.pid)
    context.require_same(other, own)
    assert other.umask == 0o31


def test_another_cgroup_or_namespace_differs() -> None:
    one, other = Context(os.getpid()), Context(os.getpid())
    other.same[context.CGROUP] = "0::/elsewhere\n"
    with pytest.raises(Differs):
        context.require_same(other, one)
    other.refresh()
    context.require_same(other, one)


def test_the_caller_is_the_process_that_connected() -> None:
    here, there = socket.socketpair()
    with here, there:
        caller = context.caller_of(here)
    assert caller.pid == os.getpid()
    context.require_same(caller, Context(os.getpid()))


def test_lines_are_cut_by_the_names_that_begin_them() -> None:
    text = "Name:\tUid: x\nUid:\t1\nGid:\t2\nFDSize:\t3\n"
    assert context._between(text, "Uid:", "FDSize:") == "Uid:\t1\nGid:\t2"
    with pytest.raises(ValueError, match="not found"):
        context._between(text, "Groups:", "FDSize:")
