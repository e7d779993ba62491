from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jubako.errors import InvalidArgument, NotFound, PermissionDenied
from jubako.snapshot import Overlay, mounted
from jubako.spec.oci_image import DiffID
from jubako.spec.oci_runtime import Mount
from jubako.store import Store, digest

pytestmark = pytest.mark.root


def test_a_bind_is_a_root_too(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for options in (["bind"], ["bind", "ro"]):
        with mounted([Mount(destination="/", type="bind", source=str(tmp_path), options=options)]) as root:
            assert os.listdir(root) == ["file"]
            assert bool(os.fstatvfs(root).f_flag & os.ST_RDONLY) == ("ro" in options)


def test_a_missing_layer_is_not_found(tmp_path: Path) -> None:
    snapshots = Overlay(Store.open(tmp_path / "store"))
    with pytest.raises(NotFound, match="cannot mount"), mounted(snapshots.view_mounts([DiffID(digest.of(b"x"))])):
        pass


def test_a_root_is_one_mount() -> None:
    with pytest.raises(InvalidArgument), mounted([]):
        pass


def test_without_privilege_it_is_permission_denied(tmp_path: Path) -> None:
    snapshots = Overlay(Store.open(tmp_path / "store"))
    mounts = snapshots.mounts(snapshots.prepare("box", []))
    os.seteuid(65534)
    try:
        with pytest.raises(PermissionDenied, match="cannot mount"), mounted(mounts):
            pass
    finally:
        os.seteuid(0)


def test_failures_and_successes_leave_no_fd(tmp_path: Path) -> None:
    snapshots = Overlay(Store.open(tmp_path / "store"))
    snapshots.prepare("box", [])
    before = os.listdir("/proc/self/fd")
    with mounted(snapshots.mounts("box")):
        pass
    with pytest.raises(NotFound), mounted(snapshots.view_mounts([DiffID(digest.of(b"x"))])):
        pass
    assert os.listdir("/proc/self/fd") == before


def test_in_a_user_namespace_of_its_own_overlay_works(tmp_path: Path) -> None:
    script = """
import os, sys
from jubako.snapshot import Overlay, mounted
from jubako.store import Store
snapshots = Overlay(Store.open(sys.argv[1]))
assert snapshots.userxattr
with mounted(snapshots.mounts(snapshots.prepare("box", []))) as root:
    os.mkdir("a", dir_fd=root)
print(os.listdir(snapshots.upper("box")))
"""
    command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", script, str(tmp_path / "store")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("['a']\n", "")
