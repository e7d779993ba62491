"""Which foreign programs binfmt_misc lets this machine run."""

from __future__ import annotations

from pathlib import Path

import pytest

from jubako.build.emulation import can_run
from jubako.image import platform as platforms

HANDLER = "{state}\ninterpreter /usr/bin/{name}\nflags: {flags}\noffset 0\nmagic 7f45\nmask ff\n"


@pytest.mark.parametrize(
    ("state", "name", "flags", "runs"),
    [
        ("enabled", "qemu-s390x-static", "OCF", True),
        ("enabled", "qemu-s390x", "F", True),
        ("disabled", "qemu-s390x-static", "OCF", False),
        ("enabled", "qemu-s390x-static", "OC", False),
        ("enabled", "qemu-mips-static", "F", False),
    ],
)
def test_a_foreign_program_needs_an_enabled_handler_with_flag_f(
    tmp_path: Path, state: str, name: str, flags: str, runs: bool
) -> None:
    (tmp_path / "register").write_text("")
    (tmp_path / "qemu").write_text(HANDLER.format(state=state, name=name, flags=flags))
    assert can_run(platforms.parse("linux/s390x"), tmp_path) is runs


def test_own_programs_always_run_and_those_of_another_system_never(tmp_path: Path) -> None:
    assert can_run(platforms.host(), tmp_path / "missing")
    assert not can_run(platforms.parse("windows/amd64"), tmp_path)
    assert not can_run(platforms.parse("linux/s390x"), tmp_path / "missing")
