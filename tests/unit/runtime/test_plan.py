from __future__ import annotations

import importlib.util
import os
import struct
from pathlib import Path

import pytest

import jubako
from jubako.errors import DataLoss, InvalidArgument
from jubako.linux import fd as fds_of
from jubako.runtime import attach, failure, opcodes, program
from jubako.runtime.plan import Plan

EXECUTOR = Path(__file__).resolve().parents[3] / "executor"


def test_both_sides_have_their_numbers_from_one_table() -> None:
    found = importlib.util.spec_from_file_location("generate", EXECUTOR / "generate.py")
    assert found
    assert found.loader
    generate = importlib.util.module_from_spec(found)
    found.loader.exec_module(generate)
    assert Path(opcodes.__file__).read_text() == generate.render((EXECUTOR / "operations.h").read_text())


def test_operations_are_aligned_and_the_monitors_come_first() -> None:
    plan = Plan()
    plan.add(opcodes.HOSTNAME, "box")
    plan.add(opcodes.RUN_DIR, 7)
    data = plan.encode()
    magic, version, zero, size, count = struct.unpack_from("=IHHII", data)
    assert (magic, version, zero, size, count) == (opcodes.PLAN_MAGIC, opcodes.PLAN_VERSION, 0, len(data), 2)
    assert struct.unpack_from("=IHHq", data, 16) == (16, opcodes.RUN_DIR, 0, 7)
    assert struct.unpack_from("=IHHI4s", data, 32) == (16, opcodes.HOSTNAME, 1, 3, b"box\0")
    assert len(data) == 48


def test_bytes_that_are_no_text_survive() -> None:
    plan = Plan()
    plan.add(opcodes.HOSTNAME, os.fsdecode(b"\xff\xfe"))
    assert b"\xff\xfe\0" in plan.encode()


def well_formed() -> bytes:
    plan = Plan()
    plan.add(opcodes.INIT_CHANNEL, 100, -1)
    plan.add(opcodes.RUN_DIR, 101)
    plan.add(opcodes.CLONE, 0, 0)
    plan.add(opcodes.EXECUTE, 0, "true")
    return plan.encode()


def changed(offset: int, data: bytes) -> bytes:
    plan = bytearray(well_formed())
    plan[offset : offset + len(data)] = data
    return bytes(plan)


@pytest.mark.skipif(
    not os.path.exists(os.path.join(os.path.dirname(jubako.__file__), "_bin", "executor")), reason="not built"
)
@pytest.mark.parametrize(
    "plan",
    [
        b"",
        b"jbko",
        changed(0, b"oops"),
        changed(4, b"\xff"),
        changed(8, b"\xff"),
        changed(12, b"\xff\xff"),
        changed(16, struct.pack("=I", 4)),
        changed(16, struct.pack("=I", 1 << 30)),
        changed(20, struct.pack("=H", 999)),
        changed(22, struct.pack("=H", 9)),
        well_formed()[:-8],
        well_formed() + b"\0" * 8,
        changed(len(well_formed()) - 8, b"x"),
    ],
    ids=range(13),
)
def test_a_malformed_plan_is_refused_before_anything_is_done(plan: bytes) -> None:
    mine, theirs = fds_of.packet_pair()
    try:
        pid = program.spawn(plan, theirs, [])
        os.close(theirs)
        attach.wait_readable(mine, 10)
        told = failure.decode(os.read(mine, 2048))
        program.reap(pid)
    finally:
        os.close(mine)
    assert told.stage == opcodes.STAGE_DECODE
    assert isinstance(failure.to_error(told), DataLoss)


def test_what_the_executor_has_no_room_for_is_refused_by_name() -> None:
    plan = Plan()
    for _ in range(opcodes.PLAN_OPERATIONS_MAX + 1):
        plan.add(opcodes.MASK, "/proc/kcore")
    with pytest.raises(InvalidArgument, match="masked paths and the like: 4097 steps, at most 4096"):
        plan.encode()
    plan = Plan()
    plan.add(opcodes.ENVIRONMENT, "A=" + "x" * opcodes.PLAN_BYTES_MAX)
    with pytest.raises(InvalidArgument, match="the specification is too large"):
        plan.encode()
    with pytest.raises(InvalidArgument, match="too many arguments, variables and options: more than 65536"):
        plan.add(opcodes.ENVIRONMENT, *["A="] * opcodes.PLAN_STRINGS_MAX)


def test_a_number_that_the_plan_can_not_hold_is_named() -> None:
    with pytest.raises(InvalidArgument, match=f"io priority: a number is out of range: {1 << 63}"):
        Plan().add(opcodes.IO_PRIORITY, 1 << 63)
