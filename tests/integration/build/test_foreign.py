"""A RUN for another processor, through qemu's user emulation in a binfmt_misc of the test's own."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

QEMU = shutil.which("qemu-aarch64-static", path=f"{os.environ['PATH']}:{sys.prefix}/qemu")
KERNEL = tuple(int(part) for part in os.uname().release.split(".")[:2])

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.uname().machine == "aarch64", reason="arm64 is no foreign platform here"),
    pytest.mark.skipif(KERNEL < (6, 7), reason="binfmt_misc is the machine's own before Linux 6.7"),
    pytest.mark.skipif(QEMU is None, reason="needs qemu-aarch64-static (qemu-user-static)"),
]

# mkdirat(AT_FDCWD, "/made", 0755); write(1, "hello from arm64\n", 17); exit(0)
CODE = [
    0x92800C60,  # movn x0, #99
    0x10000181,  # adr x1, "/made"
    0xD2803DA2,  # movz x2, #0755
    0xD2800448,  # movz x8, #34
    0xD4000001,  # svc #0
    0xD2800020,  # movz x0, #1
    0x10000121,  # adr x1, "hello"
    0xD2800222,  # movz x2, #17
    0xD2800808,  # movz x8, #64
    0xD4000001,  # svc #0
    0xD2800000,  # movz x0, #0
    0xD2800BA8,  # movz x8, #93
]
TEXT = struct.pack("<13I", *CODE, 0xD4000001) + b"/made\0\0\0" + b"hello from arm64\n"
MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
DOCKERFILE = 'FROM scratch\nCOPY program /program\nRUN ["/program"]\n'


def program() -> bytes:
    """A static ELF file for arm64 of one segment."""
    start, size = 0x400000, 64 + 56
    head = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, start + size, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    )
    whole = size + len(TEXT)
    return head + struct.pack("<IIQQQQQQ", 1, 5, 0, start, start, whole, whole, 0x1000) + TEXT


def build(directory: Path, flags: str | None) -> subprocess.CompletedProcess[str]:
    """Build for arm64 where qemu is registered with `flags`, or not at all."""
    (directory / "context").mkdir()
    (directory / "context/Dockerfile").write_text(DOCKERFILE)
    (directory / "context/program").write_bytes(program())
    (directory / "context/program").chmod(0o755)
    handler = "" if flags is None else f":qemu-aarch64:M::{MAGIC}:{MASK}:{QEMU}:{flags}"
    command = [sys.executable, Path(__file__).with_name("inside.py"), directory, handler]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdin
    assert process.stdout
    first = process.stdout.readline()
    if first == "ready\n":
        for kind in ("uid", "gid"):
            Path(f"/proc/{process.pid}/{kind}_map").write_text("0 0 1000000")
    output, _ = process.communicate("go\n", timeout=120)
    return subprocess.CompletedProcess(command, process.returncode, first + output)


def test_a_registered_handler_runs_the_command(tmp_path: Path) -> None:
    done = build(tmp_path, "F")
    assert done.returncode == 0, done.stdout
    assert "hello from arm64" in done.stdout
    assert (tmp_path / "out/made").is_dir()


@pytest.mark.parametrize("flags", [None, ""])
def test_without_one_or_without_flag_f_the_error_says_what_to_do(tmp_path: Path, flags: str | None) -> None:
    done = build(tmp_path, flags)
    assert done.returncode == 1, done.stdout
    assert "a RUN for linux/arm64 can not run on this machine" in done.stdout
    assert "register qemu-user with binfmt_misc (flag F)" in done.stdout
    assert not (tmp_path / "out").exists()
