from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jubako.linux import mount

pytestmark = pytest.mark.root

ATTACHED = """
import os, sys
from jubako.linux import mount
from jubako.linux.mount import MNT_DETACH, MOUNT_ATTR_NODEV, MOUNT_ATTR_RDONLY
target = sys.argv[1]
context = mount.fsopen("tmpfs")
mount.fsconfig(context, "size", "1m")
mount.fsconfig_create(context)
tmpfs = mount.fsmount(context, MOUNT_ATTR_NODEV)
mount.move_mount(tmpfs, target)
os.mkdir(target + "/inside")
assert os.statvfs(target).f_flag & os.ST_NODEV
copy = mount.open_tree(target, mount.OPEN_TREE_CLONE)
mount.mount_setattr(copy, add=MOUNT_ATTR_RDONLY, clear=MOUNT_ATTR_NODEV)
assert os.fstatvfs(copy).f_flag & os.ST_RDONLY
assert not os.fstatvfs(copy).f_flag & os.ST_NODEV
directory = os.open(target + "/inside", os.O_PATH)
mount.move_mount(copy, "", dir_fd=directory)
assert os.listdir(target + "/inside") == ["inside"]
mount.umount2(target, MNT_DETACH)
assert os.listdir(target) == []
print("ok")
"""


def test_a_mount_is_made_cloned_attached_and_detached(tmp_path: Path) -> None:
    command = ["unshare", "--mount", sys.executable, "-c", ATTACHED, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("ok\n", "")


def test_a_refusal_names_the_path_and_the_kernel_says_why(tmp_path: Path) -> None:
    context = mount.fsopen("overlay")
    with pytest.raises(FileNotFoundError) as caught:
        mount.fsconfig(context, "lowerdir+", str(tmp_path / "none"))
    assert caught.value.filename == str(tmp_path / "none")
    with pytest.raises(OSError, match="Invalid argument"):
        mount.fsconfig(context, "nonsense", "x")
    assert any("nonsense" in line for line in mount.messages(context))
    with pytest.raises(FileNotFoundError):
        mount.open_tree(str(tmp_path / "none"))
    with pytest.raises(OSError, match="Invalid argument"):
        mount.umount2(str(tmp_path))
