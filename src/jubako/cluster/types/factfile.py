"""The files of the table of facts: text, read when it is first asked for."""

from __future__ import annotations

from pathlib import Path

_FACTS = Path(__file__).parent / "facts"


def read(name: str) -> str:
    """Return the text of a file; KeyError where there is none."""
    try:
        return (_FACTS / f"{name}.txt").read_text("utf-8")
    except FileNotFoundError:
        raise KeyError(name) from None
