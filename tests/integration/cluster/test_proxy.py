"""The proxy and the real kernel: what is told is done, what is flushed comes back, what is deleted is left in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.integration.network.world import World
from tests.unit.cluster.simulation import Api, VirtualClock

from jubako.cluster.controllers.kinds import ENDPOINT_SLICE, SERVICE
from jubako.cluster.proxy.proxy import Proxy
from jubako.cluster.proxy.watching import Watched
from jubako.network import Networks

pytestmark = pytest.mark.root
TABLE, NETWORK, ADDRESS = "jubako-test-cluster-p", "10.96.0.0/16", "10.96.0.9"
PATIENCE_S = 5.0


class Play:
    """A proxy at work on an API in memory."""

    def __init__(self, world: World, networks: Networks, *, look_s: float = 30.0, prepare: Any = None) -> None:
        self.world, self.api = world, Api(VirtualClock())
        self.proxy = Proxy(TABLE, NETWORK, {}, prepare or (lambda: networks.lead(NETWORK)), look_s=look_s)
        port = {"name": "", "port": 80, "protocol": "TCP"}
        spec = {"clusterIP": ADDRESS, "ports": [port]}
        self.api.add({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
        labels = {"kubernetes.io/service-name": "web"}
        kind = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice"}
        self.slice = {**kind, "metadata": {"name": "web-1", "labels": labels}, "ports": [{**port, "port": 8080}]}
        self.api.add({**self.slice, "endpoints": []})

    def run(self, scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def play() -> None:
            self.api.changed = asyncio.Event()
            watched = Watched(self.api, {SERVICE: lambda each: each, ENDPOINT_SLICE: lambda each: each})
            tasks = [asyncio.create_task(part) for part in (watched.run(), self.proxy.run(watched))]
            try:
                async with asyncio.timeout(4 * PATIENCE_S):
                    await self.proxy.settled()
                    await scene()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run(play())

    def serve(self, **endpoints: dict[str, bool]) -> None:
        """Say which addresses (with _ for dots) stand behind the service, and how they are."""
        found = [{"addresses": [at[1:].replace("_", ".")], "conditions": how} for at, how in endpoints.items()]
        self.api.edit(ENDPOINT_SLICE, "web-1", lambda each: each.update(endpoints=found))

    async def until(self, holds: Callable[[str], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds(self.world.ruleset()):
                await asyncio.sleep(0.02)


READY = {"ready": True, "serving": True, "terminating": False}
ENDING = {"ready": False, "serving": True, "terminating": True}


def test_a_pod_is_left_alone_once_its_address_is_in_no_rule(world: World, networks: Networks) -> None:
    play = Play(world, networks)

    async def scene() -> None:
        play.serve(_10_0_0_2=READY, _10_0_0_3=READY)
        await play.until(lambda rules: "10.0.0.2" in rules)
        waiting = asyncio.create_task(play.proxy.withdrawn("10.0.0.2"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        play.serve(_10_0_0_2=ENDING, _10_0_0_3=READY)
        await waiting
        assert "10.0.0.2" not in world.ruleset()

    play.run(scene)


def test_a_pod_that_the_next_rules_lead_to_is_waited_for(world: World, networks: Networks) -> None:
    play = Play(world, networks)

    async def scene() -> None:
        play.serve(_10_0_0_3=READY)
        await play.until(lambda rules: "10.0.0.3" in rules)
        play.serve(_10_0_0_2=READY, _10_0_0_3=READY)
        for _ in range(20):  # the proxy has heard of it, and has not begun
            await asyncio.sleep(0)
        assert "10.0.0.2" not in world.ruleset()
        waiting = asyncio.create_task(play.proxy.withdrawn("10.0.0.2"))
        await play.until(lambda rules: "10.0.0.2" in rules)
        assert not waiting.done()
        play.serve(_10_0_0_3=READY)
        await waiting
        assert "10.0.0.2" not in world.ruleset()

    play.run(scene)


def test_the_last_one_still_gets_connections_while_it_ends_and_nobody_waits_for_it(
    world: World, networks: Networks
) -> None:
    play = Play(world, networks)

    async def scene() -> None:
        play.serve(_10_0_0_2=READY)
        await play.until(lambda rules: "10.0.0.2" in rules)
        play.serve(_10_0_0_2=ENDING)
        begun = time.monotonic()
        await play.proxy.withdrawn("10.0.0.2")
        assert time.monotonic() - begun < 1
        assert "10.0.0.2" in world.ruleset()

    play.run(scene)


def test_one_that_is_in_no_service_is_not_waited_for(world: World, networks: Networks) -> None:
    play = Play(world, networks)

    async def scene() -> None:
        begun = time.monotonic()
        await play.proxy.withdrawn("10.0.0.9")
        assert time.monotonic() - begun < 0.05

    play.run(scene)


def test_what_somebody_has_flushed_comes_back_with_the_route(world: World, networks: Networks) -> None:
    play = Play(world, networks, look_s=0.1)

    async def scene() -> None:
        play.serve(_10_0_0_2=READY)
        await play.until(lambda rules: "10.0.0.2" in rules)
        world.host.run("nft flush ruleset; ip route del 10.96.0.0/16")
        await play.until(lambda rules: "10.0.0.2" in rules)
        assert "10.96.0.0/16" in world.host.run("ip route")

    play.run(scene)


def test_rules_that_can_not_be_made_hold_up_nobody(world: World, networks: Networks) -> None:
    from jubako.errors import Unavailable

    def fail() -> None:
        raise Unavailable("no")

    play = Play(world, networks, prepare=fail)

    async def scene() -> None:
        await play.proxy.withdrawn("10.0.0.2")

    begun = time.monotonic()
    play.run(scene)
    assert time.monotonic() - begun < 1
