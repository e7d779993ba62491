"""What the prune commands share: the question before, and what is said after."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.cli.call import Call
from jubako.cli.options import FLAG, Arguments, Option

FORCE = Option("force", "f", FLAG, "Do not prompt for confirmation")


def confirmed(call: Call, arguments: Arguments, warning: str) -> bool:
    """Whether --force was given, or the user says yes."""
    return arguments.flag("force") or call.ask(f"{warning}\nAre you sure you want to continue?")


def deleted(kind: str, names: Sequence[str]) -> str:
    """The paragraph on what went, "" where nothing did."""
    return f"Deleted {kind}:\n" + "".join(f"{name}\n" for name in names) + "\n" if names else ""
