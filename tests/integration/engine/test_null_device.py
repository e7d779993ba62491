"""Containers are handed the null device as a stream and over masked files; the host's node stays the host's."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.root

ATTACK = (
    "for f in /proc/self/fd/0 /proc/keys /proc/timer_list; do chown 6 $f; chmod 600 $f; touch -t 200001010000 $f; done"
)


def identity() -> tuple[int, int, int, int]:
    status = os.stat("/dev/null")
    return status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns


@pytest.mark.parametrize("options", [[], ["--privileged"], ["-t"], ["-d"]])
def test_root_in_a_container_does_not_own_the_null_device_of_the_host(jubako, options):
    before = identity()
    jubako.run("run", "--name", "attacker", *options, "busybox", "sh", "-c", ATTACK)
    jubako("wait", "attacker")
    assert identity() == before


@pytest.mark.parametrize("options", [[], ["-d"]])
def test_nor_does_an_exec(jubako, options):
    before = identity()
    jubako("run", "-d", "--name", "attacked", "busybox", "sleep", "60")
    jubako.run("exec", *options, "attacked", "sh", "-c", f"{ATTACK}; touch /done")
    jubako("exec", "attacked", "sh", "-c", "until [ -e /done ]; do sleep 0.02; done")
    assert identity() == before
