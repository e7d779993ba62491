"""Seccomp profiles, as Docker (`--security-opt seccomp=FILE`) and the runtime specification write them, resolved.

Resolved: for each architecture of this machine, system call number -> what to do with it. Docker's profiles choose
their rules by capabilities, architecture and kernel version; the specification's have no such conditions.
"""

from __future__ import annotations

import functools
import os

import msgspec

from jubako.errors import InvalidArgument
from jubako.spec.oci_runtime import SeccompArg, Struct

_DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")

_MACHINES = {"x86_64": ("x86_64", "x86", "x32"), "aarch64": ("aarch64",)}
_ARCH_NAMES = {
    "SCMP_ARCH_X86_64": "x86_64",
    "SCMP_ARCH_X86": "x86",
    "SCMP_ARCH_X32": "x32",
    "SCMP_ARCH_AARCH64": "aarch64",
}
_DOCKER_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}

_ACTIONS = {
    "SCMP_ACT_KILL": 0x00000000,
    "SCMP_ACT_KILL_THREAD": 0x00000000,
    "SCMP_ACT_KILL_PROCESS": 0x80000000,
    "SCMP_ACT_TRAP": 0x00030000,
    "SCMP_ACT_ERRNO": 0x00050000,
    "SCMP_ACT_TRACE": 0x7FF00000,
    "SCMP_ACT_LOG": 0x7FFC0000,
    "SCMP_ACT_ALLOW": 0x7FFF0000,
}
ACTIONS = sorted(_ACTIONS)
ARCHITECTURES = sorted(_ARCH_NAMES)
_WITH_DATA = frozenset({"SCMP_ACT_ERRNO", "SCMP_ACT_TRACE"})
_EPERM = 1


class Condition(msgspec.Struct, frozen=True):
    """Arguments: `value` is 64 bits wide; for MASKED_EQ it is the mask and `second` what must be left."""

    index: int
    op: str
    value: int
    second: int = 0


class Call(msgspec.Struct):
    """What happens to one system call: the first of `choices` whose conditions all hold, else `otherwise`."""

    otherwise: int
    choices: list[tuple[tuple[Condition, ...], int]] = []


class Resolved(msgspec.Struct, frozen=True):
    default: int
    calls: dict[str, dict[int, Call]]


class _Filter(Struct, kw_only=True):
    caps: list[str] = []
    arches: list[str] = []
    min_kernel: str = ""


class _Rule(Struct, kw_only=True):
    names: list[str] = []
    name: str = ""
    action: str
    errno_ret: int | None = None
    args: list[SeccompArg] | None = None
    includes: _Filter | None = None
    excludes: _Filter | None = None


class _ArchMap(Struct, kw_only=True):
    architecture: str
    sub_architectures: list[str] | None = None


class Profile(Struct, kw_only=True):
    """Both forms in one: `archMap` is Docker's, `architectures` the specification's."""

    default_action: str
    default_errno_ret: int | None = None
    arch_map: list[_ArchMap] = []
    architectures: list[str] = []
    syscalls: list[_Rule] | None = None


def default_path() -> str:
    return os.path.join(_DATA, "seccomp.json")


def decode(data: bytes) -> Profile:
    """Decode a profile. Raises InvalidArgument."""
    try:
        return msgspec.json.decode(data, type=Profile)
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"decoding seccomp profile failed: {error}") from None


@functools.cache
def _tables() -> dict[str, dict[str, int]]:
    with open(os.path.join(_DATA, "syscalls.json"), "rb") as file:
        return msgspec.json.decode(file.read(), type=dict[str, dict[str, int]])


def architectures(profile: Profile, machine: str) -> list[str]:
    """Which of this machine's architectures the profile lets run. The native one always is."""
    if machine not in _MACHINES:
        raise InvalidArgument(f"seccomp filters for {machine} are not supported")
    mapped = [[a.architecture, *(a.sub_architectures or [])] for a in profile.arch_map]
    named = [n for group in mapped if _ARCH_NAMES.get(group[0]) == machine for n in group] + profile.architectures
    wanted = {_ARCH_NAMES.get(name, "") for name in named} | {machine}
    return [name for name in _MACHINES[machine] if name in wanted]


def resolve(profile: Profile, capabilities: frozenset[str], machine: str, kernel: tuple[int, int]) -> Resolved:
    """Choose the rules that apply here and look up their numbers; names that an architecture lacks are skipped."""
    default = action(profile.default_action, profile.default_errno_ret)
    calls: dict[str, dict[int, Call]] = {}
    rules = [rule for rule in profile.syscalls or [] if _applies(rule, capabilities, machine, kernel)]
    for arch in architectures(profile, machine):
        table, found = _tables()[arch], calls.setdefault(arch, {})
        for rule in rules:
            for name in [*rule.names, *([rule.name] if rule.name else [])]:
                if name in table:
                    _add(found.setdefault(table[name], Call(default)), rule)
    return Resolved(default, calls)


def action(name: str, errno_ret: int | None) -> int:
    """The filter's return value."""
    if name not in _ACTIONS:
        raise InvalidArgument(f"seccomp action {name} is not supported")
    data = (_EPERM if errno_ret is None else errno_ret) if name in _WITH_DATA else 0
    return _ACTIONS[name] | (data & 0xFFFF)


def _add(call: Call, rule: _Rule) -> None:
    """A rule without arguments decides; several with arguments are alternatives. As libseccomp has it."""
    result = action(rule.action, rule.errno_ret)
    conditions = tuple(_condition(arg) for arg in rule.args or [])
    if conditions:
        # Two conditions on one argument would never both hold: Docker reads them as alternatives.
        indexes = [condition.index for condition in conditions]
        alternatives = [(c,) for c in conditions] if len(set(indexes)) < len(indexes) else [conditions]
        call.choices += [(alternative, result) for alternative in alternatives]
    else:
        call.otherwise, call.choices = result, []


def _condition(arg: SeccompArg) -> Condition:
    op = arg.op.removeprefix("SCMP_CMP_")
    if op not in ("NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ") or not 0 <= arg.index < 6:
        raise InvalidArgument(f"seccomp: invalid argument condition {arg.op} on argument {arg.index}")
    return Condition(arg.index, op, arg.value & ((1 << 64) - 1), arg.value_two & ((1 << 64) - 1))


def _applies(rule: _Rule, capabilities: frozenset[str], machine: str, kernel: tuple[int, int]) -> bool:
    arch = _DOCKER_NAMES.get(machine, machine)
    if includes := rule.includes:
        if includes.arches and arch not in includes.arches:
            return False
        if not capabilities.issuperset(includes.caps):
            return False
        if includes.min_kernel and kernel < _version(includes.min_kernel):
            return False
    if excludes := rule.excludes:
        if arch in excludes.arches or capabilities.intersection(excludes.caps):
            return False
        if excludes.min_kernel and kernel >= _version(excludes.min_kernel):
            return False
    return True


def _version(text: str) -> tuple[int, int]:
    major, _, rest = text.partition(".")
    return int(major), int(rest.partition(".")[0] or 0)
