"""What others have written, as a terminal may have it."""

from __future__ import annotations


def escaped(text: str) -> str:
    """Return text with what a terminal would obey made visible, as kubectl does."""
    return text.replace("\x1b", "^[").replace("\r", "\\r")
