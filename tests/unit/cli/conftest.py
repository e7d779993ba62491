"""Run one command line in this process, with its output caught and an engine of the test's own."""

from __future__ import annotations

import os
import tempfile
from typing import NamedTuple

import pytest

from jubako import cli
from jubako.cli.call import Streams


class Ended(NamedTuple):
    code: int
    out: str
    err: str


class NoEngine:
    """Stands where a command must not need the engine."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"the command asked the engine for {name}")

    def close(self) -> None:
        pass


@pytest.fixture
def call():
    """`call("ps", "-a", engine=double)` returns (code, out, err)."""
    return call_main


def call_main(*argv: str, engine: object = None, stdin: bytes = b"") -> Ended:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as source:
        source.write(stdin)
        source.seek(0)
        streams = Streams(source.fileno(), out.fileno(), err.fileno())
        code = cli.main(argv, streams=streams, opener=lambda *_: engine or NoEngine())  # type: ignore[arg-type, return-value]
        return Ended(code, _text(out.fileno()), _text(err.fileno()))


def _text(fd: int) -> str:
    return os.pread(fd, 1 << 20, 0).decode()
