"""Filters, run by a small interpreter of classic BPF."""

from __future__ import annotations

import errno
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubako.errors import InvalidArgument
from jubako.runtime import defaults, seccomp, seccomp_bpf, seccomp_profile
from jubako.runtime.seccomp_profile import Call, Condition, Resolved
from jubako.spec.oci_runtime import Seccomp, SeccompArg, SeccompRule

ALLOW, KILL = 0x7FFF0000, 0x80000000
X86_64, X86, AARCH64 = 0xC000003E, 0x40000003, 0xC00000B7
TABLES = json.loads((Path(seccomp_profile.__file__).parent / "data" / "syscalls.json").read_text())


def error(number: int) -> int:
    return 0x00050000 | number


def interpret(program: bytes, arch: int, number: int, *arguments: int) -> int:
    data = struct.pack("=IIQ6Q", number, arch, 0, *arguments, *[0] * (6 - len(arguments)))
    code = list(struct.iter_unpack("=HBBI", program))
    at, register = 0, 0
    while True:
        operation, jump_true, jump_false, k = code[at]
        at += 1
        match operation:
            case 0x20:
                register = struct.unpack_from("=I", data, k)[0]
            case 0x54:
                register &= k
            case 0x05:
                at += k
            case 0x15:
                at += jump_true if register == k else jump_false
            case 0x25:
                at += jump_true if register > k else jump_false
            case 0x35:
                at += jump_true if register >= k else jump_false
            case 0x06:
                return k
            case _:
                raise AssertionError(operation)


def default(capabilities: list[str], machine: str = "x86_64") -> bytes:
    profile = seccomp_profile.decode(Path(seccomp_profile.default_path()).read_bytes())
    return seccomp_bpf.assemble(seccomp_profile.resolve(profile, frozenset(capabilities), machine, (6, 8)))


def x86_64(name: str, *arguments: int, capabilities: list[str] | None = None) -> int:
    program = default(defaults.CAPABILITIES if capabilities is None else capabilities)
    return interpret(program, X86_64, TABLES["x86_64"][name], *arguments)


@pytest.mark.parametrize("name", ["read", "execve", "openat2", "chroot", "mseal", "ptrace", "clock_nanosleep"])
def test_the_default_profile_allows(name: str) -> None:
    assert x86_64(name) == ALLOW


_REFUSED = (
    "mount bpf unshare setns keyctl add_key io_uring_setup kexec_load swapon reboot init_module userfaultfd "
    "perf_event_open open_by_handle_at iopl settimeofday syslog"
).split()


@pytest.mark.parametrize("name", _REFUSED)
def test_the_default_profile_refuses(name: str) -> None:
    assert x86_64(name) == error(errno.EPERM)


def test_capabilities_open_what_they_stand_for() -> None:
    assert x86_64("mount", capabilities=["CAP_SYS_ADMIN"]) == ALLOW
    assert x86_64("clone3", capabilities=["CAP_SYS_ADMIN"]) == ALLOW
    assert x86_64("bpf", capabilities=["CAP_BPF"]) == ALLOW
    assert x86_64("chroot", capabilities=[]) == error(errno.EPERM)


def test_clone_makes_no_namespaces_and_clone3_does_not_exist() -> None:
    assert x86_64("clone", 0x01200011) == ALLOW
    assert x86_64("clone", 0x10000000) == error(errno.EPERM)
    assert x86_64("clone", 0x00020000 | 17) == error(errno.EPERM)
    assert x86_64("clone3") == error(errno.ENOSYS)


def test_arguments_decide_about_sockets_and_personalities() -> None:
    assert x86_64("socket", 2) == ALLOW
    assert x86_64("socket", 40) == error(errno.EPERM)
    assert x86_64("socket", (1 << 32) | 40) == ALLOW
    assert x86_64("personality", 0xFFFFFFFF) == ALLOW
    assert x86_64("personality", 8) == ALLOW
    assert x86_64("personality", 0x0040000) == error(errno.EPERM)


def test_calls_of_the_future_do_not_exist() -> None:
    program = default(defaults.CAPABILITIES)
    assert interpret(program, X86_64, 2000) == error(errno.ENOSYS)
    assert interpret(program, X86, 2000) == error(errno.ENOSYS)


def test_other_architectures_have_numbers_of_their_own() -> None:
    program = default(defaults.CAPABILITIES)
    assert interpret(program, X86, TABLES["x86"]["mount"]) == error(errno.EPERM)
    assert interpret(program, X86, TABLES["x86"]["waitpid"]) == ALLOW
    assert interpret(program, X86_64, TABLES["x32"]["read"]) == ALLOW
    assert interpret(program, X86_64, TABLES["x32"]["mount"]) == error(errno.EPERM)
    assert interpret(program, AARCH64, 0) == KILL
    arm = default(defaults.CAPABILITIES, "aarch64")
    assert interpret(arm, AARCH64, TABLES["aarch64"]["openat"]) == ALLOW
    assert interpret(arm, AARCH64, TABLES["aarch64"]["mount"]) == error(errno.EPERM)


def test_every_call_of_the_default_profile_does_as_resolved() -> None:
    profile = seccomp_profile.decode(Path(seccomp_profile.default_path()).read_bytes())
    resolved = seccomp_profile.resolve(profile, frozenset(defaults.CAPABILITIES), "x86_64", (6, 8))
    program = seccomp_bpf.assemble(resolved)
    for arch, audit in (("x86_64", X86_64), ("x86", X86)):
        for name, number in TABLES[arch].items():
            call = resolved.calls[arch].get(number)
            if call is None:
                assert interpret(program, audit, number) in (error(errno.EPERM), error(errno.ENOSYS)), name
            elif not call.choices:
                assert interpret(program, audit, number) == call.otherwise, name


_words = st.integers(min_value=0, max_value=(1 << 64) - 1) | st.sampled_from(
    [0, 1, 40, 1 << 32, (1 << 32) - 1, (1 << 64) - 1]
)
_conditions = st.builds(
    Condition, st.integers(0, 5), st.sampled_from(["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"]), _words, _words
)


def holds(condition: Condition, arguments: list[int]) -> bool:
    given_ = arguments[condition.index]
    return {
        "NE": given_ != condition.value,
        "LT": given_ < condition.value,
        "LE": given_ <= condition.value,
        "EQ": given_ == condition.value,
        "GE": given_ >= condition.value,
        "GT": given_ > condition.value,
        "MASKED_EQ": given_ & condition.value == condition.second,
    }[condition.op]


@given(
    st.lists(st.lists(_conditions, min_size=1, max_size=3), min_size=1, max_size=3),
    st.lists(_words, min_size=6, max_size=6),
)
def test_conditions_mean_what_they_say(choices: list[list[Condition]], arguments: list[int]) -> None:
    call = Call(error(1), [(tuple(conditions), 100 + at) for at, conditions in enumerate(choices)])
    program = seccomp_bpf.assemble(Resolved(error(1), {"x86_64": {7: call}}))
    wanted = next((100 + at for at, c in enumerate(choices) if all(holds(one, arguments) for one in c)), error(1))
    assert interpret(program, X86_64, 7, *arguments) == wanted
    assert interpret(program, X86_64, 6, *arguments) == error(1)
    assert interpret(program, X86_64, 8, *arguments) == error(errno.ENOSYS)


@given(st.dictionaries(st.integers(0, 600), st.sampled_from([ALLOW, KILL, error(2), error(5)]), max_size=400))
def test_any_set_of_rules_is_searched_right(rules: dict[int, int]) -> None:
    calls = {number: Call(result) for number, result in rules.items()}
    program = seccomp_bpf.assemble(Resolved(KILL, {"x86_64": calls}))
    for number in range(610):
        assert interpret(program, X86_64, number) == rules.get(number, KILL)


def test_a_specifications_filter_has_its_own_default_and_arguments() -> None:
    rule = SeccompRule(names=["mkdir", "no_such_call"], action="SCMP_ACT_ERRNO", errno_ret=77,
                       args=[SeccompArg(index=1, value=0o777, op="SCMP_CMP_EQ")])  # fmt: skip
    asked = Seccomp(default_action="SCMP_ACT_ALLOW", architectures=["SCMP_ARCH_X86_64"], syscalls=[rule])
    profile = seccomp_profile.decode(json.dumps(json.loads(encode(asked))).encode())
    program = seccomp_bpf.assemble(seccomp_profile.resolve(profile, frozenset(), "x86_64", (6, 8)))
    assert interpret(program, X86_64, TABLES["x86_64"]["mkdir"], 0, 0o777) == error(77)
    assert interpret(program, X86_64, TABLES["x86_64"]["mkdir"], 0, 0o755) == ALLOW
    assert interpret(program, X86_64, 2000) == ALLOW
    assert interpret(program, X86, 1) == KILL


def encode(asked: Seccomp) -> bytes:
    import msgspec

    return msgspec.json.encode(asked)


def one_rule(rule: str) -> bytes:
    return b'{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], %s}]}' % rule.encode()


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        b"{}",
        b"[]",
        b'{"defaultAction": "SCMP_ACT_NOTIFY"}',
        b'{"defaultAction": "nonsense"}',
        one_rule('"action": "x"'),
        one_rule('"action": "SCMP_ACT_ERRNO", "args": [{"index": 9, "value": 1, "op": "SCMP_CMP_EQ"}]'),
        one_rule('"action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_IS"}]'),
    ],
)
def test_a_wrong_profile_is_refused(profile: bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument):
        seccomp.program(tmp_path, [], profile)


def test_programs_are_kept_in_files_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "_programs", {})
    first = seccomp.program(tmp_path / "cache", ["CAP_KILL"])
    files = list((tmp_path / "cache").iterdir())
    assert [path.read_bytes() for path in files] == [first]
    files[0].write_bytes(b"x" * 16)
    seccomp._programs.clear()
    assert seccomp.program(tmp_path / "cache", ["CAP_KILL"]) == b"x" * 16
    seccomp._programs.clear()
    files[0].write_bytes(b"torn")
    assert seccomp.program(tmp_path / "cache", ["CAP_KILL"]) == first


def test_a_cache_that_can_not_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "_programs", {})
    (tmp_path / "file").write_text("")
    assert seccomp.program(tmp_path / "file" / "cache", ["CAP_FOWNER"])


def test_the_table_is_consistent() -> None:
    values: dict[str, Any] = TABLES
    for table in values.values():
        assert len(set(table.values())) == len(table)
