"""The plain form of progress."""

from __future__ import annotations

import io
import re

from jubako.build.progress import PlainProgress


def lines(stream: io.StringIO) -> list[str]:
    return re.sub(r"\d+\.\d+", "T", stream.getvalue()).splitlines()


def test_step_with_output_reads_as_in_buildkit() -> None:
    stream = io.StringIO()
    step = PlainProgress(stream).step("[2/3] RUN make")
    step.log(b"one\ntw")
    step.log(b"o\nend")
    step.done()
    assert lines(stream) == ["#1 [2/3] RUN make", "#1 T one", "#1 T two", "#1 T end", "#1 DONE Ts", ""]


def test_cached_step_is_two_lines() -> None:
    stream = io.StringIO()
    PlainProgress(stream).step("[1/2] FROM busybox").cached()
    assert lines(stream) == ["#1 [1/2] FROM busybox", "#1 CACHED", ""]


def test_interleaved_steps_say_which_one_speaks() -> None:
    stream = io.StringIO()
    progress = PlainProgress(stream)
    first, second = progress.step("first"), progress.step("second")
    first.log(b"a\n")
    second.done()
    first.failed("exit code: 1")
    assert lines(stream) == [
        "#1 first",
        "#1 ...",
        "",
        "#2 second",
        "#2 ...",
        "",
        "#1 first",
        "#1 T a",
        "#1 ...",
        "",
        "#2 second",
        "#2 DONE Ts",
        "",
        "#1 first",
        "#1 ERROR: exit code: 1",
        "",
    ]


def test_line_without_end_is_shown_before_it_fills_memory() -> None:
    stream = io.StringIO()
    step = PlainProgress(stream).step("x")
    step.log(b"a" * 100_000)
    assert len(stream.getvalue()) > 100_000
