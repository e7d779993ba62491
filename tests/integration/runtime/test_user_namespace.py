"""User namespaces: made by root with a range of ids, and by an ordinary user with its own id alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jubako.runtime import defaults
from jubako.spec.oci_runtime import Capabilities, IDMapping, Namespace, Process, User

from .conftest import NAMESPACES, read_all, read_until

pytestmark = pytest.mark.root

ORDINARY = """
import os, sys, tempfile
from jubako.linux import userns
from jubako.runtime import defaults, executor
from jubako.spec.oci_runtime import *
image = sys.argv[1]
base = sys.argv[2]
os.setgroups([])
os.setgid(54321)
os.setuid(54321)
for name in ("upper", "work", "run"):
    os.mkdir(f"{base}/{name}")
uids, gids = userns.mappings()
names = defaults.ALL_CAPABILITIES
spec = Spec(
    root=Root(path=image),
    hostname="mine",
    process=Process(args=["sh", "-c", sys.argv[3]], env=["PATH=/bin"],
                    capabilities=Capabilities(bounding=names, effective=names, permitted=names)),
    mounts=defaults.mounts(),
    linux=Linux(namespaces=[Namespace(type=t) for t in ("user", "pid", "mount", "ipc", "uts", "network", "cgroup")],
                uid_mappings=uids, gid_mappings=gids, masked_paths=defaults.MASKED_PATHS),
)
options = [f"lowerdir+={image}", f"upperdir={base}/upper", f"workdir={base}/work", "userxattr"]
rootfs = [Mount(destination="/", type="overlay", options=options)]
handle = executor.create(executor.Launch(spec=spec, rootfs=rootfs, run_dir=f"{base}/run", attach=True))
handle.start()
while frame := handle.attached.read(20):
    if frame.kind != 3:
        os.write(1, frame.data)
sys.exit(handle.wait().code)
"""


def spec_of(runtime: Any, *args: str, **process: Any) -> Any:
    names = defaults.ALL_CAPABILITIES
    process.setdefault("capabilities", Capabilities(bounding=names, effective=names, permitted=names))
    spec = runtime.spec(*args, **process)
    spec.linux.namespaces = [Namespace(type=kind) for kind in ("user", *NAMESPACES)]
    maps = [IDMapping(container_id=0, host_id=300000, size=65536)]
    spec.linux.uid_mappings = spec.linux.gid_mappings = maps
    return spec


def overlay_of(runtime: Any) -> Any:
    rootfs = runtime.overlay()
    for option in rootfs[0].options:
        key, _, path = option.partition("=")
        if key in ("upperdir", "workdir"):
            os.chown(path, 300000, 300000)
    rootfs[0].options.append("userxattr")
    for parent in [runtime.base, *runtime.base.parents][:-2]:
        os.chmod(parent, os.stat(parent).st_mode | 0o055)
    for parent in [runtime.image, *runtime.image.parents][:-2]:
        os.chmod(parent, os.stat(parent).st_mode | 0o055)
    return rootfs


def test_root_inside_is_nobody_outside(runtime: Any) -> None:
    rootfs = overlay_of(runtime)
    spec = spec_of(
        runtime,
        "sh",
        "-c",
        "id -u; cat /proc/self/uid_map; touch /made; echo x > /dev/null; head -c 1 /dev/zero | wc -c",
    )
    output, ended = runtime.run_spec(spec, rootfs=rootfs)
    assert ended.code == 0
    assert output.split() == ["0", "0", "300000", "65536", "1"]
    upper = next(option.partition("=")[2] for option in rootfs[0].options if option.startswith("upperdir="))
    assert os.stat(f"{upper}/made").st_uid == 300000


def test_exec_joins_the_user_namespace(runtime: Any) -> None:
    spec = spec_of(runtime, "sleep", "100")
    handle = runtime.create(spec, rootfs=overlay_of(runtime))
    handle.start()
    process = Process(
        args=["sh", "-c", "id -u; id -g; hostname; cat /proc/self/uid_map; tty"],
        env=["PATH=/bin"],
        user=User(uid=7, gid=8),
        terminal=True,
    )
    child = runtime.exec(handle, spec, process, attach=True)
    child.start()
    assert child.attached
    assert read_all(child.attached).split() == ["7", "8", "box", "0", "300000", "65536", "/dev/pts/0"]
    assert child.wait(60).code == 0


def test_a_terminal_works_there(runtime: Any) -> None:
    handle = runtime.create(spec_of(runtime, "sh", terminal=True), rootfs=overlay_of(runtime), attach=True, stdin=True)
    handle.start()
    assert handle.attached
    handle.attached.write(b"tty; exit 3\n")
    read_until(handle.attached, "/dev/pts/0")
    read_all(handle.attached)
    assert handle.wait(60).code == 3


def test_an_ordinary_user_needs_no_privilege(runtime: Any, tmp_path: Path) -> None:
    rootfs = overlay_of(runtime)
    assert rootfs
    base = tmp_path / "ordinary"
    base.mkdir()
    os.chown(base, 54321, 54321)
    script = """
    id -u; hostname; touch /made && echo made; ls /dev/null
    ip -o addr show lo | grep -c 127.0.0.1; mount -t tmpfs x /tmp && echo mounted
    """
    done = subprocess.run(
        [sys.executable, "-c", ORDINARY, str(runtime.image), str(base), script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["0", "mine", "made", "/dev/null", "1", "mounted"], done.stderr
    assert os.stat(base / "upper" / "made").st_uid == 54321
