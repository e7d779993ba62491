from __future__ import annotations

import asyncio

import msgspec
import pytest

from jubako.registry.server.config.schema import Configuration, Peer, Webhook
from jubako.registry.server.events import Event
from jubako.registry.server.globs import Glob
from jubako.registry.server.manifests import Manifests
from jubako.registry.server.outbox import Outbox, target_of
from jubako.registry.server.outward.courier import Courier
from jubako.registry.server.state import State

HOOK = Webhook(url="https://hooks.example.com", queue=2)
PEER = Peer(url="https://peer.example.com", repositories=(Glob("app/**"),), deletes=False)


@pytest.fixture
def state(tmp_path):
    state = State(tmp_path)
    yield state
    state.close()


def event(number, name="app/a", action="push", tag="v1"):
    return Event(id=str(number), action=action, at=float(number), repository=name, tag=tag)


def waiting(state, target):
    return [msgspec.json.decode(delivery.event)["id"] for _, delivery in state.read.deliveries.items(target)]


def test_full_queue_loses_the_oldest_and_counts_them(state):
    outbox = Outbox([HOOK])
    for number in range(5):
        outbox.add(state.write.deliveries, event(number))
    assert (waiting(state, target_of(HOOK)), outbox.dropped) == (["3", "4"], 3)


def test_peer_has_one_delivery_for_each_reference(state):
    outbox = Outbox([], [PEER])
    for number, tag in enumerate(("v1", "v2", "v1")):
        outbox.add(state.write.deliveries, event(number, tag=tag))
    assert sorted(waiting(state, target_of(PEER))) == ["1", "2"]


def test_nobody_is_told_what_is_not_theirs(state):
    outbox = Outbox([HOOK], [PEER])
    outbox.add(state.write.deliveries, event(1, name="elsewhere"))
    outbox.add(state.write.deliveries, event(2, action="delete"))
    assert waiting(state, target_of(PEER)) == []
    assert waiting(state, target_of(HOOK)) == ["1", "2"]


def test_whoever_delivers_is_woken(state):
    woken = []
    Outbox([HOOK], wake=lambda: woken.append(1)).add(state.write.deliveries, event(1))
    Outbox(wake=lambda: woken.append(2)).add(state.write.deliveries, event(1))
    assert woken == [1]


def test_event_that_fails_in_an_unforeseen_way_waits_for_its_next_attempt(state, tmp_path):
    hook = Webhook(url="http://[broken")
    Outbox([hook]).add(state.write.deliveries, event(1))

    async def attempt():
        ((key, delivery),) = state.read.deliveries.items()
        Courier(state, Manifests(state), Configuration(root=tmp_path, webhooks=(hook,))).attempt(
            target_of(hook), key, delivery
        )

    asyncio.run(attempt())
    assert [delivery.attempts for _, delivery in state.read.deliveries.items()] == [1]
