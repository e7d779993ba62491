"""The caller's terminal: raw mode that is always undone, its size, and the keys that detach from it."""

from __future__ import annotations

import os
from types import TracebackType
from typing import TYPE_CHECKING

from jubako.cli.failure import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_DETACH_KEYS = "ctrl-p,ctrl-q"
_CONTROL = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


class RawMode:
    """Puts a terminal into raw mode for the length of a `with` block; does nothing where `fd` is None."""

    def __init__(self, fd: int | None) -> None:
        self.fd = fd
        self._saved: list[int | list[bytes | int]] | None = None

    def __enter__(self) -> RawMode:
        if self.fd is not None:
            import termios
            import tty

            self._saved = termios.tcgetattr(self.fd)
            tty.setraw(self.fd, termios.TCSADRAIN)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.restore()

    def restore(self) -> None:
        if self.fd is None or self._saved is None:
            return
        import termios

        try:
            termios.tcsetattr(self.fd, termios.TCSADRAIN, self._saved)
        except termios.error as error:
            # The terminal itself is gone (its window was closed): there is nothing to put back.
            if error.args[0] not in (5, 25):
                raise
        self._saved = None


def size(fd: int) -> tuple[int, int] | None:
    """(height, width) of the terminal, or None where that is unknown."""
    try:
        width, height = os.get_terminal_size(fd)
    except OSError:
        return None
    return (height, width) if height and width else None


def parse_keys(text: str) -> bytes:
    """The bytes of a detach sequence such as `ctrl-p,ctrl-q` or `a,ctrl-[`."""
    return bytes(_key(key, text) for key in text.split(",")) if text else b""


def _key(key: str, text: str) -> int:
    if len(key) == 1 and key.isascii():
        return ord(key)
    letter = key.removeprefix("ctrl-")
    if letter != key and len(letter) == 1:
        if "a" <= letter <= "z":
            return ord(letter) - ord("a") + 1
        if letter in _CONTROL:
            return _CONTROL[letter]
    raise Exit(1, f"invalid detach keys ({text}): Unknown character: '{key}'")


class DetachKeys:
    """Watches what is typed for the detach sequence; a part of it is held back until it is known not to be one."""

    def __init__(self, keys: Sequence[int]) -> None:
        self.keys = bytes(keys)
        self._matched = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """What to pass on of `data`, and whether the sequence is complete."""
        if not self.keys:
            return data, False
        passed = bytearray()
        for byte in data:
            if byte == self.keys[self._matched]:
                self._matched += 1
                if self._matched == len(self.keys):
                    self._matched = 0
                    return bytes(passed), True
                continue
            passed += self.keys[: self._matched]
            self._matched = 0
            if byte == self.keys[0]:
                self._matched = 1
            else:
                passed.append(byte)
        return bytes(passed), False
