"""Findings: what is good, what is waited for and what is bad, each with what it comes from and what to try."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

State = Literal["good", "wait", "bad"]
_WORSE: tuple[State, ...] = ("good", "wait", "bad")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`said` are lines of somebody else, quoted; `because` are the findings that it follows from; `tries` may help."""

    state: State
    text: str
    said: tuple[str, ...] = ()
    because: tuple[Finding, ...] = ()
    tries: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        return self.state == "good"

    def all_tries(self) -> list[str]:
        """Return what to try, of this and of all below, each once."""
        below = [each for finding in self.because for each in finding.all_tries()]
        return list(dict.fromkeys([*self.tries, *below]))


def good(text: str) -> Finding:
    return Finding(state="good", text=text)


def wait(text: str, *tries: str, because: Sequence[Finding] = ()) -> Finding:
    return Finding(state="wait", text=text, because=tuple(because), tries=tries)


def bad(text: str, *tries: str, said: Sequence[str] = (), because: Sequence[Finding] = ()) -> Finding:
    return Finding(state="bad", text=text, said=tuple(said), because=tuple(because), tries=tries)


def worst(findings: Sequence[Finding]) -> State:
    return max((each.state for each in findings), key=_WORSE.index, default="good")


def told(subject: str, findings: Sequence[Finding], well: str) -> Finding:
    """Return the story of a subject: as bad as the worst of its findings; `well` follows its name where all is good."""
    state = worst(findings)
    said = {"good": well, "wait": "is not ready yet", "bad": "does not work"}[state]
    return Finding(state=state, text=f"{subject} {said}", because=tuple(findings))
