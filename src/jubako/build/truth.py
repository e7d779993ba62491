"""True and false as options of builds write them, as Go's ParseBool reads them."""

from __future__ import annotations

_TRUTH = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}


def truth(text: str) -> bool | None:
    """None for what is neither."""
    return _TRUTH.get(text.lower())
