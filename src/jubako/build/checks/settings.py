"""Which rules apply: the `# check=` directive, or the build argument that replaces it.

Form: `skip=A,B;error=true;experimental=C`; `all` stands for every rule.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from jubako.build.checks.rules import RULES, Rule, Warned
from jubako.build.truth import truth
from jubako.errors import InvalidArgument
from jubako.spec.suggestion import suggestion

ARGUMENT = "BUILDKIT_DOCKERFILE_CHECK"


class CheckSettings(msgspec.Struct, frozen=True):
    """`error` says that a warning fails the build."""

    skip: frozenset[str] = frozenset()
    experimental: frozenset[str] = frozenset()
    error: bool = False

    def applies(self, rule: Rule) -> bool:
        """An experimental rule is asked for by name, or with all of them; what is skipped are the others."""
        if rule.experimental:
            return bool({rule.name, "all"} & self.experimental)
        return not {rule.name, "all"} & self.skip

    def select(self, warnings: Iterable[Warned]) -> list[Warned]:
        """Those that apply, in the order of the file."""
        return sorted(
            (warned for warned in warnings if self.applies(warned.rule)),
            key=lambda warned: (warned.first_line, warned.rule.name),
        )


def parse(text: str) -> CheckSettings:
    """Raises InvalidArgument for an option that there is not, and for a misspelled rule."""
    found: dict[str, frozenset[str]] = {}
    error = False
    for part in filter(None, map(str.strip, text.split(";"))):
        name, equals, value = map(str.strip, part.partition("="))
        if not equals or name not in ("skip", "experimental", "error"):
            raise InvalidArgument(f"invalid check option {part!r}", hint="skip=…, experimental=… or error=true")
        if name == "error":
            error = _truth(value)
        else:
            found[name] = _rules(value)
    return CheckSettings(error=error, **found)


def _truth(value: str) -> bool:
    found = truth(value)
    if found is None:
        raise InvalidArgument(f"invalid check option error={value}: it is true or false")
    return found


def _rules(value: str) -> frozenset[str]:
    """A name that is like none of ours may be a rule of another builder's; one that is almost right is a mistake."""
    names = frozenset(filter(None, map(str.strip, value.split(","))))
    for name in sorted(names - set(RULES) - {"all"}):
        if meant := suggestion(name, RULES):
            raise InvalidArgument(f"there is no check {name!r}{meant}")
    return names
