"""Several rules for one system call, put together as libseccomp does it.

A rule without conditions decides alone: the first of them, whatever rules with conditions stand before or behind. Among
rules with conditions that hold at the same time, the order in the profile says nothing: `_order` does, so that the
narrower of two comparisons wins. Two with the same conditions and other actions are a contradiction.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jubako.errors import InvalidArgument
from jubako.runtime import seccomp_arch
from jubako.runtime.seccomp_arch import Arch

OPERATORS = ("NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ")


class Condition(msgspec.Struct, frozen=True):
    """`value` is 64 bits wide; for MASKED_EQ it is the mask, and what it leaves of `second` and of the argument must be
    equal."""

    index: int
    op: str
    value: int
    second: int = 0


Conditions = tuple[Condition, ...]


class Rule(msgspec.Struct, frozen=True):
    """Conditions are in the order of the arguments, one for each."""

    name: str
    action: int
    conditions: Conditions = ()


class Call(msgspec.Struct):
    """What happens to one system call of `arch`: the first of `choices` whose conditions all hold, else `otherwise`."""

    arch: Arch
    otherwise: int
    choices: list[tuple[Conditions, int]] = []
    decided: bool = False

    def add(self, rule: Rule, conditions: Conditions) -> None:
        if self.decided:
            return
        if not conditions:
            self.otherwise, self.choices, self.decided = rule.action, [], True
            return
        for known, action in self.choices:
            if known == conditions:
                if action != rule.action:
                    raise InvalidArgument(f"seccomp: two rules for {rule.name} contradict each other")
                return
        self.choices.append((conditions, rule.action))


def calls_of(rules: Sequence[Rule], arch: Arch, default: int) -> dict[int, Call]:
    """System call number -> what to do; names that the architecture lacks are skipped."""
    found: dict[int, Call] = {}
    table = seccomp_arch.numbers(arch.table)
    for rule in rules:
        if rule.action == default:
            continue  # nothing to say, not even to a rule behind it
        narrowed = [_narrowed(one, arch) for one in rule.conditions]
        conditions = tuple(one for one in narrowed if one.op != "MASKED_EQ" or one.value)  # a mask of 0 lets all pass
        if many := seccomp_arch.multiplexed(arch, rule.name):
            # Its first argument lies in memory, where no filter sees it.
            selected = (Condition(0, "EQ", many[1]), *(one for one in conditions if one.index))
            found.setdefault(many[0], Call(arch, default)).add(rule, selected)
        if rule.name in table:
            found.setdefault(table[rule.name], Call(arch, default)).add(rule, conditions)
    for call in found.values():
        call.choices.sort(key=lambda choice: [_order(one) for one in choice[0]])
    return found


def last_of(rules: Sequence[Rule], arch: Arch) -> int:
    """The highest number that any rule names; 0 when they name none of this architecture's."""
    table = seccomp_arch.numbers(arch.table)
    return max((table.get(rule.name, 0) for rule in rules), default=0)


def _narrowed(condition: Condition, arch: Arch) -> Condition:
    width = (1 << arch.bits) - 1
    value = condition.value & width
    return Condition(condition.index, condition.op, value, condition.second & value)


def _order(condition: Condition) -> tuple[int, ...]:
    """Later arguments first; on one argument, unequal, equal, the lowest upper limit, the highest lower limit."""
    match condition.op:
        case "NE":
            return -condition.index, 0, -condition.value
        case "EQ":
            return -condition.index, 1, -condition.value
        case "MASKED_EQ":
            return -condition.index, 1, -condition.second
        case "LT" | "LE":
            return -condition.index, 2, condition.value
        case _:
            return -condition.index, 3, -condition.value
