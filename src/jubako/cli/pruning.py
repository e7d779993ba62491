"""What the prune commands share: the question before, and what is said after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from jubako.cli import times
from jubako.cli.call import Call
from jubako.cli.options import FILTER, FLAG, Arguments, Option
from jubako.spec.filters import check_keys, passes_labels

FORCE = Option("force", "f", FLAG, "Do not prompt for confirmation")
UNTIL = Option("filter", "", FILTER, 'Provide filter values (e.g. "until=<timestamp>")')


def limits(wanted: Mapping[str, Sequence[str]]) -> list[int]:
    """The moments that the filter `until` names: what was made before all of them goes."""
    return [times.since(text, "--filter until") or 0 for text in wanted.get("until", ())]


class Made(Protocol):
    """What has labels and was made at some time."""

    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def created_ns(self) -> int: ...


def passing(wanted: Mapping[str, Sequence[str]]) -> Callable[[Made], bool]:
    """Whether something passes the filters `label`, `label!` and `until`. Raises InvalidArgument for any other."""
    check_keys(wanted, ("label", "label!", "until"))
    before = limits(wanted)
    return lambda made: passes_labels(made.labels, wanted) and all(made.created_ns < moment for moment in before)


def confirmed(call: Call, arguments: Arguments, warning: str) -> bool:
    """Whether --force was given, or the user says yes."""
    return arguments.flag("force") or call.ask(f"{warning}\nAre you sure you want to continue?")


def deleted(kind: str, names: Sequence[str]) -> str:
    """The paragraph on what went, "" where nothing did."""
    return f"Deleted {kind}:\n" + "".join(f"{name}\n" for name in names) + "\n" if names else ""
