"""Builds by an ordinary user, who is root of a user namespace and nothing beside it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
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


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that everybody may enter; each pytest that starts closes the one that all of them share."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o711)
        yield Path(path)


def test_commands_run_and_make_layers(open_path: Path) -> None:
    directory = open_path / "state"
    (directory / "context").mkdir(parents=True)
    (directory / "context/Dockerfile").write_text(DOCKERFILE)
    (directory / "context/busybox").write_bytes(Path(BUSYBOX).read_bytes())
    (directory / "context/busybox").chmod(0o755)
    os.chown(directory, ordinary.UID, ordinary.UID)
    inside = open_path / "inside.py"
    inside.write_bytes(Path(__file__).with_name("inside.py").read_bytes())
    inside.chmod(0o644)
    argv = ["unshare", "--user", "--map-root-user", "--mount", "--net", sys.executable, str(inside), str(directory)]
    done = ordinary.run(argv, base=open_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (directory / "out/d/map").read_text().split() == ["0", str(ordinary.UID), "1"]
    assert not (directory / "out/id").exists()
