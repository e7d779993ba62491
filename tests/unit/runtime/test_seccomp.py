"""Filters, run by a small interpreter of classic BPF."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubako.errors import InvalidArgument
from jubako.runtime import defaults, seccomp, seccomp_arch, seccomp_bpf, seccomp_cache, seccomp_profile, seccomp_rules
from jubako.runtime.seccomp_arch import ARCHES
from jubako.runtime.seccomp_profile import Resolved
from jubako.runtime.seccomp_rules import Condition, Rule
from jubako.spec.oci_runtime import Seccomp, SeccompArg, SeccompRule

from .bpf import AARCH64, ALLOW, KILL_PROCESS, KILL_THREAD, X86, X86_64, error, interpret


def default(capabilities: list[str], machine: str = "x86_64") -> bytes:
    profile = seccomp_profile.decode(Path(seccomp.default_path()).read_bytes())
    return seccomp_bpf.assemble(seccomp_profile.resolve(profile, frozenset(capabilities), machine, (6, 8)))


def x86_64(name: str, *arguments: int, capabilities: list[str] | None = None) -> int:
    program = default(defaults.CAPABILITIES if capabilities is None else capabilities)
    return interpret(program, X86_64, seccomp_arch.numbers("x86_64")[name], *arguments)


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
    assert interpret(program, X86, seccomp_arch.numbers("x86")["mount"]) == error(errno.EPERM)
    assert interpret(program, X86, seccomp_arch.numbers("x86")["waitpid"]) == ALLOW
    assert interpret(program, X86_64, seccomp_arch.numbers("x32")["read"]) == ALLOW
    assert interpret(program, X86_64, seccomp_arch.numbers("x32")["mount"]) == error(errno.EPERM)
    assert interpret(program, AARCH64, 0) == KILL_THREAD
    arm = default(defaults.CAPABILITIES, "aarch64")
    assert interpret(arm, AARCH64, seccomp_arch.numbers("aarch64")["openat"]) == ALLOW
    assert interpret(arm, AARCH64, seccomp_arch.numbers("aarch64")["mount"]) == error(errno.EPERM)


def test_every_call_of_the_default_profile_does_as_resolved() -> None:
    profile = seccomp_profile.decode(Path(seccomp.default_path()).read_bytes())
    resolved = seccomp_profile.resolve(profile, frozenset(defaults.CAPABILITIES), "x86_64", (6, 8))
    program = seccomp_bpf.assemble(resolved)
    for arch in (ARCHES["SCMP_ARCH_X86_64"], ARCHES["SCMP_ARCH_X86"]):
        calls = seccomp_rules.calls_of(resolved.rules, arch, resolved.default)
        for name, number in seccomp_arch.numbers(arch.table).items():
            call = calls.get(number)
            if call is None:
                assert interpret(program, arch.audit, number) in (error(errno.EPERM), error(errno.ENOSYS)), name
            elif not call.choices:
                assert interpret(program, arch.audit, number) == call.otherwise, name


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
        "MASKED_EQ": given_ & condition.value == condition.second & condition.value,
    }[condition.op]


@given(
    st.lists(_conditions, min_size=1, max_size=4, unique_by=lambda one: one.index),
    st.lists(_words, min_size=6, max_size=6),
)
def test_conditions_mean_what_they_say(conditions: list[Condition], arguments: list[int]) -> None:
    rule = Rule("mmap", ALLOW, tuple(sorted(conditions, key=lambda one: one.index)))
    program = seccomp_bpf.assemble(Resolved(error(1), error(38), [ARCHES["SCMP_ARCH_X86_64"]], [rule]))
    wanted = ALLOW if all(holds(one, arguments) for one in conditions) else error(1)
    assert interpret(program, X86_64, 9, *arguments) == wanted
    assert interpret(program, X86_64, 8, *arguments) == error(1)
    assert interpret(program, X86_64, 10, *arguments) == error(errno.ENOSYS)


_NAMES = sorted(seccomp_arch.numbers("x86_64"))


@given(
    st.dictionaries(st.sampled_from(_NAMES), st.sampled_from([ALLOW, KILL_THREAD, error(2), error(5)]), max_size=300)
)
def test_any_set_of_rules_is_searched_right(wanted: dict[str, int]) -> None:
    rules = [Rule(name, action) for name, action in wanted.items()]
    program = seccomp_bpf.assemble(Resolved(KILL_PROCESS, KILL_PROCESS, [ARCHES["SCMP_ARCH_X86_64"]], rules))
    for name, number in seccomp_arch.numbers("x86_64").items():
        assert interpret(program, X86_64, number) == wanted.get(name, KILL_PROCESS)


def test_a_specifications_filter_has_its_own_default_and_arguments() -> None:
    rule = SeccompRule(names=["mkdir", "no_such_call"], action="SCMP_ACT_ERRNO", errno_ret=77,
                       args=[SeccompArg(index=1, value=0o777, op="SCMP_CMP_EQ")])  # fmt: skip
    asked = Seccomp(default_action="SCMP_ACT_ALLOW", architectures=["SCMP_ARCH_X86_64"], syscalls=[rule])
    profile = seccomp_profile.decode(msgspec.json.encode(asked))
    program = seccomp_bpf.assemble(seccomp_profile.resolve(profile, frozenset(), "x86_64", (6, 8)))
    assert interpret(program, X86_64, seccomp_arch.numbers("x86_64")["mkdir"], 0, 0o777) == error(77)
    assert interpret(program, X86_64, seccomp_arch.numbers("x86_64")["mkdir"], 0, 0o755) == ALLOW
    assert interpret(program, X86_64, 2000) == ALLOW
    assert interpret(program, X86, 1) == KILL_THREAD


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
        one_rule('"action": "SCMP_ACT_NOTIFY"'),
        one_rule('"action": "SCMP_ACT_ERRNO", "args": [{"index": 9, "value": 1, "op": "SCMP_CMP_EQ"}]'),
        one_rule('"action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_IS"}]'),
    ],
)
def test_a_wrong_profile_is_refused(profile: bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument):
        seccomp.of_profile(tmp_path, [], profile)


def test_programs_are_kept_in_files_and_read_again(tmp_path: Path) -> None:
    def program() -> bytes:
        seccomp.forget()
        return seccomp.of_profile(tmp_path / "cache", ["CAP_KILL"]).program

    first = program()
    files = list((tmp_path / "cache").iterdir())
    assert [path.read_bytes() for path in files] == [first]
    files[0].write_bytes(b"x" * 16)
    assert program() == b"x" * 16
    files[0].write_bytes(b"torn")
    assert program() == first


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_cache_that_others_may_write_to_is_not_read(tmp_path: Path, mode: int) -> None:
    seccomp_cache.write(str(tmp_path / "cache"), "name", b"x" * 16)
    assert seccomp_cache.read(str(tmp_path / "cache"), "name") == b"x" * 16
    (tmp_path / "cache").chmod(mode)
    assert seccomp_cache.read(str(tmp_path / "cache"), "name") is None


def test_a_cache_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    seccomp_cache.write(str(tmp_path / "real"), "name", b"x" * 16)
    (tmp_path / "cache").symlink_to("real")
    assert seccomp_cache.read(str(tmp_path / "cache"), "name") is None


def test_a_cache_that_can_not_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert seccomp.of_profile(tmp_path / "file" / "cache", ["CAP_FOWNER"])


STATE = {"ociVersion": "1.2.0", "id": "c", "status": "created", "pid": 0, "bundle": "/b", "annotations": {"a": "b"}}


def notifying(**fields: Any) -> Seccomp:
    rules = [SeccompRule(names=["mkdir"], action="SCMP_ACT_NOTIFY")]
    return Seccomp(**{"default_action": "SCMP_ACT_ALLOW", "syscalls": rules, "listener_path": "/agent", **fields})


def test_an_agent_is_told_the_state_with_the_pid_of_the_process() -> None:
    asked = notifying(listener_metadata="about it")
    for pid, pieces in ((0, 3), (33, 2)):
        made = seccomp.of_specification(asked, STATE, pid=pid)
        assert made
        assert made.agent
        assert made.agent.path == "/agent"
        assert len(made.agent.pieces) == pieces
        assert msgspec.json.decode("44".join(made.agent.pieces)) == {
            "ociVersion": "1.2.0",
            "fds": ["seccompFd"],
            "pid": 44,
            "metadata": "about it",
            "state": {**STATE, "pid": pid or 44},
        }


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (notifying(listener_path=""), "SCMP_ACT_NOTIFY is used, but listenerPath is not set"),
        (notifying(listener_path="", listener_metadata="x"), "listenerMetadata is set, but listenerPath is not set"),
        (notifying(flags=["SECCOMP_FILTER_FLAG_NONE"]), "seccomp flag SECCOMP_FILTER_FLAG_NONE is not known"),
        (notifying(syscalls=[SeccompRule(names=["read", "write"], action="SCMP_ACT_NOTIFY")]), "the write syscall"),
        (notifying(default_action="SCMP_ACT_NOTIFY"), "SCMP_ACT_NOTIFY cannot be used as default action"),
        (
            Seccomp(default_action="SCMP_ACT_ALLOW", flags=["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]),
            "WAIT_KILLABLE_RECV is only for filters with SCMP_ACT_NOTIFY",
        ),
        (Seccomp(default_action="SCMP_ACT_KILL", default_errno_ret=2), "errnoRet 2 is given for SCMP_ACT_KILL"),
        (Seccomp(default_action="SCMP_ACT_ERRNO", default_errno_ret=4096), "errnoRet 4096 of SCMP_ACT_ERRNO"),
        (
            Seccomp(default_action="SCMP_ACT_ALLOW", architectures=["SCMP_ARCH_Z80"]),
            "SCMP_ARCH_Z80 is not a valid arch",
        ),
        (Seccomp(syscalls=[SeccompRule(names=["read"], action="SCMP_ACT_LOG")]), "is not a valid action for seccomp"),
    ],
)
def test_a_specification_that_is_wrong_is_refused(
    asked: Seccomp, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(InvalidArgument, match=said):
        seccomp.of_specification(asked, STATE)


def test_an_empty_seccomp_is_none() -> None:
    assert seccomp.of_specification(Seccomp(), STATE) is None
    assert seccomp.of_specification(None, STATE) is None


def test_flags_that_are_not_given_leave_speculation_as_it_is() -> None:
    def flags(given_: list[str] | None) -> int:
        made = seccomp.of_specification(Seccomp(default_action="SCMP_ACT_ALLOW", flags=given_), STATE)
        assert made
        return made.flags

    assert [flags(None), flags([])] == [4, 0]
    assert flags(["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"]) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCMP_ACT_KILL", 0),
        ("SCMP_ACT_KILL_THREAD", 0),
        ("SCMP_ACT_KILL_PROCESS", 0x80000000),
        ("SCMP_ACT_TRAP", 0x00030000),
        ("SCMP_ACT_ERRNO", 0x00050001),
        ("SCMP_ACT_TRACE", 0x7FF00001),
        ("SCMP_ACT_LOG", 0x7FFC0000),
        ("SCMP_ACT_NOTIFY", 0x7FC00000),
        ("SCMP_ACT_ALLOW", 0x7FFF0000),
    ],
)
def test_actions_are_the_kernels(name: str, value: int) -> None:
    assert seccomp_profile.action(name, None) == value
    if name in ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE"):
        assert seccomp_profile.action(name, 4000) == value - 1 + 4000


def test_two_conditions_on_one_argument_are_alternatives() -> None:
    args = [SeccompArg(index=1, value=value, op="SCMP_CMP_EQ") for value in (3, 5)]
    profile = seccomp_profile.decode(
        msgspec.json.encode(
            Seccomp(
                default_action="SCMP_ACT_ERRNO",
                syscalls=[SeccompRule(names=["socket"], action="SCMP_ACT_ALLOW", args=args)],
            )
        )
    )
    program = seccomp_bpf.assemble(seccomp_profile.resolve(profile, frozenset(), "x86_64", (6, 8)))
    assert [interpret(program, X86_64, 41, 0, value) for value in (3, 4, 5)] == [ALLOW, error(1), ALLOW]
