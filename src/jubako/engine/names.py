"""Container identifiers and the names that are given when the user gives none."""

from __future__ import annotations

import os
import re

from jubako.errors import InvalidArgument

_ADJECTIVES = (
    "amber ashen bold brisk calm clear cool crisp dusky early fine frosty gentle gilded glad glossy golden hazy "
    "keen lively lucid mellow merry mild misty neat nimble pale patient plain proud quick quiet rapid ruddy serene "
    "sharp shiny silent silver smooth snug sober soft steady still sunny swift tidy vivid warm wise"
).split()
_NOUNS = (
    "alder ash aspen bamboo basalt bay beech birch brook camellia canyon cedar cherry cliff cove cypress delta "
    "dune elm fern fir fjord ginkgo glade grove harbor hazel heath holly island ivy juniper lagoon larch laurel "
    "linden lotus magnolia maple marsh meadow moss oak olive orchid peony pine plum poplar quartz reef ridge river "
    "rowan spruce stone sycamore tarn tide valley walnut willow yew"
).split()
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


def new_id() -> str:
    """64 hexadecimal digits, of which the first twelve are never all decimal (they serve as a host name)."""
    while True:
        text = os.urandom(32).hex()
        if not text[:12].isdecimal():
            return text


def suggest(attempt: int = 0) -> str:
    """A readable name; after some attempts a digit is added, so that many containers never run out of names."""
    number = int.from_bytes(os.urandom(8))
    name = f"{_ADJECTIVES[number % len(_ADJECTIVES)]}_{_NOUNS[number // 256 % len(_NOUNS)]}"
    return name if attempt < 3 else f"{name}{number // 65536 % 10 ** min(attempt, 6)}"


def check(name: str) -> str:
    """Return `name` without a leading slash; raises InvalidArgument for what Docker would refuse."""
    bare = name.removeprefix("/")
    if not _NAME.fullmatch(bare):
        raise InvalidArgument(
            f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
        )
    return bare
