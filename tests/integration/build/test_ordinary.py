"""Builds by an ordinary user, who is root of a user namespace and nothing beside it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ... import ordinary
from .conftest import BUSYBOX

pytestmark = pytest.mark.root

DOCKERFILE = """FROM scratch
COPY busybox /bin/sh
RUN --mount=type=tmpfs,target=/t --mount=type=cache,target=/c --mount=type=bind,target=/b \\
    touch /t/x /c/x && test -f /b/Dockerfile && test -c /dev/null && echo here >/dev/pts/../null && id >/id
RUN rm /id && mkdir /d && cat /proc/self/uid_map >/d/map
"""


def test_commands_run_and_make_layers(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    (directory / "context").mkdir(parents=True)
    (directory / "context/Dockerfile").write_text(DOCKERFILE)
    (directory / "context/busybox").write_bytes(Path(BUSYBOX).read_bytes())
    (directory / "context/busybox").chmod(0o755)
    for path in (tmp_path, *tmp_path.parents[:-2]):
        path.chmod(path.stat().st_mode | 0o011)
    os.chown(directory, ordinary.UID, ordinary.UID)
    inside = tmp_path / "inside.py"
    inside.write_bytes(Path(__file__).with_name("inside.py").read_bytes())
    inside.chmod(0o644)
    argv = ["unshare", "--user", "--map-root-user", "--mount", "--net", sys.executable, str(inside), str(directory)]
    done = ordinary.run(argv, base=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (directory / "out/d/map").read_text().split() == ["0", str(ordinary.UID), "1"]
    assert not (directory / "out/id").exists()
