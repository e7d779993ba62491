"""The engine: one opened state directory and all verbs on it. Every front door calls these functions.

    with Engine() as engine:
        engine.images.pull("busybox")
        record = engine.containers.create(CreateOptions(image="busybox", command=["true"]))

Concurrency: many processes may have the same state directory open; an Engine object belongs to one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from jubako.engine import paths
from jubako.engine.containers import EngineContainers
from jubako.engine.drivers import Admit, Drivers
from jubako.engine.images import EngineImages

if TYPE_CHECKING:
    from jubako.engine.events import Event
    from jubako.engine.facades import EngineNetworks, EngineSystem, EngineVolumes
    from jubako.engine.pods.pods import EnginePods
    from jubako.engine.registries import EngineRegistries


class Engine:
    """Open with a context manager. `root` and `run_root` default as paths.resolve says."""

    def __init__(
        self, root: str | Path | None = None, run_root: str | Path | None = None, *, admit: Admit | None = None
    ) -> None:
        self.drivers = Drivers(*paths.resolve(root, run_root), admit)
        self.containers = EngineContainers(self.drivers)
        self.images = EngineImages(self.drivers)

    @cached_property
    def pods(self) -> EnginePods:
        from jubako.engine.pods.pods import EnginePods

        return EnginePods(self.drivers)

    @cached_property
    def networks(self) -> EngineNetworks:
        from jubako.engine.facades import EngineNetworks

        return EngineNetworks(self.drivers)

    @cached_property
    def volumes(self) -> EngineVolumes:
        from jubako.engine.facades import EngineVolumes

        return EngineVolumes(self.drivers)

    @cached_property
    def registries(self) -> EngineRegistries:
        from jubako.engine.registries import EngineRegistries

        return EngineRegistries(self.drivers)

    @cached_property
    def system(self) -> EngineSystem:
        from jubako.engine.facades import EngineSystem

        return EngineSystem(self.drivers)

    def events(
        self,
        *,
        since_ns: int | None = None,
        until_ns: int | None = None,
        accept: Callable[[Event], bool] = lambda event: True,
    ) -> Iterator[Event]:
        """What happened and happens; see events.stream."""
        from jubako.engine import events

        return events.stream(self.drivers, since_ns=since_ns, until_ns=until_ns, accept=accept)

    def close(self) -> None:
        self.drivers.close()

    def leave(self) -> None:
        """As `close`, but cheap, for a process that is about to end."""
        self.drivers.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
