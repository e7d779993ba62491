"""Logs, processes and ports of the pods of this node, for the API server."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial

from jubako.cluster.apiserver.streams import LogOptions
from jubako.cluster.node import logs
from jubako.cluster.node.blocking import Blocking, acquired
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.node.seen import Attempt
from jubako.cluster.node.session import NodeSession
from jubako.cluster.types.document import Object, at, mapping, objects, text
from jubako.engine.exec import ExecOptions
from jubako.errors import FailedPrecondition, Unavailable
from jubako.runtime.attach import Attached
from jubako.runtime.handle import Handle

_LOOPBACK = (("IPv4:", "tcp4", socket.AF_INET, "127.0.0.1"), ("IPv6", "tcp6", socket.AF_INET6, "::1"))
_PULL = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}


class NodeStreams:
    """`host` is the node's address, which pods in its network have."""

    def __init__(self, engine: NodeEngine, blocking: Blocking, host: str) -> None:
        self._engine, self._blocking, self._host = engine, blocking, host

    async def logs(self, pod: Object, container: str, options: LogOptions) -> AsyncGenerator[bytes, None]:
        """Yield a log as it is read. Raises FailedPrecondition."""
        attempt = await self._attempt(pod, container, previous=options.previous)
        async with aclosing(logs.stream(partial(self._engine.log, attempt.id, options), options)) as log:
            async for data in log:
                yield data

    async def check(self, pod: Object, container: str) -> None:
        """Raise FailedPrecondition where a container does not run."""
        await self._running(pod, container)

    async def execute(
        self, pod: Object, container: str, command: Sequence[str], *, tty: bool, stdin: bool
    ) -> NodeSession:
        """Start a process in a container."""
        attempt = await self._running(pod, container)
        options = ExecOptions(command=list(command), tty=tty, stdin=stdin)
        handle = await acquired(self._blocking, partial(self._engine.exec, attempt.id, options), Handle.abandon)
        assert handle.attached is not None
        return NodeSession(handle.attached, self._blocking, handle)

    async def attach(self, pod: Object, container: str) -> NodeSession:
        """Connect with the streams of a container."""
        attempt = await self._running(pod, container)
        attached = await acquired(self._blocking, partial(self._engine.attach, attempt.id), Attached.close)
        return NodeSession(attached, self._blocking, keeps_input=not _takes_input_once(pod, container))

    async def ports(self, pod: Object) -> PodPorts:
        """Return the ports of a pod. Raises FailedPrecondition where it has no network."""
        seen = await self._blocking(partial(self._engine.look, pod))
        if not seen.ready:
            raise FailedPrecondition(f'pod not found ("{_full_name(pod)}")')
        return PodPorts(self._engine, self._blocking, seen.sandbox, seen.address or self._host)

    async def _running(self, pod: Object, container: str) -> Attempt:
        seen = await self._blocking(partial(self._engine.look, pod))
        last = seen.last(container)
        if last is None or not last.running:
            raise FailedPrecondition(f'container not found ("{container}")')
        return last

    async def _attempt(self, pod: Object, container: str, *, previous: bool) -> Attempt:
        name = text(at(pod, "metadata", "name"))
        seen = await self._blocking(partial(self._engine.look, pod))
        attempts = seen.of(container)
        if previous and len(attempts) < 2:
            raise FailedPrecondition(f'previous terminated container "{container}" in pod "{name}" not found')
        if not attempts:
            why = _waits_for(pod, container)
            raise FailedPrecondition(f'container "{container}" in pod "{name}" is waiting to start: {why}')
        return attempts[1 if previous else 0]


class PodPorts:
    """What listens in the network of a pod; `id` is that of its sandbox."""

    def __init__(self, engine: NodeEngine, blocking: Blocking, sandbox: str, address: str) -> None:
        self._engine, self._blocking, self.id, self.address = engine, blocking, sandbox, address

    async def dial(self, port: int) -> socket.socket:
        """Connect to a port on the loopback of the pod. Raises Unavailable with what each family said, NotFound."""
        said = []
        for family, protocol, number, host in _LOOPBACK:
            made = await self._socket(number)
            try:
                await asyncio.get_running_loop().sock_connect(made, (host, port))
            except BaseException as error:
                made.close()
                if not isinstance(error, OSError):
                    raise
                address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
                said.append(f"{family} dial {protocol} {address}: connect: {os.strerror(error.errno or 0).lower()}")
            else:
                return made
        where = f'failed to connect to localhost:{port} inside namespace "{self.id}"'
        raise Unavailable(f"{where}, {' '.join(said)}")

    async def open(self) -> socket.socket:
        """Return a socket for TCP in the network of the pod. Raises FailedPrecondition, NotFound."""
        return await self._socket(socket.AF_INET)

    async def _socket(self, family: int) -> socket.socket:
        return await self._blocking(partial(self._engine.reach, self.id, family))


def _takes_input_once(pod: Object, container: str) -> bool:
    return any(
        each.get("stdinOnce") is True
        for group in ("containers", "initContainers", "ephemeralContainers")
        for each in objects(at(pod, "spec", group))
        if each.get("name") == container
    )


def _waits_for(pod: Object, container: str) -> str:
    for group in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for status in objects(at(pod, "status", group)):
            if status.get("name") == container:
                reason = text(mapping(mapping(status.get("state")).get("waiting")).get("reason"))
                return _PULL.get(reason, reason) or "ContainerCreating"
    return "ContainerCreating"


def _full_name(pod: Object) -> str:
    return f"{text(at(pod, 'metadata', 'name'))}_{text(at(pod, 'metadata', 'namespace'))}"
