from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import cast

import pytest

from jubako.cli.kube.client import Client
from jubako.cli.kube.verbs.logs import Source, _together

SOURCES = [Source({"metadata": {"name": name}}, "main") for name in ("speaks", "says-nothing")]


class Connection:
    """Of two pods' logs one has a line, and neither ends before `over`."""

    def __init__(self) -> None:
        self.over = threading.Event()

    @contextmanager
    def stream(self, path: str, query: Mapping[str, str]) -> Iterator[Iterator[bytes]]:
        yield self._pieces("speaks" in path)

    def _pieces(self, speaks: bool) -> Iterator[bytes]:
        if speaks:
            yield b"a line\n"
        self.over.wait(30)


def test_following_several_ends_when_nobody_reads_any_more() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    connection = Connection()
    arguments = SimpleNamespace(flag=lambda name: name == "follow", number=lambda name: None, text=lambda name: "")
    call = SimpleNamespace(streams=SimpleNamespace(stdout=writer))
    pods = SimpleNamespace(path=lambda namespace, name, of: f"/{name}/{of}")
    client = SimpleNamespace(
        arguments=arguments, connection=connection, call=call, discovery=SimpleNamespace(named=lambda kind: pods)
    )
    try:
        with pytest.raises(BrokenPipeError):
            _together(cast(Client, client), SOURCES)
    finally:
        connection.over.set()
        os.close(writer)
