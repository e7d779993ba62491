"""What the prune commands share: the question before, and what is said after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jubako.cli import times
from jubako.cli.call import Call
from jubako.cli.options import FILTER, FLAG, Arguments, Option

FORCE = Option("force", "f", FLAG, "Do not prompt for confirmation")
UNTIL = Option("filter", "", FILTER, 'Provide filter values (e.g. "until=<timestamp>")')


def limits(wanted: Mapping[str, Sequence[str]]) -> list[int]:
    """The moments that the filter `until` names: what was made before all of them goes."""
    return [times.since(text, "--filter until") or 0 for text in wanted.get("until", ())]


def confirmed(call: Call, arguments: Arguments, warning: str) -> bool:
    """Whether --force was given, or the user says yes."""
    return arguments.flag("force") or call.ask(f"{warning}\nAre you sure you want to continue?")


def deleted(kind: str, names: Sequence[str]) -> str:
    """The paragraph on what went, "" where nothing did."""
    return f"Deleted {kind}:\n" + "".join(f"{name}\n" for name in names) + "\n" if names else ""
