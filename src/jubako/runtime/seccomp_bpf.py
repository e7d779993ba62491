"""Resolved seccomp rules to a classic BPF program.

Shape:  check the architecture; search the system call's number in a balanced tree of ranges that share an action; a
leaf returns, or compares arguments first. The tree matters: the kernel runs the program for every number when it is
loaded (to learn which are always allowed), and on each call that is not.

Spec: seccomp(2), Documentation/networking/filter.rst.
"""

from __future__ import annotations

import struct

from jubako.runtime.seccomp_profile import Call, Condition, Resolved

_LD, _AND, _JA, _JEQ, _JGT, _JGE, _RET = 0x20, 0x54, 0x05, 0x15, 0x25, 0x35, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16

_AUDIT_ARCH = {"x86_64": 0xC000003E, "x86": 0x40000003, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
_KILL_PROCESS = 0x80000000
_ERRNO, _ENOSYS = 0x00050000, 38
_PART_MAX = 64

Instruction = tuple[int, int, int, int]
Leaf = int | Call


def assemble(resolved: Resolved) -> bytes:
    """The program for all architectures in `resolved`; any other one is killed."""
    blocks = {_AUDIT_ARCH[arch]: _block(arch, resolved) for arch in resolved.calls if arch in _AUDIT_ARCH}
    code: list[Instruction] = [_ret(_KILL_PROCESS)]
    for audit_arch, block in reversed(blocks.items()):
        # The block lies right behind; what is not this architecture jumps over it.
        code = [(_JEQ, 1, 0, audit_arch), (_JA, 0, 0, len(block)), *block, *code]
    code = [(_LD, 0, 0, _ARCH), *code]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _block(arch: str, resolved: Resolved) -> list[Instruction]:
    ranges = _ranges(resolved.calls[arch], resolved.default)
    if arch == "x86_64":
        # x32 shares the architecture; its numbers have a bit set.
        x32 = resolved.calls.get("x32")
        upper = _ranges(x32, resolved.default) if x32 else [(0, _ERRNO | _ENOSYS)]
        at_bit = [leaf for first, leaf in upper if first <= _X32_BIT][-1]
        ranges += [(_X32_BIT, at_bit), *[r for r in upper if r[0] > _X32_BIT]]
    return [(_LD, 0, 0, _NUMBER), *_tree(ranges)]


def _ranges(calls: dict[int, Call], default: int) -> list[tuple[int, Leaf]]:
    """(first number, leaf) in order, neighbours with the same action joined.

    Numbers above all that the profile names are calls that its author did not know: ENOSYS lets libc fall back, where
    EPERM would be taken for an answer. As runc does.
    """
    unknown = _ERRNO | _ENOSYS if default >> 16 == _ERRNO >> 16 else default
    ranges: list[tuple[int, Leaf]] = [(0, default)]
    after = -1
    for number in sorted(calls):
        if number != after:
            _append(ranges, after if after >= 0 else 0, default)
        call = calls[number]
        _append(ranges, number, call if call.choices else call.otherwise)
        after = number + 1
    _append(ranges, max(after, 0), unknown)
    return ranges


def _append(ranges: list[tuple[int, Leaf]], first: int, leaf: Leaf) -> None:
    if ranges and ranges[-1][0] == first:
        ranges.pop()
    if not ranges or ranges[-1][1] != leaf:
        ranges.append((first, leaf))


def _tree(ranges: list[tuple[int, Leaf]]) -> list[Instruction]:
    """Halve until a part's jumps reach its leaves, which follow it: a conditional jump spans 255 instructions."""
    if len(ranges) <= _PART_MAX:
        return _part(ranges)
    middle = len(ranges) // 2
    lower, upper = _tree(ranges[:middle]), _tree(ranges[middle:])
    return [(_JGE, 0, 1, ranges[middle][0]), (_JA, 0, 0, len(lower)), *lower, *upper]


def _part(ranges: list[tuple[int, Leaf]]) -> list[Instruction]:
    """Comparisons first, then each different leaf once."""
    comparisons = len(ranges) - 1
    leaves: list[Leaf] = []
    starts: list[int] = []
    tail: list[Instruction] = []
    for _, leaf in ranges:
        if leaf not in leaves:
            leaves.append(leaf)
            starts.append(comparisons + len(tail))
            tail += [_ret(leaf)] if isinstance(leaf, int) else _arguments(leaf)
    code: list[Instruction] = []

    def place(low: int, high: int) -> int:
        """Where the search in ranges[low:high] begins."""
        if high - low == 1:
            return starts[leaves.index(ranges[low][1])]
        at, middle = len(code), (low + high) // 2
        code.append(_ret(0))
        below, above = place(low, middle), place(middle, high)
        code[at] = (_JGE, above - at - 1, below - at - 1, ranges[middle][0])
        return at

    place(0, len(ranges))
    return [*code, *tail]


def _arguments(call: Call) -> list[Instruction]:
    code: list[Instruction] = []
    for conditions, result in call.choices:
        code += _all_of(conditions, result)
    return [*code, _ret(call.otherwise)]


def _all_of(conditions: tuple[Condition, ...], result: int) -> list[Instruction]:
    """Return `result` when all hold, else go on behind."""
    code = [_ret(result)]
    for condition in reversed(conditions):
        code = _when(condition, len(code)) + code
    return code


def _when(condition: Condition, skip: int) -> list[Instruction]:
    """Go on when the condition holds, else jump `skip` instructions further. An argument is two 32-bit words."""
    low, high = _ARGUMENTS + 8 * condition.index, _ARGUMENTS + 8 * condition.index + 4
    value = condition.second if condition.op == "MASKED_EQ" else condition.value
    value_low, value_high = value & 0xFFFFFFFF, value >> 32
    load_high: list[Instruction] = [(_LD, 0, 0, high)]
    load_low: list[Instruction] = [(_LD, 0, 0, low)]
    match condition.op:
        case "EQ":
            return [*load_high, (_JEQ, 0, skip + 2, value_high), *load_low, (_JEQ, 0, skip, value_low)]
        case "NE":
            return [*load_high, (_JEQ, 0, 2, value_high), *load_low, (_JEQ, skip, 0, value_low)]
        case "MASKED_EQ":
            mask_low, mask_high = condition.value & 0xFFFFFFFF, condition.value >> 32
            upper = [*load_high, (_AND, 0, 0, mask_high), (_JEQ, 0, skip + 3, value_high)]
            return [*upper, *load_low, (_AND, 0, 0, mask_low), (_JEQ, 0, skip, value_low)]
        case "GT" | "GE":
            jump = _JGT if condition.op == "GT" else _JGE
            upper = [*load_high, (_JGT, 3, 0, value_high), (_JEQ, 0, skip + 2, value_high)]
            return [*upper, *load_low, (jump, 0, skip, value_low)]
        case _:  # LT, LE: not GE, not GT
            jump = _JGE if condition.op == "LT" else _JGT
            upper = [*load_high, (_JGT, skip + 3, 0, value_high), (_JEQ, 0, 2, value_high)]
            return [*upper, *load_low, (jump, skip, 0, value_low)]


def _ret(value: int) -> Instruction:
    return (_RET, 0, 0, value)
