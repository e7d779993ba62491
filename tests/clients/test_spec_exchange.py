"""A bundle with the specification that one runtime writes runs under the other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

RUNC = ["runc"]
OURS = [str(Path(sys.executable).parent / "jubako-oci")]


@pytest.mark.parametrize(
    ("writer", "runner"), [(RUNC, OURS), (OURS, RUNC)], ids=["theirs under ours", "ours under theirs"]
)
def test_the_specification_of_one_runs_under_the_other(tmp_path: Path, writer: list[str], runner: list[str]) -> None:
    (tmp_path / "rootfs/bin").mkdir(parents=True)
    (tmp_path / "rootfs/bin/sh").write_bytes(Path("/bin/busybox").read_bytes())
    (tmp_path / "rootfs/bin/sh").chmod(0o755)
    subprocess.run([*writer, "spec"], cwd=tmp_path, check=True)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    config["process"] |= {"terminal": False, "args": ["sh", "-c", "pwd; echo $0"]}
    path.write_text(json.dumps(config))
    done = subprocess.run(
        ["prlimit", "--nofile=1024", *runner, "--root", str(tmp_path / "state"), "run", f"spec-{runner[0][-4:]}"],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "/\nsh\n"), done.stderr
