"""pods/proxy and services/proxy: what is reached, by whom, and what arrives."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from tests.unit.cluster.apiserver.conftest import named
from tests.unit.cluster.apiserver.proxied import (
    PODS,
    SERVICES,
    Served,
    World,
    backend,
    client,
    echo,
    serve,
)
from yarl import URL

from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.caller import MASTERS
from jubako.cluster.types.document import Object


@pytest.fixture
def served(authority: Authority, tmp_path: Path) -> Served:
    return partial(serve, authority, tmp_path)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_methods_paths_queries_and_bodies_arrive_as_they_were_sent(served: Served, method: str) -> None:
    async def scene(world: World) -> None:
        await world.pod()
        async with backend(echo) as port:
            # This query would be refused for objects of the API, and this Accept could not be served.
            beneath = "/a%2Fb//c%20d/proxy/?watch=maybe&limit=x&q=%2B+1"
            url = URL(str(world.session._base_url).rstrip("/") + f"{PODS}/p:{port}/proxy{beneath}", encoded=True)
            body = "" if method == "GET" else "given"
            async with world.session.request(method, url, data=body or None, headers={"Accept": "image/png"}) as answer:
                assert answer.status == 207
                assert answer.headers["X-Own"] == "1"
                assert "Access-Control-Allow-Origin" not in answer.headers
                told = json.loads(await answer.read())
        assert (told["method"], told["target"], told["body"]) == (method, beneath, body)

    served(scene)


def test_head_has_the_headers_and_no_body(served: Served) -> None:
    async def sized(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 1234)

    async def scene(world: World) -> None:
        await world.pod()
        async with backend(sized) as port, world.session.head(f"{PODS}/p:{port}/proxy/") as answer:
            assert (answer.status, answer.headers["Content-Length"]) == (200, "1234")

    served(scene)


def test_the_pod_gets_no_credentials_and_nothing_that_is_between_neighbours(served: Served) -> None:
    async def scene(world: World) -> None:
        await world.pod()
        sent = {
            "Connection": "X-Mine, keep-alive", "X-Mine": "1", "TE": "trailers", "Proxy-Authorization": "secret",
            "Impersonate-User": "admin", "Impersonate-Group": MASTERS, "X-Forwarded-For": "1.2.3.4", "Cookie": "a=b",
            "X-Forwarded-Uri": "/lie",
        }  # fmt: skip
        async with backend(echo) as port, world.session.get(f"{PODS}/p:{port}/proxy/x", headers=sent) as answer:
            headers = {name.lower(): value for name, value in json.loads(await answer.read())["headers"]}
        unwanted = ("x-mine", "te", "proxy-authorization", "impersonate-user", "impersonate-group", "authorization")
        assert not [name for name in unwanted if name in headers]
        assert headers["cookie"] == "a=b"
        assert headers["x-forwarded-for"] == "1.2.3.4, 127.0.0.1"
        assert headers["x-forwarded-uri"] == f"{PODS}/p:{port}/proxy/x"

    served(scene)


def test_redirects_stay_beneath_the_proxy(served: Served) -> None:
    async def redirect(request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": request.query["to"]})

    async def scene(world: World) -> None:
        await world.pod()
        async with backend(redirect) as port:
            prefix = f"{PODS}/p:{port}/proxy"
            for to, told in {
                "/login?a=1#b": f"{prefix}/login?a=1#b",
                f"http://127.0.0.1:{port}/x/": f"{prefix}/x/",
                "relative": "relative",
                f"{prefix}/done": f"{prefix}/done",
                "https://elsewhere.test/x": "https://elsewhere.test/x",
                "http://[broken": "http://[broken",
            }.items():
                asked = world.session.get(f"{prefix}/go", params={"to": to}, allow_redirects=False)
                async with asked as answer:
                    assert answer.headers["Location"] == told
            async with world.session.get(f"{prefix}?q=1", allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (301, f"{prefix}/?q=1")
            other = URL(str(world.session._base_url).rstrip("/") + f"/{prefix}", encoded=True)
            async with world.session.get(other, allow_redirects=False) as answer:
                assert answer.headers["Location"] == f"{prefix}/"  # which is no host, as //api would be

    served(scene)


def test_what_can_not_be_reached_is_told_in_kubernetes_words(served: Served) -> None:
    async def scene(world: World) -> None:
        await world.pod()
        await world.pod("starting", ip="")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            closed = taken.getsockname()[1]
            told = f"error trying to reach service: dial tcp 127.0.0.1:{closed}: connect: connection refused"
            assert await world.refused(f"{PODS}/p:{closed}/proxy/") == (503, told)
        assert await world.refused(f"{PODS}/none/proxy/") == (404, 'pods "none" not found')
        assert await world.refused(f"{PODS}/starting/proxy/") == (400, "address not allowed")
        assert await world.refused(f"{PODS}/ftp:p:1/proxy/") == (400, 'invalid pod request "ftp:p:1"')
        assert await world.refused(f"{PODS}/a:b:c:d/proxy/") == (400, 'invalid pod request "a:b:c:d"')
        assert (await world.refused(f"{PODS}/p:70000/proxy/"))[0] == 503
        assert (await world.refused(f"{PODS}/p:x/proxy/"))[1].endswith("dial tcp: lookup tcp/x: unknown port")
        assert (await world.refused("/api/v1/nodes/n/proxy/"))[0] == 404
        world.nodes.gone = True
        assert await world.refused(f"{PODS}/p:1/proxy/") == (503, "error trying to reach service: pod not found")

    served(scene)


def test_a_service_is_its_ready_endpoints_by_number_and_by_name(served: Served) -> None:
    async def scene(world: World) -> None:
        await world.pod()
        async with backend(echo) as port:
            await world.service(port)
            for name in ("web:80", "web:http", "http:web:http"):
                async with world.session.get(f"{SERVICES}/{name}/proxy/x") as answer:
                    assert json.loads(await answer.read())["target"] == "/x"
        none = 'no endpoints available for service "{}"'
        assert await world.refused(f"{SERVICES}/web/proxy/") == (503, none.format("web"))
        assert await world.refused(f"{SERVICES}/web:other/proxy/") == (503, none.format("web:other"))
        told = 'no service port 81 found for service "web"'
        assert await world.refused(f"{SERVICES}/web:81/proxy/") == (503, told)
        assert (await world.refused(f"{SERVICES}/none:80/proxy/"))[0] == 404

    served(scene)


@pytest.mark.parametrize(
    "lie", [{"ready": False}, {"name": "other"}, {"namespace": "kube-system"}, {"kind": "Node"}], ids=str
)
def test_an_endpoint_that_is_no_ready_pod_is_none(served: Served, lie: dict[str, Any]) -> None:
    async def scene(world: World) -> None:
        await world.pod()
        await world.pod("other", ip="10.9.9.9")
        async with backend(echo) as port:
            await world.service(port, **lie)
            told = 'no endpoints available for service "web:80"'
            assert await world.refused(f"{SERVICES}/web:80/proxy/") == (503, told)

    served(scene)


def test_the_verb_of_the_method_must_be_allowed_on_the_proxy(served: Served, authority: Authority) -> None:
    async def scene(world: World) -> None:
        await world.pod()
        rule: Object = {"apiGroups": [""], "resources": ["pods/proxy"], "verbs": ["get"]}
        roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
        await world.cluster.create(f"{roles}/roles", {**named("reader"), "rules": [rule]})
        subject: Object = {"kind": "Group", "name": "readers", "apiGroup": "rbac.authorization.k8s.io"}
        role: Object = {"kind": "Role", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
        bound: Object = {**named("readers"), "subjects": [subject], "roleRef": role}
        await world.cluster.create(f"{roles}/rolebindings", bound)
        port_of_api = URL(str(world.session._base_url)).port or 0
        async with backend(echo) as port, client(authority, port_of_api, "readers") as reader:
            for method, code in {"GET": 207, "HEAD": 207, "POST": 403, "DELETE": 403, "OPTIONS": 403}.items():
                async with reader.request(method, f"{PODS}/p:{port}/proxy/") as answer:
                    assert (method, answer.status) == (method, code)
            async with reader.get(f"{SERVICES}/web/proxy/") as answer:
                assert answer.status == 403
                told = json.loads(await answer.read())["message"]
                assert 'cannot get resource "services/proxy" in API group "" in the namespace "default"' in told

    served(scene)


def test_discovery_lists_the_proxies_of_pods_and_services_alone(served: Served) -> None:
    async def scene(world: World) -> None:
        async with world.session.get("/api/v1") as answer:
            found = {each["name"]: each for each in json.loads(await answer.read())["resources"]}
        assert found["pods/proxy"]["kind"] == "PodProxyOptions"
        assert set(found["services/proxy"]["verbs"]) == {"create", "delete", "get", "patch", "update"}
        assert "nodes/proxy" not in found

    served(scene)


def test_links_of_a_page_lead_through_the_proxy_as_it_comes(served: Served) -> None:
    going_on = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        if request.method == "GET":
            await response.write(b"<a href='/first'>")
            await going_on.wait()
            await response.write(b"<img src=/second>")
        return response

    async def scene(world: World) -> None:
        await world.pod()
        async with backend(slow) as port:
            path = f"{PODS}/p:{port}/proxy"
            async with world.session.get(f"{path}/x") as answer:
                assert await answer.content.readany() == f"<a href='{path}/first'>".encode()
                going_on.set()
                assert await answer.read() == f"<img src={path}/second>".encode()
            async with world.session.head(f"{path}/x") as answer:
                assert (answer.status, await answer.read()) == (200, b"")

    served(scene)


def test_a_packed_page_stays_packed_and_one_that_breaks_off_does_not_pass_for_whole(served: Served) -> None:
    async def packed(request: web.Request) -> web.StreamResponse:
        body = gzip.compress(b"<a href=/x>")
        headers = {"Content-Type": "text/html", "Content-Encoding": "gzip"}
        return web.Response(body=body[: -4 if request.path == "/half" else None], headers=headers)

    async def scene(world: World) -> None:
        await world.pod()
        async with backend(packed) as port:
            path = f"{PODS}/p:{port}/proxy"
            async with world.session.get(f"{path}/whole") as answer:
                assert gzip.decompress(await answer.read()) == f"<a href={path}/x>".encode()
            with pytest.raises(aiohttp.ClientError):
                async with world.session.get(f"{path}/half") as answer:
                    await answer.read()

    served(scene)
