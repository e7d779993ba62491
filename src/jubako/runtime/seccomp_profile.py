"""Seccomp profiles, as Docker (`--security-opt seccomp=FILE`) and the runtime specification write them, checked.

Docker's profiles choose their rules by capabilities, architecture and kernel version; the specification's have no such
conditions. What is wrong is said in runc's words.

Spec: OCI runtime-spec, config-linux.md, "Seccomp".
"""

from __future__ import annotations

import msgspec

from jubako.errors import InvalidArgument
from jubako.runtime import seccomp_arch
from jubako.runtime.seccomp_arch import Arch
from jubako.runtime.seccomp_rules import OPERATORS, Condition, Rule
from jubako.spec import decoding
from jubako.spec.oci_runtime import SeccompArg, Struct

ACTIONS = {
    "SCMP_ACT_KILL": 0x00000000,
    "SCMP_ACT_KILL_THREAD": 0x00000000,
    "SCMP_ACT_KILL_PROCESS": 0x80000000,
    "SCMP_ACT_TRAP": 0x00030000,
    "SCMP_ACT_ERRNO": 0x00050000,
    "SCMP_ACT_NOTIFY": 0x7FC00000,
    "SCMP_ACT_TRACE": 0x7FF00000,
    "SCMP_ACT_LOG": 0x7FFC0000,
    "SCMP_ACT_ALLOW": 0x7FFF0000,
}
NOTIFY = ACTIONS["SCMP_ACT_NOTIFY"]
_EPERM, _ENOSYS = 1, 38
_DATA_MAX = {"SCMP_ACT_ERRNO": 4095, "SCMP_ACT_TRACE": 0xFFFF}  # MAX_ERRNO; SECCOMP_RET_DATA
_PERMISSIVE = ("SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE")


class _Filter(Struct, kw_only=True):
    caps: list[str] = []
    arches: list[str] = []
    min_kernel: str = ""


class _Rule(Struct, kw_only=True):
    names: list[str] | None = None
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

    default_action: str = ""
    default_errno_ret: int | None = None
    arch_map: list[_ArchMap] | None = None
    architectures: list[str] | None = None
    syscalls: list[_Rule] | None = None
    flags: list[str] | None = None
    listener_path: str = ""
    listener_metadata: str = ""


class Resolved(msgspec.Struct, frozen=True):
    """What holds on this machine. `arches` begins with the native one; `unknown` happens to numbers above all that the
    rules name."""

    default: int
    unknown: int
    arches: list[Arch]
    rules: list[Rule]


def decode(data: bytes) -> Profile:
    """Decode a profile. Raises InvalidArgument."""
    try:
        return decoding.decode(data, Profile)
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"decoding seccomp profile failed: {error}") from None


def resolve(profile: Profile, capabilities: frozenset[str], machine: str, kernel: tuple[int, int]) -> Resolved:
    """Choose the rules that apply here."""
    native = seccomp_arch.native(machine)
    default = action(profile.default_action, profile.default_errno_ret)
    if default == NOTIFY:
        raise InvalidArgument("SCMP_ACT_NOTIFY cannot be used as default action")
    rules = [
        each for rule in profile.syscalls or [] if _applies(rule, capabilities, native, kernel) for each in _plain(rule)
    ]
    # ENOSYS lets libc fall back, where EPERM would be taken for an answer. As runc does.
    unknown = default if profile.default_action in _PERMISSIVE else ACTIONS["SCMP_ACT_ERRNO"] | _ENOSYS
    return Resolved(default, unknown, _arches(profile, native), rules)


def action(name: str, errno_ret: int | None) -> int:
    """The filter's return value."""
    if name not in ACTIONS:
        raise InvalidArgument(f"string {name} is not a valid action for seccomp")
    if name not in _DATA_MAX:
        if errno_ret is not None:
            raise InvalidArgument(f"seccomp: errnoRet {errno_ret} is given for {name}, which returns no errno")
        return ACTIONS[name]
    data = _EPERM if errno_ret is None else errno_ret
    if not 0 <= data <= _DATA_MAX[name]:
        raise InvalidArgument(f"seccomp: errnoRet {data} of {name} is not between 0 and {_DATA_MAX[name]}")
    return ACTIONS[name] | data


def _arches(profile: Profile, native: Arch) -> list[Arch]:
    """The native architecture is always one of them."""
    if profile.arch_map and profile.architectures:
        raise InvalidArgument("seccomp: use either 'architectures' or 'archMap', not both")
    mapped = [[a.architecture, *(a.sub_architectures or [])] for a in profile.arch_map or []]
    names = [name for group in mapped if group[0] == native.name for name in group]
    arches = dict.fromkeys([native, *map(seccomp_arch.named, names + (profile.architectures or []))])
    for arch in arches:
        if arch.little != native.little:
            raise InvalidArgument(f"seccomp: {arch.name} and {native.name} differ in the order of bytes")
    return list(arches)


def _plain(rule: _Rule) -> list[Rule]:
    """One for each name; more where two conditions are on one argument, which would never both hold: such are read as
    alternatives, as Docker and runc do."""
    result = action(rule.action, rule.errno_ret)
    names = rule.names or []
    if rule.name and names:
        raise InvalidArgument("seccomp: use either 'name' or 'names' of a rule, not both")
    names = names or ([rule.name] if rule.name else [])
    if "" in names:
        raise InvalidArgument("seccomp: empty string is not a valid syscall")
    if result == NOTIFY and "write" in names:
        raise InvalidArgument("SCMP_ACT_NOTIFY cannot be used for the write syscall")
    conditions = tuple(sorted(map(_condition, rule.args or []), key=lambda one: one.index))
    indexes = {one.index for one in conditions}
    alternatives = [conditions] if len(indexes) == len(conditions) else [(one,) for one in conditions]
    return [Rule(name, result, alternative) for name in names for alternative in alternatives]


def _condition(arg: SeccompArg) -> Condition:
    op = arg.op.removeprefix("SCMP_CMP_")
    if op not in OPERATORS or op == arg.op:
        raise InvalidArgument(f"string {arg.op} is not a valid operator for seccomp")
    if not 0 <= arg.index < 6:
        raise InvalidArgument(f"seccomp: syscalls only have up to 6 arguments ({arg.index} given)")
    for value in (arg.value, arg.value_two):
        if not 0 <= value < 1 << 64:
            raise InvalidArgument(f"seccomp: value {value} of an argument does not fit in 64 bits")
    return Condition(arg.index, op, arg.value, arg.value_two)


def _applies(rule: _Rule, capabilities: frozenset[str], native: Arch, kernel: tuple[int, int]) -> bool:
    if includes := rule.includes:
        if includes.arches and native.docker not in includes.arches:
            return False
        if not capabilities.issuperset(includes.caps):
            return False
        if includes.min_kernel and kernel < _version(includes.min_kernel):
            return False
    if excludes := rule.excludes:
        if native.docker in excludes.arches or capabilities.intersection(excludes.caps):
            return False
        if excludes.min_kernel and kernel >= _version(excludes.min_kernel):
            return False
    return True


def _version(text: str) -> tuple[int, int]:
    major, _, rest = text.partition(".")
    try:
        return int(major), int(rest.partition(".")[0] or 0)
    except ValueError:
        raise InvalidArgument(f"seccomp: invalid kernel version: {text}") from None
