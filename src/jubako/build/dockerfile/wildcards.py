"""Matching with `*` and `?` in time that grows with text times pattern, whatever the pattern is.

A regular expression would do, but one that backtracks takes ages for `*a*a*a*b`, and patterns come with Dockerfiles.
Model:  all the places in the pattern that the text so far can have reached are followed at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

Token = str | None
"""One character as itself; the empty string for any character, None for any run of them."""


def compile_wildcards(pattern: str) -> list[Token]:
    """A backslash takes the meaning from the character after it."""
    tokens: list[Token] = []
    for piece in re.findall(r"\\.|\*+|.", pattern, re.DOTALL):
        tokens.append(None if piece[0] == "*" else "" if piece == "?" else piece[-1])
    return tokens


def match_ends(tokens: Sequence[Token], text: str, start: int = 0) -> Iterator[int]:
    """Where in `text` a match that begins at `start` can end, nearest first."""
    reached = _closure(tokens, {0})
    for at in range(start, len(text) + 1):
        if len(tokens) in reached:
            yield at
        if at == len(text) or not reached:
            return
        reached = _closure(tokens, _step(tokens, reached, text[at]))


def replace(tokens: Sequence[Token], text: str, replacement: str, *, every: bool) -> str:
    """Put `replacement` in the place of the first match (or every one), each as long as can be."""
    pieces: list[str] = []
    at = 0
    while at <= len(text):
        end = max(match_ends(tokens, text, at), default=None)
        if end is None and _passes_star(tokens, text, at):
            # What follows the star comes nowhere behind here, so no later start will do better.
            break
        pieces.append(replacement if end is not None else text[at : at + 1])
        if end == at:
            pieces.append(text[at : at + 1])
        at = max(end or 0, at + 1)
        if end is not None and not every:
            break
    return "".join([*pieces, text[at:]])


def _closure(tokens: Sequence[Token], places: set[int]) -> set[int]:
    """With the places behind stars that match nothing."""
    return places | {place + 1 for place in places if place < len(tokens) and tokens[place] is None}


def _step(tokens: Sequence[Token], places: set[int], char: str) -> set[int]:
    following: set[int] = set()
    for place in places:
        if place < len(tokens):
            token = tokens[place]
            if token is None:
                following.add(place)
            elif token in ("", char):
                following.add(place + 1)
    return following


def _passes_star(tokens: Sequence[Token], text: str, start: int) -> bool:
    if None not in tokens:
        return False
    head = tokens[: tokens.index(None)]
    part = text[start : start + len(head)]
    return len(part) == len(head) and all(token in ("", char) for token, char in zip(head, part, strict=True))
