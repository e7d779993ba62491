"""Probes: what each kind finds and says, and when what it finds counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.unit.cluster.node import servers

from jubako.cluster.node.probes.checks import Checks, Outcome
from jubako.cluster.node.probes.probing import Probing, Row
from jubako.cluster.types.document import Object
from jubako.errors import FailedPrecondition

OK = b"HTTP/1.1 200 OK\r\n\r\n"


async def execute(attempt: str, words: list[str], timeout_s: float) -> tuple[int, str]:
    match words[0]:
        case "false":
            return 1, "why\n"
        case "sleep":
            raise TimeoutError
        case "gone":
            raise FailedPrecondition("it is not running")
        case _:
            return 0, "said"


def checks(address: str = "127.0.0.1", **container: Any) -> Checks:
    return Checks(attempt="r0", container={"name": "a", **container}, address=address, execute=execute)


def look(probe: Object, **container: Any) -> Outcome:
    return asyncio.run(checks(**container).look(probe))


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        ("true", Outcome(True)),
        ("false", Outcome(False, "why\n")),
        ("sleep 9", Outcome(False, 'command "sleep 9" timed out')),
        ("gone", Outcome(None, "it is not running")),
    ],
)
def test_a_command_is_judged_by_its_exit_code(command: str, outcome: Outcome) -> None:
    assert look({"exec": {"command": [*command.split()]}}) == outcome


async def got(port: int, path: str, **asked: Any) -> Outcome:
    return await checks().look({"httpGet": {"port": port, "path": path, **asked}, "timeoutSeconds": 1})


def redirect(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\n\r\n".encode()


def test_http_is_judged_by_its_status() -> None:
    async def scene() -> None:
        answers = {
            "/ok?x=1": OK,
            "/bad": b"HTTP/1.1 503 No\r\n\r\n",
            "/moved": redirect("/ok?x=1"),
            "/away": redirect("http://example.invalid/"),
            "/round": redirect("/round"),
            "/odd": b"hello\r\n\r\n",
            "/cut": b"",
        }
        async with servers.answering(answers) as port:
            base = f"http://127.0.0.1:{port}"
            assert await got(port, "ok?x=1") == Outcome(True)
            assert await got(port, "/bad") == Outcome(False, "HTTP probe failed with statuscode: 503")
            assert await got(port, "/moved") == Outcome(True)
            assert await got(port, "/away") == Outcome(True, "Probe terminated redirects, Response body: ")
            assert await got(port, "/round") == Outcome(False, f'Get "{base}/round": stopped after 10 redirects')
            why = 'net/http: HTTP/1.x transport connection broken: malformed HTTP response "hello"'
            assert await got(port, "/odd") == Outcome(False, f'Get "{base}/odd": {why}')
            assert await got(port, "/cut") == Outcome(False, f'Get "{base}/cut": EOF')
            why = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            assert await got(port, "/slow") == Outcome(False, f'Get "{base}/slow": {why}')

    asyncio.run(scene())


def test_http_sends_what_is_asked_for() -> None:
    async def scene() -> None:
        heads: list[bytes] = []
        async with servers.answering({"/": OK}, heads) as port:
            await got(port, "/")
            given: list[Object] = [{"name": "Host", "value": "web"}, {"name": "x-a", "value": "1"}, {"name": "accept"}]
            await got(port, "", httpHeaders=given)
            bad = await got(port, "/", httpHeaders=[{"name": "X", "value": "1\r\nEvil: 2"}])
        assert heads == [
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: kube-probe/1.32\r\nAccept: */*\r\n"
            "Connection: close\r\n\r\n".encode(),
            b"GET / HTTP/1.1\r\nUser-Agent: kube-probe/1.32\r\nHost: web\r\nx-a: 1\r\nConnection: close\r\n\r\n",
        ]
        assert bad.ok is False
        assert 'invalid header field value for "X"' in bad.message

    asyncio.run(scene())


def test_a_port_is_a_number_or_the_name_of_one() -> None:
    async def scene() -> None:
        async with servers.answering({}) as port:
            ports: list[Object] = [{"name": "web", "containerPort": port}]
            assert await checks(ports=ports).look({"tcpSocket": {"port": "web"}}) == Outcome(True)
            assert await checks().look({"tcpSocket": {"port": "web"}}) == Outcome(False, "couldn't find port: web")

    asyncio.run(scene())


def test_a_port_where_nobody_listens_refuses() -> None:
    refused = Outcome(False, "dial tcp 127.0.0.1:1: connect: connection refused")
    assert look({"tcpSocket": {"port": 1}}) == refused
    why = 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused'
    assert look({"httpGet": {"port": 1}}) == Outcome(False, why)


def test_grpc_is_called_where_somebody_listens() -> None:
    late = 'timeout: failed to connect service "127.0.0.1:1" within 1s: context deadline exceeded'
    assert look({"grpc": {"port": 1}}) == Outcome(False, late)


def test_grpc_is_judged_by_the_state_of_the_service() -> None:

    async def asked(port: int, service: str) -> Outcome:
        return await checks().look({"grpc": {"port": port, "service": service}, "timeoutSeconds": 1})

    async def scene() -> None:
        states: dict[str, int | tuple[int, str]] = {"": 1, "x" * 200: 1, "down": 2, "none": (12, "no%20such")}
        async with servers.health(states) as port:
            assert await asked(port, "") == Outcome(True)
            assert await asked(port, "down") == Outcome(False, 'service unhealthy (responded with "NOT_SERVING")')
            why = "this server does not implement the grpc health protocol (grpc.health.v1.Health)"
            assert await asked(port, "none") == Outcome(False, f"error: {why}: no such")
            why = "rpc error: code = NotFound desc = unknown service"
            assert await asked(port, "other") == Outcome(False, f"error: health rpc probe failed: {why}")
        async with servers.answering({"*": b"HTTP/1.1 400 Bad\r\n\r\n"}) as port:
            assert (await asked(port, "")).ok is False

    asyncio.run(scene())


def test_a_row_counts_when_it_is_long_enough() -> None:
    row = Row({"successThreshold": 2, "failureThreshold": 3})
    told = [row.add(ok) for ok in (True, True, True, False, None, False, True, False, False, False, False)]
    assert told == [None, True, True, None, None, None, None, None, None, False, False]


def play(container: Object, before: Object, scene: Callable[[Probing, list[str]], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        told: list[str] = []
        probing = Probing(checks(**container), time.time(), before, lambda kind, _: told.append(kind), lambda: None)
        try:
            async with asyncio.timeout(20):
                await scene(probing, told)
        finally:
            probing.stop()

    asyncio.run(main())


async def until(what: Callable[[], bool]) -> None:
    while not what():
        await asyncio.sleep(0)


TRUE, FALSE = {"exec": {"command": ["true"]}}, {"exec": {"command": ["false"]}, "failureThreshold": 1}


def test_other_probes_wait_for_the_startup_probe() -> None:
    async def scene(probing: Probing, told: list[str]) -> None:
        assert (probing.health.started, probing.health.ready) == (False, False)
        await until(lambda: probing.health.failed == "startup")
        await asyncio.sleep(0)
        assert told == ["startup"]

    play({"startupProbe": FALSE, "livenessProbe": FALSE, "readinessProbe": TRUE}, {}, scene)


def test_a_started_container_is_ready_when_its_probe_says_so() -> None:
    async def scene(probing: Probing, told: list[str]) -> None:
        await until(lambda: probing.health.started and probing.health.ready)
        assert told == []

    play({"startupProbe": TRUE, "livenessProbe": TRUE, "readinessProbe": TRUE}, {}, scene)


def test_what_was_told_of_an_attempt_holds_until_a_probe_says_otherwise() -> None:
    async def scene(probing: Probing, told: list[str]) -> None:
        assert (probing.health.started, probing.health.ready) == (True, True)
        await until(lambda: not probing.health.ready)
        assert told == ["readiness"]

    play({"startupProbe": FALSE, "readinessProbe": FALSE}, {"started": True, "ready": True}, scene)


def test_of_a_pod_that_is_ending_only_readiness_matters() -> None:
    async def scene(probing: Probing, told: list[str]) -> None:
        probing.rest()
        await until(lambda: told == ["readiness"])
        assert not probing.health.failed

    play({"livenessProbe": FALSE, "readinessProbe": FALSE}, {}, scene)
