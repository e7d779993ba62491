"""Every test runs as if it were on the world's host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jubako.linux.netns import inside
from jubako.network import Endpoint, Networks, publish
from jubako.store import Store

from .world import Namespace, World

Start = Callable[..., "Container"]


class Container(Namespace):
    """A network namespace that is connected, with what the executor would keep open."""

    endpoint: Endpoint
    held: list[int]

    @property
    def ip(self) -> str:
        return self.endpoint.ip


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    try:
        with inside(made.host.fd):
            yield made
    finally:
        made.close()


@pytest.fixture
def networks(world: World, tmp_path: Path) -> Iterator[Networks]:
    with Store.open(tmp_path / "root") as store:
        made = Networks(store, tmp_path / "run")
        yield made
        made.close()


@pytest.fixture
def start(world: World, networks: Networks) -> Iterator[Start]:
    """Start a container: `start("web", "8080:80", network="blue")`."""
    import os

    held: list[int] = []

    def connect(name: str, *ports: str, network: str = "bridge", **options: object) -> Container:
        container = Container()
        world.containers.append(container)
        bindings = [binding for text in ports for binding in publish.parse(text)]
        endpoint = networks.reserve(f"id-{name}", name, network=network, ports=bindings, **options)  # type: ignore[arg-type]
        container.held = networks.attach(endpoint, container.fd)
        container.endpoint = networks.endpoint(f"id-{name}") or endpoint
        held.extend(container.held)
        return container

    yield connect
    for fd in held:
        try:
            os.close(fd)
        except OSError:
            continue
