"""What one thread writes for another to read."""

from __future__ import annotations

from typing import BinaryIO

import pytest

from jubako.errors import DataLoss
from jubako.image.layer.threads import piped


def failing(out: BinaryIO) -> None:
    out.write(b"begin")
    raise DataLoss("the rest is gone")


def read(stream: BinaryIO, problem: str = "") -> None:
    assert stream.read() == b"begin"
    if problem:
        raise ValueError(problem)


@pytest.mark.parametrize("problem", ["", "cut short"], ids=["content", "not content"])
def test_a_failure_of_who_writes_is_raised_whatever_the_reader_makes_of_it(problem: str) -> None:
    with pytest.raises(DataLoss, match="the rest is gone"), piped(failing) as stream:
        read(stream, problem)


def test_a_reader_that_stops_says_why_and_ends_who_writes() -> None:
    ended: list[bool] = []

    def endless(out: BinaryIO) -> None:
        try:
            while True:
                out.write(bytes(1 << 16))
        finally:
            ended.append(True)

    with pytest.raises(ValueError, match="enough"), piped(endless):
        raise ValueError("enough")
    assert ended
