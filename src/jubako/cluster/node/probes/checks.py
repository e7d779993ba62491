"""One look at a container, as a probe asks for it.

Spec: core/v1 Probe; k8s.io/kubernetes/pkg/kubelet/prober.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from jubako.cluster.node.probes import http
from jubako.cluster.node.probes.dialing import Failed, dialed, joined, port_of
from jubako.cluster.types.document import Object, array, integer, mapping, text
from jubako.errors import JubakoError

Execute = Callable[[str, list[str], float], Awaitable[tuple[int, str]]]
"""Runs a command in an attempt within so many seconds; returns its exit code and what it said. Raises TimeoutError."""


class Outcome(NamedTuple):
    """`ok` is None where nobody knows, for the container could not be asked. A success with a message is a warning."""

    ok: bool | None
    message: str = ""


class Checks(msgspec.Struct, frozen=True, kw_only=True):
    """Those of one attempt. `address` is the pod's."""

    attempt: str
    container: Object
    address: str
    execute: Execute

    async def look(self, probe: Object) -> Outcome:
        timeout_s = float(integer(probe.get("timeoutSeconds"), 1))
        try:
            if "exec" in probe:
                return await self._command(mapping(probe["exec"]), timeout_s)
            if "httpGet" in probe:
                return await self._get(mapping(probe["httpGet"]), timeout_s)
            if "tcpSocket" in probe:
                return await self._dial(mapping(probe["tcpSocket"]), timeout_s)
            return await self._call(mapping(probe.get("grpc")), timeout_s)
        except Failed as failed:
            return Outcome(False, str(failed))

    async def _command(self, asked: Object, timeout_s: float) -> Outcome:
        words = [text(word) for word in array(asked.get("command"))]
        try:
            code, said = await self.execute(self.attempt, words, timeout_s)
        except TimeoutError:
            return Outcome(False, f'command "{" ".join(words)}" timed out')
        except JubakoError as error:
            return Outcome(None, error.message)
        return Outcome(False, said) if code else Outcome(True)

    async def _get(self, asked: Object, timeout_s: float) -> Outcome:
        answer = await http.get(asked, self.container, self.address, timeout_s)
        if 200 <= answer.code < 400:
            return Outcome(True, "Probe terminated redirects, Response body: " if answer.elsewhere else "")
        return Outcome(False, f"HTTP probe failed with statuscode: {answer.code}")

    async def _dial(self, asked: Object, timeout_s: float) -> Outcome:
        host, port = text(asked.get("host")) or self.address, port_of(self.container, asked.get("port"))
        try:
            async with asyncio.timeout(timeout_s), dialed(host, port):
                return Outcome(True)
        except TimeoutError:
            return Outcome(False, f"dial tcp {joined(host, port)}: i/o timeout")

    async def _call(self, asked: Object, timeout_s: float) -> Outcome:
        from jubako.cluster.node.probes import grpc

        await grpc.check(
            self.address, port_of(self.container, asked.get("port")), text(asked.get("service")), timeout_s
        )
        return Outcome(True)
