"""Logs that are rotated while they are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from jubako.engine import logs


class Watched(type(Path())):  # type: ignore[misc]
    """A path of which the next look does something first, or last."""

    before_reading: ClassVar[Callable[[], None] | None] = None
    after_stat: ClassVar[Callable[[], None] | None] = None

    def read_bytes(self) -> bytes:
        if (act := Watched.before_reading) and self.name == "log":
            Watched.before_reading = None
            act()
        return super().read_bytes()  # type: ignore[no-any-return]

    def stat(self, **options: Any) -> Any:
        found = super().stat(**options)
        if (act := Watched.after_stat) and self.name == "log":
            Watched.after_stat = None
            act()
        return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = Watched(tmp_path / "log")
    write(path, "first")
    return path


def write(path: Path, *texts: str) -> None:
    with open(path, "a") as stream:
        stream.writelines(f"2026-01-01T00:00:00.000000000Z stdout F {text}\n" for text in texts)


def rotate(path: Path, *texts: str) -> None:
    for number in (2, 1):
        if (name := path.with_name(f"log.{number}")).exists():
            name.rename(path.with_name(f"log.{number + 1}"))
    path.rename(path.with_name("log.1"))
    if texts:
        write(path, *texts)


def words(path: Path, meanwhile: Callable[[], None] | None = None) -> str:
    """The entries; with `meanwhile` followed, and that happens after what was there has been read."""
    acts = [meanwhile] if meanwhile else []

    def alive() -> bool:
        for act in acts[:1]:
            act()
        return bool(acts and acts.pop())

    return " ".join(line.log.strip() for line in logs.read(path, follow=alive if meanwhile else None))


def test_nothing_is_missed_that_is_rotated_away_while_it_is_read(log: Path) -> None:
    Watched.before_reading = lambda: rotate(log, "second")
    assert words(log) == "first second"


def test_a_follower_survives_that_there_is_no_file_for_a_moment(log: Path) -> None:
    def meanwhile() -> None:
        write(log, "second")
        Watched.after_stat = lambda: rotate(log)

    try:
        assert words(log, meanwhile) == "first second"
    finally:
        Watched.after_stat = None


def test_a_follower_reads_what_was_rotated_twice_between_two_looks(log: Path) -> None:
    def meanwhile() -> None:
        write(log, "second")
        rotate(log, "third")
        rotate(log, "fourth")

    assert words(log, meanwhile) == "first second third fourth"


def test_a_follower_begins_anew_in_a_file_that_was_emptied(log: Path) -> None:
    def meanwhile() -> None:
        log.write_bytes(b"")
        write(log, "2")

    assert words(log, meanwhile) == "first 2"
