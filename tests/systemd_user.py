"""The test machine's ordinary user, whose own systemd runs (`./dev vm --init systemd`)."""

from __future__ import annotations

import pwd
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from jubako.linux import systemd

NAME = "user"
ROOT = Path("/sys/fs/cgroup")

needs_systemd = pytest.mark.skipif(
    not (systemd.runs() and (ROOT / "cgroup.controllers").exists()), reason="systemd does not run here on cgroup v2"
)


def user() -> pwd.struct_passwd:
    return pwd.getpwnam(NAME)


def own_slice() -> Path:
    """The group in which its systemd makes scopes."""
    uid = user().pw_uid
    return ROOT / f"user.slice/user-{uid}.slice/user@{uid}.service/user.slice"


def in_session(*command: str) -> subprocess.CompletedProcess[str]:
    """Run it as the user in a group that is root's, as a session's is. Output and messages come together.

    They go to a file, since a container that is left running would hold a pipe.
    """
    environment = ["env", f"XDG_RUNTIME_DIR=/run/user/{user().pw_uid}", f"HOME={user().pw_dir}", "JUBAKO_KEEPER=0"]
    return _finished(["runuser", "-u", NAME, "--", *environment, *command])


def in_service(*command: str) -> subprocess.CompletedProcess[str]:
    """The same in a service of the user's own systemd, that is: in a group which is delegated to the user."""
    return in_session("systemd-run", "--user", "--quiet", "--wait", "--pipe", *command)


def _finished(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=600, check=False, cwd="/"
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, output.read(), "")
