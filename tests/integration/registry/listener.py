"""A receiver of webhooks on loopback that remembers what it was sent, and answers as the test says."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .scripted import Answer, Asked, scripted


class Listener:
    """`statuses` are given in turn; then everything is 200."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self._received: queue.Queue[Asked] = queue.Queue()

    def take(self) -> Asked:
        return self._received.get(timeout=20)

    def answer(self, asked: Asked) -> Answer:
        status = self.statuses.pop(0) if self.statuses else 200
        self._received.put(asked)
        return Answer(status, headers={"Location": "http://169.254.169.254/"})

    def is_quiet(self) -> bool:
        return self._received.empty()


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()
    with scripted(listener.answer) as server:
        listener.url = f"{server.base}/hook?x=1"
        yield listener


def event_of(asked: Asked) -> dict[str, Any]:
    (event,) = json.loads(asked.body)["events"]
    return dict(event)
