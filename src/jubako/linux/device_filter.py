"""Device rules on cgroup v2: an eBPF program on the group decides about each open and mknod.

The rules are tested from the last to the first, and the first that fits decides; none fits, none is allowed. It is a
straight program without loops: load the access's type, numbers and kind, then compare.

Spec: bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE; include/uapi/linux/bpf.h, struct bpf_cgroup_dev_ctx.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from jubako.linux.cgroup.device_rules import checked
from jubako.linux.syscall import syscall
from jubako.spec.oci_runtime import DeviceRule

_BPF = {"x86_64": 321, "aarch64": 280}
_PROG_LOAD, _PROG_ATTACH, _PROG_DETACH, _PROG_QUERY, _GET_FD_BY_ID = 5, 8, 9, 16, 13
_CGROUP_DEVICE_PROGRAM, _CGROUP_DEVICE, _ALLOW_MULTI = 15, 6, 2
_TYPES = {"b": 1, "c": 2}
_ACCESS = {"m": 1, "r": 2, "w": 4}

_MOVE_REGISTER, _MOVE, _LOAD32, _AND, _SHIFT, _EXIT = 0xBF, 0xB7, 0x61, 0x54, 0x74, 0x95
_JUMP_EQ, _JUMP_NE, _JUMP_NE_REGISTER = 0x15, 0x55, 0x5D
_JUMPS = (_JUMP_EQ, _JUMP_NE, _JUMP_NE_REGISTER)

Instruction = tuple[int, int, int, int, int]


def replace(cgroup_fd: int, rules: Iterable[DeviceRule]) -> None:
    """Let `rules` decide from now on, in place of earlier ones."""
    earlier = _attached(cgroup_fd)
    program = _load(assemble(rules))
    try:
        _call(_PROG_ATTACH, struct.pack("=IIIII", cgroup_fd, program, _CGROUP_DEVICE, _ALLOW_MULTI, 0))
    finally:
        os.close(program)
    for identifier in earlier:
        old = _call(_GET_FD_BY_ID, struct.pack("=III", identifier, 0, 0))
        try:
            _call(_PROG_DETACH, struct.pack("=III", cgroup_fd, old, _CGROUP_DEVICE))
        finally:
            os.close(old)


def assemble(rules: Iterable[DeviceRule]) -> bytes:
    """The program. Registers: 2 type, 3 access, 4 major, 5 minor."""
    code: list[Instruction] = [
        (_LOAD32, 2, 1, 0, 0),
        (_MOVE_REGISTER, 3, 2, 0, 0),
        (_AND, 2, 0, 0, 0xFFFF),
        (_SHIFT, 3, 0, 0, 16),
        (_LOAD32, 4, 1, 4, 0),
        (_LOAD32, 5, 1, 8, 0),
    ]
    for rule in reversed(checked(rules)):
        code += _rule(rule)
        if rule.type == "a":
            break  # it fits everything
    else:
        code += _return(allow=False)
    return b"".join(map(_encode, code))


def _encode(instruction: Instruction) -> bytes:
    code, target, source, offset, value = instruction
    return struct.pack("=BBhi", code, source << 4 | target, offset, value)


def _rule(rule: DeviceRule) -> list[Instruction]:
    checks: list[list[Instruction]] = []
    if rule.type in _TYPES:
        checks.append([(_JUMP_NE, 2, 0, 0, _TYPES[rule.type])])
    asked = sum(_ACCESS[letter] for letter in set(rule.access))
    if asked != 7:
        # Allowed is what asks for nothing but these; denied what asks for any of them.
        beyond: Instruction = (_JUMP_NE_REGISTER, 1, 3, 0, 0) if rule.allow else (_JUMP_EQ, 1, 0, 0, 0)
        checks.append([(_MOVE_REGISTER, 1, 3, 0, 0), (_AND, 1, 0, 0, asked), beyond])
    for register, number in ((4, rule.major), (5, rule.minor)):
        if number is not None:
            checks.append([(_JUMP_NE, register, 0, 0, number)])
    body = [instruction for check in checks for instruction in check] + _return(allow=rule.allow)
    return [_aimed(instruction, len(body) - at - 1) for at, instruction in enumerate(body)]


def _aimed(instruction: Instruction, distance: int) -> Instruction:
    """A jump that has failed goes behind the rule."""
    code, target, source, offset, value = instruction
    return code, target, source, distance if code in _JUMPS else offset, value


def _return(*, allow: bool) -> list[Instruction]:
    return [(_MOVE, 0, 0, 0, int(allow)), (_EXIT, 0, 0, 0, 0)]


def _load(code: bytes) -> int:
    instructions = ctypes.create_string_buffer(code, len(code))
    licence = ctypes.create_string_buffer(b"Apache")
    head = struct.pack("=II", _CGROUP_DEVICE_PROGRAM, len(code) // 8)
    pointers = struct.pack("=QQ", ctypes.addressof(instructions), ctypes.addressof(licence))
    return _call(_PROG_LOAD, head + pointers + struct.pack("=IIQII16s", 0, 0, 0, 0, 0, b"device"))


def _attached(cgroup_fd: int) -> list[int]:
    identifiers = (ctypes.c_uint32 * 64)()
    attributes = struct.pack("=IIIIQII", cgroup_fd, _CGROUP_DEVICE, 0, 0, ctypes.addressof(identifiers), 64, 0)
    buffer = _call_buffer(_PROG_QUERY, attributes)
    count: int = struct.unpack_from("=I", buffer.raw, 24)[0]
    return list(identifiers)[:count]


def _call(command: int, attributes: bytes) -> int:
    buffer = ctypes.create_string_buffer(attributes, max(len(attributes), 128))
    return syscall(_BPF[os.uname().machine], command, buffer, len(buffer))


def _call_buffer(command: int, attributes: bytes) -> ctypes.Array[ctypes.c_char]:
    buffer = ctypes.create_string_buffer(attributes, 128)
    syscall(_BPF[os.uname().machine], command, buffer, len(buffer))
    return buffer
