"""Downloads of a build from a server that says nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jubako.build.solver.cancellation import Cancellation, Cancelled
from jubako.build.sources.url import download


class Task(Cancellation):
    def log(self, data: bytes) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        yield listener


@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegin"],
    ids=["no answer", "no more of it"],
)
def test_one_that_is_given_up_ends_at_once(listener: socket.socket, tmp_path: Path, said: bytes) -> None:
    url, task = f"http://127.0.0.1:{listener.getsockname()[1]}/file", Task()
    with ThreadPoolExecutor(2) as threads:
        begun = threads.submit(download, url, tmp_path, task)
        server, _ = listener.accept()
        with server:
            assert server.recv(1 << 16).startswith(b"GET /file")
            server.sendall(said)
            while said and not [file for file in tmp_path.iterdir() if file.name == "file"]:
                assert not begun.done()
            threads.submit(task.cancel).result(30)
            with pytest.raises(Cancelled):
                begun.result(30)
