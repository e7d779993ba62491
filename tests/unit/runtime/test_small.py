from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import pytest

from jubako.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, ResourceExhausted
from jubako.linux import cgroup, device_filter, userns
from jubako.linux.cgroup import device_rules, seam, v2_limits, v2_memory
from jubako.runtime import defaults, failure, opcodes, state, sysctl
from jubako.runtime.launch import Exit
from jubako.spec.oci_runtime import CPUResources, DeviceRule, IDMapping, MemoryResources, PidsResources, Resources


def record(operation: int, error: int, path: str = "", detail: str = "", stage: int = opcodes.STAGE_INIT) -> bytes:
    text = path.encode() + detail.encode()
    return struct.pack("=IIIIiHH", opcodes.MESSAGE_FAILED, stage, operation, 3, error, len(path), len(detail)) + text


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        (record(opcodes.EXECUTE, errno.ENOENT, "ls"), NotFound, 'exec: "ls": executable file not found in $PATH'),
        (record(opcodes.EXECUTE, errno.ENOENT, "/ls"), NotFound, 'exec: "/ls": stat /ls: no such file or directory'),
        (record(opcodes.EXECUTE, errno.EACCES, "/etc"), PermissionDenied, 'exec: "/etc": permission denied'),
        (record(opcodes.EXECUTE, errno.ENOEXEC, "/x"), PermissionDenied, 'exec: "/x": exec format error'),
        (record(opcodes.BIND, errno.ENOENT, "/src"), InvalidArgument, "failed to bind /src: no such file or directory"),
        (
            record(opcodes.CLONE, errno.ENOSPC),
            ResourceExhausted,
            "failed to make namespaces and the first process: no space",
        ),
        (
            record(opcodes.ROOT_FILESYSTEM, errno.EIO, "overlay", "e overlay: bad"),
            FailedPrecondition,
            r"\(overlay: bad\)",
        ),
    ],
)
def test_failures_become_errors_of_the_right_kind(message: bytes, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text.replace("$", r"\$")):
        raise failure.to_error(failure.decode(message))


def test_sysctls_belong_to_namespaces() -> None:
    made = {"network", "ipc", "uts"}
    assert sysctl.path("net.ipv4.ip_forward", made) == "net/ipv4/ip_forward"
    assert sysctl.path("net/ipv4/conf/eth0.1/forwarding", made) == "net/ipv4/conf/eth0.1/forwarding"
    assert sysctl.path("kernel.shmmax", made) == "kernel/shmmax"
    assert sysctl.path("fs.mqueue.msg_max", made) == "fs/mqueue/msg_max"
    for name in (
        "kernel.panic",
        "vm.swappiness",
        "fs.file-max",
        "net",
        "",
        "/etc/passwd",
        "net.\0x",
        "user.max_user_namespaces",
    ):
        with pytest.raises(InvalidArgument):
            sysctl.path(name, made)


def test_device_rules_are_written_as_v1_wants_them() -> None:
    lines = [device_rules.line(rule) for rule in device_rules.checked(defaults.DEVICE_RULES)]
    assert lines[:4] == ["a", "c *:* m", "b *:* m", "c 1:3 rwm"]
    assert lines[-1] == "c 136:* rwm"


def allowed(rules: list[DeviceRule], kind: int, access: int, major: int, minor: int) -> bool:
    """Interpret the eBPF program."""
    context = {0: access << 16 | kind, 4: major, 8: minor}
    code = list(struct.iter_unpack("=BBhi", device_filter.assemble(rules)))
    registers, at = [0] * 10, 0
    while True:
        operation, pair, offset, value = code[at]
        target, source = pair & 15, pair >> 4
        at += 1
        match operation:
            case 0x61:
                registers[target] = context[offset]
            case 0xBF:
                registers[target] = registers[source]
            case 0xB7:
                registers[target] = value
            case 0x54:
                registers[target] &= value
            case 0x74:
                registers[target] >>= value
            case 0x15:
                at += offset if registers[target] == value else 0
            case 0x55:
                at += offset if registers[target] != value else 0
            case 0x5D:
                at += offset if registers[target] != registers[source] else 0
            case 0x95:
                return bool(registers[0])
            case _:
                raise AssertionError(operation)


def test_the_device_filter_decides_by_the_last_rule_that_fits() -> None:
    mknod, read, write, block, char = 1, 2, 4, 1, 2
    rules = defaults.DEVICE_RULES
    assert allowed(rules, char, read | write, 1, 3)
    assert allowed(rules, char, mknod, 1, 11)
    assert allowed(rules, block, mknod, 8, 0)
    assert allowed(rules, char, read, 136, 77)
    assert not allowed(rules, block, read, 8, 0)
    assert not allowed(rules, char, read, 1, 11)
    assert not allowed(rules, char, mknod | read, 1, 11)
    assert not allowed([], char, read, 1, 3)
    assert allowed([DeviceRule(allow=True)], block, read, 8, 0)
    deny_write = [DeviceRule(allow=True), DeviceRule(allow=False, type="b", major=8, access="w")]
    assert allowed(deny_write, block, read, 8, 0)
    assert not allowed(deny_write, block, read | write, 8, 0)


def test_hierarchies_are_found_in_a_mountinfo() -> None:
    text = (
        "31 23 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n"
        "32 31 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
        "33 31 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "34 31 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    )
    found = cgroup.find_hierarchies(text)
    assert found.unified == "/sys/fs/cgroup/unified"
    assert found.v1 == {"cpu": "/sys/fs/cgroup/cpu,cpuacct", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct"}


@pytest.mark.parametrize("name", ["", "/", "a/../b", "..", "a//b", "x\0y", "./a"])
def test_names_that_leave_the_subtree_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a cgroup name"):
        seam.check_name(name)


def test_v2_limits_are_converted(tmp_path: Path) -> None:
    for name in ("memory.max", "memory.swap.max", "cpu.max", "cpu.weight", "pids.max"):
        (tmp_path / name).write_text("")
    resources = Resources(
        memory=MemoryResources(limit=100, swap=150),
        cpu=CPUResources(shares=1024, quota=50000),
        pids=PidsResources(limit=-1),
    )
    v2_limits.apply(str(tmp_path), resources)
    read = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert read == {
        "memory.max": "100",
        "memory.swap.max": "50",
        "cpu.max": "50000 100000",
        "cpu.weight": "39",
        "pids.max": "max",
    }
    with pytest.raises(InvalidArgument, match="swap"):
        v2_memory.swap_alone(100, 50)


def test_id_ranges_are_read_by_name_and_number(tmp_path: Path) -> None:
    file = tmp_path / "subuid"
    file.write_text("ann:100000:65536\n# no\nbob:1:x\n1000:300000:10\nann:5\n")
    assert userns.ranges(str(file), "ann", 1000) == [(100000, 65536), (300000, 10)]
    assert userns.ranges(str(tmp_path / "none"), "ann", 1000) == []


def test_a_map_of_oneself_needs_no_helper() -> None:
    own = [IDMapping(container_id=0, host_id=os.geteuid(), size=1)]
    own_group = [IDMapping(container_id=0, host_id=os.getegid(), size=1)]
    assert userns.is_own_id(own, own_group)
    assert not userns.is_own_id([*own, IDMapping(container_id=1, host_id=100000, size=9)], own_group)


def test_a_state_without_a_monitor_is_stopped(tmp_path: Path) -> None:
    assert state.read(tmp_path / "none") == state.State("stopped")
    (tmp_path / "state").write_text('{"pid":1,"pid_start":1,"monitor":2,"started_ns":5}')
    assert state.read(tmp_path) == state.State("stopped", 0, 5)
    (tmp_path / "exit").write_text('{"code":3,"signal":0,"oom":false,"started_ns":5,"finished_ns":6}')
    assert state.read(tmp_path) == state.State("stopped", 0, 5, Exit(3, 0, False, 5, 6))
