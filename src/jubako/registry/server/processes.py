"""Several processes that serve one registry: who starts them, starts them again, and ends them.

Sockets:    one for each process, all bound to the same port (SO_REUSEPORT), so that the kernel deals connections out.
            The parent keeps them open: what waits in the queue of a process that died is served by the next one.
Memory:     counters and rate limits are shared (shared.py).
Reload:     SIGHUP goes on to all, and a process that is started later begins with what the others then read.
Endings:    SIGTERM goes on to all. A process ends when its standard input does, so that none outlives a parent that
            was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from jubako.errors import JubakoError, Unavailable
from jubako.registry.server.config import Configuration, reload
from jubako.registry.server.config.values import Duration, Size
from jubako.registry.server.listening import address_of, bind
from jubako.registry.server.shared import Shared

_LOG = logging.getLogger("jubako.registry")
_AGAIN_S = 1.0
_LAST_S = 5.0


class Order(msgspec.Struct):
    """What a process is told on its standard input."""

    configuration: Configuration
    file: str | None
    listener: int
    ready: int
    memory: int
    key: bytes
    index: int
    processes: int

    def encode(self) -> bytes:
        return msgspec.json.encode(self, enc_hook=_plain)


def serve_in_processes(
    configuration: Configuration, file: Path | None, memory: Shared, ready: Callable[[str], None] | None
) -> None:
    """Serve until SIGTERM or SIGINT with as many processes as the configuration says."""
    with ExitStack() as stack:
        first = stack.enter_context(bind(configuration.listen, shared=True))
        address = address_of(first)
        others = [stack.enter_context(bind(address, shared=True)) for _ in range(configuration.processes - 1)]
        asyncio.run(_Parent(configuration, file, memory, [first, *others]).run(address, ready))


class _Parent:
    def __init__(
        self, configuration: Configuration, file: Path | None, memory: Shared, listeners: list[socket.socket]
    ) -> None:
        self._configuration = configuration
        self._file = file
        self._memory = memory
        self._listeners = listeners
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()

    async def run(self, address: str, ready: Callable[[str], None] | None) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        if self._file is not None:
            loop.add_signal_handler(signal.SIGHUP, self._reload, self._file)
        keepers = []
        try:
            for index in range(len(self._listeners)):
                await self._start(index)
                keepers.append(asyncio.create_task(self._keep(index)))
            if ready is not None:
                ready(f"{'https' if self._configuration.tls else 'http'}://{address}")
            await self._stopping.wait()
        finally:
            self._stopping.set()
            await self._end()
            await asyncio.gather(*keepers)

    async def _start(self, index: int) -> None:
        """Start one process and wait until it serves; Unavailable when it does not."""
        told, tells = os.pipe2(os.O_CLOEXEC)
        listener = self._listeners[index].fileno()
        order = Order(
            configuration=self._configuration,
            file=str(self._file) if self._file else None,
            listener=listener,
            ready=tells,
            memory=self._memory.fd,
            key=self._memory.key,
            index=index,
            processes=len(self._listeners),
        )
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "jubako.registry.server.worker",
                stdin=asyncio.subprocess.PIPE,
                pass_fds=(listener, tells, self._memory.fd),
                env=dict(os.environ),
            )
            os.close(tells)
            tells = -1
            self._running[index] = process
            assert process.stdin
            process.stdin.write(order.encode() + b"\n")
            await process.stdin.drain()
            if not await asyncio.get_running_loop().run_in_executor(None, os.read, told, 1):
                raise Unavailable("a process of the registry did not start; it said why before")
        finally:
            os.close(told)
            if tells >= 0:
                os.close(tells)

    async def _keep(self, index: int) -> None:
        """Start the process again whenever it ends, until all are to end."""
        while True:
            code = await self._running[index].wait()
            if self._stopping.is_set():
                return
            _LOG.error("a process of the registry ended with %d; it is started again", code)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _AGAIN_S)
                return
            try:
                await self._start(index)
            except (Unavailable, OSError) as error:
                _LOG.error("%s", error)
            if self._stopping.is_set():
                # This one was not there yet when the others were told.
                self._send(signal.SIGTERM)

    def _reload(self, file: Path) -> None:
        # Each process says itself what is wrong with the file.
        with contextlib.suppress(JubakoError, OSError):
            self._configuration, _ = reload(file, self._configuration)
        self._send(signal.SIGHUP)

    async def _end(self) -> None:
        self._send(signal.SIGTERM)
        waiting = asyncio.gather(*(process.wait() for process in self._running.values()))
        try:
            await asyncio.wait_for(waiting, self._configuration.drain + _LAST_S)
        except TimeoutError:
            self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        for process in self._running.values():
            if process.returncode is None:
                process.send_signal(number)


def _plain(value: object) -> object:
    """Values of a configuration as they are written in JSON."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Size):
        return int(value)
    if isinstance(value, Duration):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    raise NotImplementedError(type(value))
