"""What somebody may have meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def suggestion(word: str, known: Iterable[str], prefix: str = "") -> str:
    """` (did you mean X?)` when something known is close to `word`, else nothing."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {prefix}{close[0]}?)" if close else ""
