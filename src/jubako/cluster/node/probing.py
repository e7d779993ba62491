"""startup, liveness and readiness probes of one attempt of a container.

Model:        one task for each probe. Until the startup probe has succeeded the others wait. A failure counts when
              failureThreshold of them came in a row; the failed liveness or startup probe ends the attempt.
Concurrency:  tasks of the event loop; `execute` blocks and is called in a thread.
Spec:         "Pod Lifecycle", Container probes; core/v1 Probe.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from jubako.cluster.node.seen import Health
from jubako.cluster.types.document import Object, array, integer, mapping, objects, text

Execute = Callable[[str, list[str], float], Awaitable[tuple[int, str]]]
"""Runs a command in an attempt within so many seconds; returns its exit code and what it said."""

_HEAD_LIMIT_BYTES = 1 << 14


class Outcome(NamedTuple):
    ok: bool
    message: str = ""


class Probing:
    """`tell` is called with (kind, message) for each failure, `changed` when the health is another."""

    def __init__(
        self,
        attempt: str,
        container: Object,
        address: str,
        execute: Execute,
        tell: Callable[[str, str], None],
        changed: Callable[[], None],
    ) -> None:
        self._attempt, self._container, self._address = attempt, container, address
        self._execute, self._tell, self._changed = execute, tell, changed
        kinds = {name: mapping(container.get(f"{name}Probe")) for name in ("startup", "liveness", "readiness")}
        self.health = Health(attempt=attempt, started=not kinds["startup"], ready=not kinds["readiness"])
        self._started = asyncio.Event()
        if not kinds["startup"]:
            self._started.set()
        self._tasks = [asyncio.create_task(self._run(name, probe)) for name, probe in kinds.items() if probe]

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _run(self, name: str, probe: Object) -> None:
        if name != "startup":
            await self._started.wait()
        await asyncio.sleep(integer(probe.get("initialDelaySeconds")))
        successes = failures = 0
        while True:
            found = await self._check(probe)
            successes, failures = (successes + 1, 0) if found.ok else (0, failures + 1)
            if not found.ok:
                self._tell(name, found.message)
            if successes >= integer(probe.get("successThreshold"), 1) and self._passed(name):
                return
            if failures >= integer(probe.get("failureThreshold"), 3):
                self._failed(name)
            await asyncio.sleep(integer(probe.get("periodSeconds"), 10))

    def _passed(self, name: str) -> bool:
        """Note a success; tells whether the probe has no more to say."""
        if name == "startup":
            self._set(started=True)
            self._started.set()
            return True
        if name == "readiness":
            self._set(ready=True)
        return False

    def _failed(self, name: str) -> None:
        if name == "readiness":
            self._set(ready=False)
        else:
            self._set(failed=name)

    def _set(self, **change: bool | str) -> None:
        health = msgspec.structs.replace(self.health, **change)
        if health != self.health:
            self.health = health
            self._changed()

    async def _check(self, probe: Object) -> Outcome:
        timeout_s = float(integer(probe.get("timeoutSeconds"), 1))
        try:
            async with asyncio.timeout(timeout_s + 0.5):
                if "exec" in probe:
                    words = [text(word) for word in array(mapping(probe["exec"]).get("command"))]
                    code, said = await self._execute(self._attempt, words, timeout_s)
                    return Outcome(code == 0, said.strip())
                async with asyncio.timeout(timeout_s):
                    return await self._connect(probe)
        except TimeoutError:
            return Outcome(
                False, f"command timed out after {timeout_s:.0f}s" if "exec" in probe else "context deadline exceeded"
            )
        except (OSError, ValueError) as error:
            return Outcome(False, str(error))

    async def _connect(self, probe: Object) -> Outcome:
        if "httpGet" in probe:
            return await self._get(mapping(probe["httpGet"]))
        if "tcpSocket" in probe:
            asked = mapping(probe["tcpSocket"])
            host = text(asked.get("host")) or self._address
            _, writer = await asyncio.open_connection(host, self._port(asked))
            writer.close()
            return Outcome(True)
        return Outcome(False, "probes of this kind are not supported")

    async def _get(self, asked: Object) -> Outcome:
        host, port = text(asked.get("host")) or self._address, self._port(asked)
        secure = _unchecked() if asked.get("scheme") == "HTTPS" else None
        reader, writer = await asyncio.open_connection(host, port, ssl=secure, limit=_HEAD_LIMIT_BYTES)
        try:
            writer.write(_request(asked, f"{host}:{port}"))
            await writer.drain()
            status = (await reader.readline()).decode("latin-1").split(" ", 2)
        finally:
            writer.close()
        code = int(status[1]) if len(status) > 1 and status[1].isdigit() else 0
        return Outcome(200 <= code < 400, f"HTTP probe failed with statuscode: {code}")

    def _port(self, asked: Object) -> int:
        port = asked.get("port")
        if isinstance(port, int):
            return port
        named = [each for each in objects(self._container.get("ports")) if each.get("name") == port]
        if not named:
            raise ValueError(f"couldn't find port: {port}")
        return integer(named[0].get("containerPort"))


def _request(asked: Object, host: str) -> bytes:
    headers = {"Host": host, "User-Agent": "kube-probe/1.32", "Accept": "*/*", "Connection": "close"}
    headers |= {text(each.get("name")): text(each.get("value")) for each in objects(asked.get("httpHeaders"))}
    lines = [f"GET {text(asked.get('path')) or '/'} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def _unchecked() -> ssl.SSLContext:
    """A probe asks whether something answers, not who."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
