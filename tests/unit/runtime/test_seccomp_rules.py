"""Rules and architectures, compared with libseccomp's own programs for the same."""

from __future__ import annotations

import os

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jubako.errors import InvalidArgument
from jubako.runtime import seccomp_arch, seccomp_bpf
from jubako.runtime.seccomp_arch import ARCHES, Arch
from jubako.runtime.seccomp_profile import Resolved
from jubako.runtime.seccomp_rules import Condition, Rule

from .bpf import ALLOW, ENOSYS, KILL_THREAD, X86, X86_64, Libseccomp, Refused, error, interpret

try:
    LIBRARY = Libseccomp()
except OSError:
    LIBRARY = None  # type: ignore[assignment]

NATIVE = ARCHES["SCMP_ARCH_X86_64"]
LITTLE = [arch for arch in ARCHES.values() if arch.little]
# Calls that all these architectures have, under numbers of their own. With others libseccomp 2.5 errs: it does not find
# accept behind x86's socketcall, and a name that one architecture lacks (mmap on ARM) can make it forget to load the
# number.
NAMES = ["read", "socket", "openat", "connect", "futex", "semget", "shmat", "accept4", "io_setup"]

oracle = pytest.mark.skipif(
    LIBRARY is None or os.uname().machine != "x86_64",
    reason="needs libseccomp.so.2, on the machine whose table is used",
)


def ours(rules: list[Rule], arches: list[Arch], default: int = error(1)) -> bytes:
    return seccomp_bpf.assemble(Resolved(default, default, list(dict.fromkeys([NATIVE, *arches])), rules))


_values = st.sampled_from([0, 1, 2, 3, 40, (1 << 32) - 1]) | st.integers(0, (1 << 32) - 1)
_wide = _values | st.sampled_from([1 << 32, (1 << 32) + 1, (1 << 32) + 2, (2 << 32) + 1, (1 << 64) - 1, 1 << 63])


def _conditions(
    values: st.SearchStrategy[int], ops: list[str], indexes: int = 3
) -> st.SearchStrategy[tuple[Condition, ...]]:
    one = st.tuples(st.sampled_from(ops), values, values)
    some = st.dictionaries(st.integers(0, indexes - 1), one, max_size=2)
    return some.map(lambda chosen: tuple(Condition(index, *chosen[index]) for index in sorted(chosen)))


def _what(rule: Rule) -> tuple[object, ...]:
    return rule.name, *((one.index, one.op, one.value) for one in rule.conditions)


def _rules(
    values: st.SearchStrategy[int], ops: list[str], size: int, indexes: int = 3
) -> st.SearchStrategy[list[Rule]]:
    actions = st.sampled_from([ALLOW, error(7), KILL_THREAD])
    rule = st.builds(Rule, st.sampled_from(NAMES), actions, _conditions(values, ops, indexes))
    # Of two that are the same, libseccomp 2.5 can drop both.
    return st.lists(rule, max_size=size, unique_by=_what)


def compare(rules: list[Rule], arches: list[Arch], calls: list[list[int]]) -> None:
    """Both refuse the rules, or both programs do the same about each named call, and about numbers at the borders."""
    try:
        theirs = LIBRARY.program(error(1), arches, rules)
    except Refused:
        assume(False)
        return
    program = ours(rules, arches)
    for arch in [NATIVE, *arches]:
        table = seccomp_arch.numbers(arch.table)
        numbers = {table[rule.name] for rule in rules if rule.name in table} | {0, 999, 0x40000005, 0xFFFFFFFF}
        numbers |= {table[name] for name in ("socketcall", "ipc") if name in table}
        for number in numbers:
            for call in calls:
                words = call if arch.bits == 64 else [word & 0xFFFFFFFF for word in call]
                wanted = interpret(theirs, arch.audit, number, *words)
                assert interpret(program, arch.audit, number, *words) == wanted, (arch.name, number, words)


_calls = st.lists(st.lists(_wide, min_size=6, max_size=6), min_size=1, max_size=6)
_arches = st.lists(st.sampled_from([arch for arch in LITTLE if LIBRARY and LIBRARY.knows(arch)] or LITTLE), max_size=4)


@oracle
@settings(deadline=None, max_examples=150)
@given(_rules(_values, ["EQ"], 6), _arches, _calls)
def test_several_rules_for_many_calls_on_any_architectures_do_as_libseccomps(
    rules: list[Rule], arches: list[Arch], calls: list[list[int]]
) -> None:
    compare(rules, list(dict.fromkeys(arches)), calls)


@oracle
def test_calls_that_only_another_architecture_has_do_as_libseccomps() -> None:
    compare([Rule("mmap2", ALLOW), Rule("waitpid", error(3))], [ARCHES["SCMP_ARCH_X86"]], [[0] * 6])


@oracle
@settings(deadline=None, max_examples=150)
@given(_conditions(_wide, ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"]), _calls)
def test_every_operator_does_as_libseccomps(conditions: tuple[Condition, ...], calls: list[list[int]]) -> None:
    compare([Rule("read", ALLOW, conditions)], [ARCHES["SCMP_ARCH_X86"], ARCHES["SCMP_ARCH_X32"]], calls)


@oracle
@settings(deadline=None, max_examples=100)
@given(_rules(_wide, ["GT", "GE"], 3, indexes=1), _calls)
def test_the_highest_of_several_lower_limits_decides_as_with_libseccomp(
    rules: list[Rule], calls: list[list[int]]
) -> None:
    compare(rules, [], calls)


@oracle
@pytest.mark.parametrize(
    "arch", [arch for arch in ARCHES.values() if LIBRARY and LIBRARY.knows(arch)], ids=lambda a: a.name
)
def test_numbers_are_libseccomps(arch: Arch) -> None:
    """But for calls that it finds by the call that stands for many, or does not know yet."""
    table = seccomp_arch.numbers(arch.table)
    assert len(table) > 300
    for name, number in table.items():
        theirs = LIBRARY.number(arch, name)
        assert theirs == number or theirs < 0, name


def test_every_architecture_has_a_table() -> None:
    for arch in ARCHES.values():
        table = seccomp_arch.numbers(arch.table)
        assert {"read", "write", "openat", "execve", "seccomp"} <= table.keys()
        assert all((number >= 0x40000000) == (arch.name == "SCMP_ARCH_X32") for number in table.values())


def test_the_first_rule_without_conditions_decides() -> None:
    first, second = Rule("read", error(2)), Rule("read", ALLOW)
    some = Rule("read", error(3), (Condition(0, "EQ", 7),))
    for rules in ([first, second], [some, first, second], [first, some]):
        assert interpret(ours(rules, []), X86_64, 0, 7) == error(2)


def test_a_contradiction_is_refused() -> None:
    one = (Condition(0, "EQ", 7),)
    with pytest.raises(InvalidArgument, match="two rules for read contradict each other"):
        ours([Rule("read", ALLOW, one), Rule("read", error(3), one)], [])


def test_a_rule_that_says_what_the_default_says_is_no_rule() -> None:
    program = ours([Rule("read", error(1)), Rule("read", ALLOW)], [])
    assert interpret(program, X86_64, 0) == ALLOW


def test_calls_of_sockets_are_found_behind_socketcall_too() -> None:
    arches = [ARCHES["SCMP_ARCH_X86"]]
    table = seccomp_arch.numbers("x86")
    program = ours([Rule("connect", ALLOW), Rule("accept", ALLOW), Rule("semop", ALLOW)], arches)
    assert interpret(program, X86, table["connect"]) == ALLOW
    assert interpret(program, X86, table["socketcall"], 3) == ALLOW
    assert interpret(program, X86, table["socketcall"], 5) == ALLOW
    assert interpret(program, X86, table["socketcall"], 2) == error(1)
    assert interpret(program, X86, table["ipc"], 1) == ALLOW


@pytest.mark.parametrize("arch", LITTLE, ids=lambda arch: arch.name)
def test_every_architecture_of_this_order_of_bytes_can_be_filtered(arch: Arch) -> None:
    unknown = Resolved(error(1), ENOSYS, [NATIVE, arch] if arch != NATIVE else [NATIVE], [Rule("openat", ALLOW)])
    program = seccomp_bpf.assemble(unknown)
    number = seccomp_arch.numbers(arch.table)["openat"]
    assert interpret(program, arch.audit, number) == ALLOW
    assert interpret(program, arch.audit, number - 1) == error(1)
    assert interpret(program, arch.audit, number + 1) == ENOSYS


def test_x32_is_killed_where_it_is_not_named_and_a_tracers_no_call_is_not() -> None:
    program = ours([Rule("read", ALLOW)], [])
    assert interpret(program, X86_64, 0x40000000) == KILL_THREAD
    assert interpret(program, X86_64, 0xFFFFFFFF) == error(1)
    assert interpret(ours([Rule("read", ALLOW)], [ARCHES["SCMP_ARCH_X32"]]), X86_64, 0x40000000) == ALLOW


def test_calls_that_s390_does_not_know_arrive_as_number_0() -> None:
    s390x = ARCHES["SCMP_ARCH_S390X"]
    program = seccomp_bpf.assemble(Resolved(error(1), ENOSYS, [s390x], [Rule("exit", ALLOW)]))
    assert interpret(program, s390x.audit, 0) == ENOSYS
    assert interpret(program, s390x.audit, 1) == ALLOW
    assert interpret(program, s390x.audit, 2) == ENOSYS


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("i686", "X86"),
        ("armv7l", "ARM"),
        ("aarch64", "AARCH64"),
        ("ppc64le", "PPC64LE"),
        ("riscv64", "RISCV64"),
        ("s390x", "S390X"),
        ("mips64", "MIPSEL64"),
        ("loongarch64", "LOONGARCH64"),
    ],
)
def test_machines_have_their_architecture(machine: str, name: str) -> None:
    assert seccomp_arch.native(machine).name == f"SCMP_ARCH_{name}"


def test_a_long_list_of_conditions_is_reached() -> None:
    """A conditional jump spans 255 instructions; the leaves are longer than that together."""
    names = sorted(seccomp_arch.numbers("x86_64"))[:60]
    rules = [
        Rule(name, ALLOW, (Condition(1, "EQ", at + value),)) for at, name in enumerate(names) for value in (1, 2, 3)
    ]
    program = ours(rules, [])
    for at, name in enumerate(names):
        number = seccomp_arch.numbers("x86_64")[name]
        assert [interpret(program, X86_64, number, 0, at + value) for value in (0, 3)] == [error(1), ALLOW]


def test_a_filter_that_the_kernel_would_not_take_is_refused() -> None:
    rules = [Rule("read", ALLOW, (Condition(1, "EQ", value),)) for value in range(1000)]
    with pytest.raises(InvalidArgument, match="instructions, more than 4096"):
        ours(rules, [])
