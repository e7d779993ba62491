"""What is asked of the listener itself: its paths, discovery that is known already, and how lists and watches may be
asked for."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from tests.unit.cluster.apiserver.conftest import admin_tls

from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.bootstrap import bootstrap
from jubako.cluster.apiserver.http.handler import Handler
from jubako.cluster.apiserver.http.server import Server, tls_of
from jubako.cluster.apiserver.streams import Streams
from jubako.cluster.store import AsyncStore, MemoryStore

_MAPS = "/api/v1/namespaces/default/configmaps"
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def served(authority: Authority, scene: Callable[[aiohttp.ClientSession], Awaitable[None]]) -> None:
    async def play() -> None:
        api = Api(AsyncStore(MemoryStore()), authority)
        await bootstrap(api, Path("/volumes"))
        server = Server(Handler(api, cast(Streams, None)), tls_of(authority, *authority.server(["127.0.0.1"])))
        port = await server.start("127.0.0.1", 0)
        connector = aiohttp.TCPConnector(ssl=admin_tls(authority))
        async with aiohttp.ClientSession(f"https://127.0.0.1:{port}", connector=connector) as session:
            await scene(session)
        await server.stop()

    asyncio.run(asyncio.wait_for(play(), 20))


async def refused(session: aiohttp.ClientSession, method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
    async with session.request(method, path, **more) as answer:
        return answer.status, await answer.json()


def test_the_root_tells_which_paths_there_are(authority: Authority) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        async with session.get("/") as answer:
            paths = (await answer.json())["paths"]
        assert {"/api/v1", "/apis/apps", "/apis/apps/v1", "/openapi/v3/apis/apps/v1", "/readyz", "/version"} <= {*paths}

    served(authority, scene)


def test_discovery_that_a_client_knows_is_not_sent_again(authority: Authority) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        async with session.get("/apis", headers={"Accept": _AGGREGATED}) as answer:
            tag = answer.headers["ETag"]
        async with session.get("/apis", headers={"Accept": _AGGREGATED, "If-None-Match": tag}) as answer:
            assert answer.status == 304

    served(authority, scene)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("resourceVersionMatch=Exact", "resourceVersionMatch is forbidden unless resourceVersion is provided"),
        (
            "resourceVersionMatch=Exact&resourceVersion=0",
            'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        ("sendInitialEvents=true", "sendInitialEvents is forbidden for list"),
        (
            "watch=1&sendInitialEvents=true",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
        (
            "watch=1&resourceVersionMatch=NotOlderThan",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
    ],
)
def test_a_question_that_contradicts_itself_is_refused(authority: Authority, query: str, why: str) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        code, status = await refused(session, "GET", f"{_MAPS}?{query}")
        assert (code, status["reason"]) == (422, "Invalid")
        assert status["message"].endswith(f"Forbidden: {why}")

    served(authority, scene)


def test_nothing_is_made_at_the_name_of_an_object(authority: Authority) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        code, status = await refused(session, "POST", f"{_MAPS}/a", json={"metadata": {"name": "a"}})
        assert (code, status["reason"]) == (405, "MethodNotAllowed")

    served(authority, scene)


def test_one_object_is_watched_by_the_old_path(authority: Authority) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        for name in "ab":
            async with session.post(_MAPS, json={"metadata": {"name": name}}) as answer:
                assert answer.status == 201
        async with session.get(f"{_MAPS.replace('/v1', '/v1/watch')}/b") as watching:
            line = await watching.content.readline()
        assert b'"ADDED"' in line
        assert b'"name":"b"' in line

    served(authority, scene)


def test_warnings_come_with_the_answer(authority: Authority) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        metadata = {"name": "p", "annotations": {"volume.beta.kubernetes.io/storage-class": "x"}}
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
        claims = "/api/v1/namespaces/default/persistentvolumeclaims"
        async with session.post(claims, json={"metadata": metadata, "spec": spec}) as answer:
            assert answer.status == 201
            assert answer.headers["Warning"].startswith('299 - "metadata.annotations[volume.beta')

    served(authority, scene)


def test_a_namespace_that_ends_is_the_cause_of_a_refusal(authority: Authority) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        made = {"metadata": {"name": "n"}}
        async with session.post("/api/v1/namespaces", json=made) as answer:
            assert answer.status == 201
        async with session.delete("/api/v1/namespaces/n") as answer:
            assert answer.status == 200
        code, status = await refused(session, "POST", "/api/v1/namespaces/n/configmaps", json=made)
        assert (code, [each["reason"] for each in status["details"]["causes"]]) == (403, ["NamespaceTerminating"])

    served(authority, scene)


def test_who_asks_is_told_by_which_certificate(authority: Authority) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        async with session.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json={}) as answer:
            user = (await answer.json())["status"]["userInfo"]
        certificate, _ = authority.client("admin", "kubernetes-admin", ("system:masters",))
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
        assert user["extra"] == {"authentication.kubernetes.io/credential-id": [f"X509SHA256={digest}"]}

    served(authority, scene)
