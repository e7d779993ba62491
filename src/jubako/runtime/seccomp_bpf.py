"""Resolved seccomp rules to a classic BPF program.

Shape:  check the architecture; search the system call's number in a balanced tree of ranges that share an action; a
leaf returns, or compares arguments first. The tree matters: the kernel runs the program for every number when it is
loaded (to learn which are always allowed), and on each call that is not.

Spec: seccomp(2), Documentation/networking/filter.rst.
"""

from __future__ import annotations

import struct

from jubako.errors import InvalidArgument
from jubako.runtime import seccomp_arch, seccomp_rules
from jubako.runtime.seccomp_arch import X32_BIT, Arch
from jubako.runtime.seccomp_profile import Resolved
from jubako.runtime.seccomp_rules import Call, Condition

_LD, _AND, _JA, _JEQ, _JGT, _JGE, _RET = 0x20, 0x54, 0x05, 0x15, 0x25, 0x35, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16

_KILL_THREAD = 0  # what libseccomp does about an architecture that the filter does not know
_NO_CALL = 0xFFFFFFFF  # a tracer's way to skip one, seccomp(2)
_ERRNO_ENOSYS = 0x00050000 | 38
_PART_MAX = 64
_JUMP_MAX = 255
_INSTRUCTIONS_MAX = 4096  # BPF_MAXINSNS

Instruction = tuple[int, int, int, int]
Leaf = int | Call


def assemble(resolved: Resolved) -> bytes:
    """The program for all architectures in `resolved`; any other one is killed."""
    code: list[Instruction] = [_ret(_KILL_THREAD)]
    for arch in reversed(resolved.arches):
        if arch.name == "SCMP_ARCH_X32":
            continue  # it shares its audit number with x86_64, and so the block
        block = [(_LD, 0, 0, _NUMBER), *_tree(_ranges_of(arch, resolved))]
        # The block lies right behind; what is not this architecture jumps over it.
        code = [(_JEQ, 1, 0, arch.audit), (_JA, 0, 0, len(block)), *block, *code]
    code = [(_LD, 0, 0, _ARCH), *code]
    if len(code) > _INSTRUCTIONS_MAX:
        raise InvalidArgument(f"seccomp: the filter takes {len(code)} instructions, more than {_INSTRUCTIONS_MAX}")
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _ranges_of(arch: Arch, resolved: Resolved) -> list[tuple[int, Leaf]]:
    ranges = _ranges(arch, resolved)
    if arch.name != "SCMP_ARCH_X86_64":
        return ranges
    x32 = seccomp_arch.named("SCMP_ARCH_X32")
    if x32 not in resolved.arches:
        return [*ranges, (X32_BIT, _KILL_THREAD), (_NO_CALL, resolved.default)]
    upper = _ranges(x32, resolved)
    at_bit = [leaf for first, leaf in upper if first <= X32_BIT][-1]
    return [*ranges, (X32_BIT, at_bit), *[each for each in upper if each[0] > X32_BIT]]


def _ranges(arch: Arch, resolved: Resolved) -> list[tuple[int, Leaf]]:
    """(first number, leaf) in order, neighbours with the same action joined.

    Numbers above all that the profile names are calls that its author did not know.
    """
    default = resolved.default
    calls = seccomp_rules.calls_of(resolved.rules, arch, default)
    last = seccomp_rules.last_of(resolved.rules, arch)
    if arch.table.startswith("s390") and last and resolved.unknown != default:
        calls[0] = Call(arch, resolved.unknown)  # numbers that the kernel does not know arrive as this one
    ranges: list[tuple[int, Leaf]] = [(0, default)]
    after = 0
    for number in sorted(calls):
        if number != after:
            _append(ranges, after, default)
        call = calls[number]
        _append(ranges, number, call if call.choices else call.otherwise)
        after = number + 1
    _append(ranges, after, default)
    if last:
        ranges = [each for each in ranges if each[0] <= last]
        _append(ranges, last + 1, resolved.unknown)
    return ranges


def _append(ranges: list[tuple[int, Leaf]], first: int, leaf: Leaf) -> None:
    if ranges and ranges[-1][0] == first:
        ranges.pop()
    if not ranges or ranges[-1][1] != leaf:
        ranges.append((first, leaf))


def _tree(ranges: list[tuple[int, Leaf]]) -> list[Instruction]:
    """Halve until a part's jumps reach its leaves, which follow it: a conditional jump spans 255 instructions."""
    if len(ranges) <= _PART_MAX and (part := _part(ranges)):
        return part
    middle = len(ranges) // 2
    lower, upper = _tree(ranges[:middle]), _tree(ranges[middle:])
    return [(_JGE, 0, 1, ranges[middle][0]), (_JA, 0, 0, len(lower)), *lower, *upper]


def _part(ranges: list[tuple[int, Leaf]]) -> list[Instruction]:
    """Comparisons first, then each different leaf once; [] when they lie too far behind."""
    comparisons = len(ranges) - 1
    leaves: list[Leaf] = []
    starts: list[int] = []
    tail: list[Instruction] = []
    for _, leaf in ranges:
        if leaf not in leaves:
            leaves.append(leaf)
            starts.append(comparisons + len(tail))
            tail += [_ret(leaf)] if isinstance(leaf, int) else _arguments(leaf)
    if starts[-1] > _JUMP_MAX:
        return []
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
        code += _all_of(conditions, result, call.arch)
    return [*code, _ret(call.otherwise)]


def _all_of(conditions: tuple[Condition, ...], result: int, arch: Arch) -> list[Instruction]:
    """Return `result` when all hold, else go on behind."""
    code = [_ret(result)]
    for condition in reversed(conditions):
        code = _when(condition, len(code), arch) + code
    return code


def _when(condition: Condition, skip: int, arch: Arch) -> list[Instruction]:
    """Go on when the condition holds, else jump `skip` instructions further. An argument is two 32-bit words."""
    at = _ARGUMENTS + 8 * condition.index
    load_low: list[Instruction] = [(_LD, 0, 0, at if arch.little else at + 4)]
    load_high: list[Instruction] = [(_LD, 0, 0, at + 4 if arch.little else at)]
    value = condition.second if condition.op == "MASKED_EQ" else condition.value
    low, high = value & 0xFFFFFFFF, value >> 32
    if condition.op == "MASKED_EQ":
        load_low.append((_AND, 0, 0, condition.value & 0xFFFFFFFF))
        load_high.append((_AND, 0, 0, condition.value >> 32))
    below = _comparison(condition.op, low, skip)
    if arch.bits == 32:
        return [*load_low, below]
    behind = len(load_low) + 1  # how far the end of this condition is from the start of its lower half
    match condition.op:
        case "EQ" | "MASKED_EQ":
            upper: list[Instruction] = [(_JEQ, 0, skip + behind, high)]
        case "NE":
            upper = [(_JEQ, 0, behind, high)]
        case "GT" | "GE":
            upper = [(_JGT, behind + 1, 0, high), (_JEQ, 0, skip + behind, high)]
        case _:
            upper = [(_JGT, skip + behind + 1, 0, high), (_JEQ, 0, behind, high)]
    return [*load_high, *upper, *load_low, below]


def _comparison(op: str, value: int, skip: int) -> Instruction:
    """Of the word that is loaded: go on when it holds, else skip."""
    match op:
        case "EQ" | "MASKED_EQ":
            return (_JEQ, 0, skip, value)
        case "NE":
            return (_JEQ, skip, 0, value)
        case "GT":
            return (_JGT, 0, skip, value)
        case "GE":
            return (_JGE, 0, skip, value)
        case "LT":
            return (_JGE, skip, 0, value)
        case _:  # LE
            return (_JGT, skip, 0, value)


def _ret(value: int) -> Instruction:
    return (_RET, 0, 0, value)
