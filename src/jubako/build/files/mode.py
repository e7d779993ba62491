"""`--chmod`: octal numbers and the symbolic form of chmod(1)."""

from __future__ import annotations

import re

_CLAUSE = re.compile(r"([ugoa]*)((?:[-+=][rwxXstugo]*)+)")
_ACTION = re.compile(r"([-+=])([rwxXstugo]*)")
_SHARES = {"u": 0o4700, "g": 0o2070, "o": 0o1007, "a": 0o7777}
_BITS = {"r": 0o444, "w": 0o222, "x": 0o111, "s": 0o6000, "t": 0o1000}
_SHIFTS = {"u": 6, "g": 3, "o": 0}


def check(text: str) -> None:
    """Raise ValueError when `text` is no mode."""
    apply(text, 0, directory=False)


def apply(text: str, mode: int, *, directory: bool) -> int:
    """The permission bits of a file that has `mode` after `--chmod=text`. Raises ValueError."""
    if re.fullmatch(r"[0-7]{1,5}", text):
        bits = int(text, 8)
        if bits > 0o7777:
            raise ValueError(text)
        return bits
    mode &= 0o7777
    for clause in text.split(","):
        match = _CLAUSE.fullmatch(clause)
        if not match:
            raise ValueError(text)
        share = _share(match[1])
        for operator, letters in _ACTION.findall(match[2]):
            mode = _change(mode, operator, letters, share, directory)
    return mode


def _share(who: str) -> int:
    share = 0
    for letter in who or "a":
        share |= _SHARES[letter]
    return share


def _change(mode: int, operator: str, letters: str, share: int, directory: bool) -> int:
    bits = 0
    for letter in letters:
        if letter == "X":
            bits |= 0o111 if directory or mode & 0o111 else 0
        elif letter in _SHIFTS:
            # What that class of users has, for each class.
            bits |= (mode >> _SHIFTS[letter] & 0o7) * 0o111
        else:
            bits |= _BITS[letter]
    bits &= share
    if operator == "+":
        return mode | bits
    if operator == "-":
        return mode & ~bits
    return mode & ~(share & 0o777) | bits
