"""What .dockerignore leaves out of the build context.

Model:  the last pattern that matches a path, or one of the directories above it, decides; `!` takes it in again.
        Verdicts go down the tree: a directory's matches are handed to its children, so that each path is compared
        with each pattern once.
Spec:   Dockerfile reference, ".dockerignore file"; moby/patternmatcher.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

import msgspec

from jubako.build.files.pattern import BadPattern, component, ignore_pattern
from jubako.errors import InvalidArgument


class _Rule(msgspec.Struct, frozen=True):
    expression: re.Pattern[str]
    takes_in: bool
    components: list[str]


class Verdict(msgspec.Struct, frozen=True):
    """Whether a path is left out, and which rules it (or a directory above) matched."""

    ignored: bool = False
    matches: tuple[bool, ...] = ()


class Ignore:
    """The rules of one .dockerignore file."""

    def __init__(self, lines: Iterable[str] = (), *, name: str = ".dockerignore") -> None:
        self._rules = [rule for number, line in enumerate(lines, 1) if (rule := _rule(line, f"{name}:{number}"))]
        self._takes_in = [rule for rule in self._rules if rule.takes_in]
        self.top = Verdict(matches=(False,) * len(self._rules))
        # Most files have no "!": then one expression answers for all the rules at once.
        self._simple = None if self._takes_in else _any_of(self._rules)

    @property
    def has_rules(self) -> bool:
        return bool(self._rules)

    @property
    def has_exceptions(self) -> bool:
        """Whether a `!` takes paths in again."""
        return bool(self._takes_in)

    def judge(self, path: str, parent: Verdict) -> Verdict:
        """The verdict on `path` (relative, no leading slash), whose directory has the verdict `parent`."""
        if not self._rules:
            return parent
        if self._simple:
            ignored = parent.ignored or self._simple.fullmatch(path) is not None
            return parent if ignored == parent.ignored else Verdict(ignored)
        matches = tuple(
            before or rule.expression.fullmatch(path) is not None
            for rule, before in zip(self._rules, parent.matches, strict=True)
        )
        decided = next(
            (rule for rule, match in zip(reversed(self._rules), reversed(matches), strict=True) if match), None
        )
        return Verdict(decided is not None and not decided.takes_in, matches)

    def judge_whole(self, path: str) -> Verdict:
        """The verdict on `path`, from the top down."""
        verdict = self.top
        parts = path.split("/") if path else []
        for count in range(1, len(parts) + 1):
            verdict = self.judge("/".join(parts[:count]), verdict)
        return verdict

    def may_take_in_below(self, directory: str) -> bool:
        """Whether a `!` rule could match beneath an ignored `directory`; if not, nobody needs to look there."""
        parts = directory.split("/")
        return any(_reaches_below(rule.components, parts) for rule in self._takes_in)


def parse(data: bytes, name: str) -> Ignore:
    """Read a .dockerignore file. Raises InvalidArgument with the line."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    return Ignore(text.split("\n"), name=name)


def _rule(line: str, place: str) -> _Rule | None:
    if line.startswith("#") or not line.strip():
        return None
    pattern = line.strip()
    takes_in = pattern.startswith("!")
    pattern = pattern[1:].strip() if takes_in else pattern
    if not pattern:
        raise InvalidArgument(f'{place}: illegal exclusion pattern: "!"')
    clean = posixpath.normpath(pattern).lstrip("/")
    if clean in ("", "."):
        return None
    try:
        expression = re.compile(ignore_pattern(clean), re.DOTALL)
    except BadPattern as error:
        raise InvalidArgument(f"{place}: {error}") from None
    return _Rule(expression, takes_in, clean.split("/"))


def _any_of(rules: list[_Rule]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{rule.expression.pattern})" for rule in rules), re.DOTALL) if rules else None


def _reaches_below(components: list[str], parts: list[str]) -> bool:
    for pattern, part in zip(components, parts, strict=False):
        if "**" in pattern:
            return True
        if not component(pattern).fullmatch(part):
            return False
    return True
