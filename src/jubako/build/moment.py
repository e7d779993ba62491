"""The time of a build: the clock's, or the fixed one of SOURCE_DATE_EPOCH for reproducible images.

Spec: https://reproducible-builds.org/specs/source-date-epoch/
"""

from __future__ import annotations

from jubako.errors import InvalidArgument
from jubako.spec import clock


class Moment:
    """`epoch` is SOURCE_DATE_EPOCH in seconds, or None."""

    def __init__(self, epoch: int | None = None) -> None:
        self.epoch = epoch

    @classmethod
    def parse(cls, text: str | None) -> Moment:
        """From the variable's text; None or "" is the clock. Raises InvalidArgument."""
        if not text:
            return cls()
        if not (text.isascii() and text.isdecimal() and len(text) <= 12):
            raise InvalidArgument(f"invalid SOURCE_DATE_EPOCH: {text!r}: it is a number of seconds since 1970")
        return cls(int(text))

    @property
    def epoch_ns(self) -> int | None:
        return None if self.epoch is None else self.epoch * 1_000_000_000

    def now(self) -> str:
        """RFC 3339 in UTC."""
        return clock.stamp(self.epoch_ns)
