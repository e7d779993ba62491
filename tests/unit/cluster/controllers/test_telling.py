"""Events beside the work: in their order, counted, and never in anybody's way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.cluster.simulation import Api, VirtualClock, finish

from jubako.cluster.controllers.actions import EmitEvent, Patch
from jubako.cluster.controllers.kinds import EVENT
from jubako.cluster.controllers.telling import Teller
from jubako.errors import NotFound, Unavailable

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default", "uid": "u"}}


class Refusing(Api):
    """Refuses the next write with an error, once."""

    error: Exception | None = None

    def _refuse(self) -> None:
        error, self.error = self.error, None
        if error is not None:
            raise error

    async def create(self, document: Any) -> Any:
        self._refuse()
        return await super().create(document)

    async def patch(self, patch: Patch) -> Any:
        self._refuse()
        return await super().patch(patch)


@pytest.fixture
def api() -> Refusing:
    return Refusing(VirtualClock())


def said(api: Api) -> list[tuple[str, int]]:
    return [(event["message"], event["count"]) for event in api.all(EVENT)]


def test_what_is_noted_is_written_in_its_order_and_counted(api: Refusing) -> None:
    teller = Teller(api)
    for message in ("first", "second", "first"):
        teller.note("kubelet", EmitEvent(POD, "Started", message), 1.0)
    assert said(api) == []
    finish(teller.tell())
    assert said(api) == [("first", 2), ("second", 1)]


def test_an_event_that_is_refused_is_dropped_and_the_next_is_told(api: Refusing) -> None:
    teller = Teller(api)
    api.error = Unavailable("no")
    teller.note("kubelet", EmitEvent(POD, "Started", "first"), 1.0)
    teller.note("kubelet", EmitEvent(POD, "Started", "second"), 1.0)
    finish(teller.tell())
    assert said(api) == [("second", 1)]


def test_an_event_that_has_gone_meanwhile_is_told_anew(api: Refusing) -> None:
    teller = Teller(api)
    teller.note("kubelet", EmitEvent(POD, "Started", "first"), 1.0)
    finish(teller.tell())
    api.error = NotFound("event", "first")
    for moment in (2.0, 3.0):
        teller.note("kubelet", EmitEvent(POD, "Started", "first"), moment)
        finish(teller.tell())
    assert said(api) == [("first", 1), ("first", 1)]


def test_what_is_noted_wakes_who_tells(api: Refusing) -> None:
    async def play() -> None:
        teller = Teller(api)
        telling = asyncio.create_task(teller.run())
        for number in range(2):
            teller.note("kubelet", EmitEvent(POD, "Started", str(number)), 1.0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        telling.cancel()

    asyncio.run(play())
    assert said(api) == [("0", 1), ("1", 1)]
