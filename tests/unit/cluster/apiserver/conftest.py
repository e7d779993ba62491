"""An API over a store in memory, played within an event loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.attributes import attributes
from jubako.cluster.apiserver.bootstrap import SYSTEM, bootstrap
from jubako.cluster.apiserver.caller import MASTERS, Request, User
from jubako.cluster.apiserver.objects import reading, stored
from jubako.cluster.apiserver.objects.deleting import Deleted, DeleteOptions
from jubako.cluster.store import AsyncStore, MemoryStore
from jubako.cluster.types.document import Object

TIMEOUT_S = 20


def admin_tls(authority: Authority) -> ssl.SSLContext:
    """What an administrator connects with."""
    context = ssl.create_default_context(cafile=authority.certificate_path)
    context.load_cert_chain(*authority.client("admin", "kubernetes-admin", (MASTERS,)))
    return context


class Cluster:
    """An Api, and its verbs by paths."""

    def __init__(self, api: Api, time: list[datetime]) -> None:
        self.api, self._time = api, time

    def pass_time(self, seconds: float) -> None:
        self._time[0] += timedelta(seconds=seconds)

    def request(self, method: str, path: str, user: User = SYSTEM, *, dry_run: bool = False) -> Request:
        asked = attributes(method, path)
        assert asked is not None, path
        return Request(attributes=asked, user=user, dry_run=dry_run)

    async def create(self, path: str, document: Object, user: User = SYSTEM, *, dry_run: bool = False) -> Object:
        request = self.request("POST", path, user, dry_run=dry_run)
        kind = request.attributes.resource.kind
        whole: Object = {"kind": kind.name, "apiVersion": kind.api_version, **document}
        return stored.decode(await self.api.writer.create(request, whole))

    async def update(self, path: str, change: Callable[[Object], Object], user: User = SYSTEM) -> Object:
        return stored.decode(await self.api.writer.update(self.request("PUT", path, user), change))

    async def delete(self, path: str, options: DeleteOptions | None = None) -> Deleted:
        return await self.api.deleter.delete(self.request("DELETE", path), options or DeleteOptions())

    def get(self, path: str) -> Object:
        asked = self.request("GET", path).attributes
        return stored.decode(reading.get(self.api.store, asked.resource, asked.namespace, asked.name))


Scene = Callable[[Cluster], Coroutine[Any, Any, None]]
Play = Callable[[Scene], None]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def play(authority: Authority) -> Play:
    def play_(scene: Scene) -> None:
        async def main() -> None:
            time = [datetime(2026, 1, 1, tzinfo=UTC)]
            core = MemoryStore()
            api = Api(AsyncStore(core), authority, clock=lambda: time[0])
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    await bootstrap(api, Path("/volumes"))
                    await scene(Cluster(api, time))
            finally:
                core.close()

        asyncio.run(main())

    return play_


def named(name: str, **metadata: Any) -> Object:
    return {"metadata": {"name": name, **metadata}}


def pod(name: str = "p", **spec: Any) -> Object:
    container = {"name": "c", "image": "busybox"}
    return {**named(name), "spec": {"containers": [container], "automountServiceAccountToken": False, **spec}}


def deployment(name: str = "web", replicas: int = 1) -> Object:
    labels: Object = {"app": name}
    template: Object = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec: Object = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {**named(name), "spec": spec}
