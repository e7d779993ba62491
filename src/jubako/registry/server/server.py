"""The registry's HTTP server: start, reload, drain.

Concurrency:  one event loop; hashing, fsync and passwords in a pool of threads; memory is bounded by the requests in
              flight, a few MB each.
Reload:       SIGHUP reads the configuration file again; one that is wrong is reported, and the old one goes on.
Shutdown:     SIGTERM and SIGINT stop accepting, let requests in flight end for `drain` seconds, then close.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from jubako.errors import JubakoError
from jubako.registry.server.config import Configuration, reload
from jubako.registry.server.dispatch import Dispatcher
from jubako.registry.server.listening import address_of, bind, renew, tls_context
from jubako.registry.server.processes import serve_in_processes
from jubako.registry.server.registry import Registry, memory_for
from jubako.registry.server.shared import Shared
from jubako.registry.server.upkeep import Upkeep

if TYPE_CHECKING:
    from ssl import SSLContext

_THREADS = 16
_READ_BUFFER_BYTES = 512 << 10
_BACKLOG = 512
# What connections get that are still open after all requests were answered.
_LATE_S = 2.0
_LOG = logging.getLogger("jubako.registry")


def serve(
    configuration: Configuration, *, file: Path | None = None, ready: Callable[[str], None] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; port 0 chooses a port. SIGHUP reads the configuration from `file` again.

    `ready` is called with the address once connections are accepted. Raises InvalidArgument, PermissionDenied, and
    Unavailable when the address is taken.
    """
    memory = memory_for(configuration)
    try:
        if configuration.processes > 1:
            serve_in_processes(configuration, file, memory, ready)
            return
        with bind(configuration.listen) as listener:
            asyncio.run(until_signalled(configuration, listener, file, memory, ready))
    finally:
        os.close(memory.fd)


class Running:
    """A registry that serves at `url`."""

    def __init__(self, registry: Registry, url: str, context: SSLContext | None) -> None:
        self.registry = registry
        self.url = url
        self._context = context

    def reload(self, file: Path) -> None:
        """Serve by what `file` says now; what is wrong with it is logged, and nothing changes."""
        try:
            configuration, waiting = reload(file, self.registry.configuration)
            if self._context is not None and configuration.tls is not None:
                renew(self._context, configuration.tls)
            self.registry.apply(configuration)
        except (JubakoError, OSError) as error:
            _LOG.error("the configuration stays as it was: %s", error)
        else:
            _LOG.warning("the configuration was read again")
            if waiting:
                _LOG.warning("not before a new start: %s", ", ".join(waiting))


@asynccontextmanager
async def running(configuration: Configuration, listener: socket.socket, memory: Shared) -> AsyncIterator[Running]:
    """Lend a serving registry to the body; requests in flight are drained afterwards."""
    context = tls_context(configuration.tls) if configuration.tls else None
    with contextlib.closing(Registry(configuration, memory)) as registry:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS, "registry"))
        dispatcher = Dispatcher(registry)
        server = web.Server(dispatcher, access_log=None, read_bufsize=_READ_BUFFER_BYTES, auto_decompress=False)
        runner = web.ServerRunner(server, shutdown_timeout=_LATE_S)
        await runner.setup()
        site = web.SockSite(runner, listener, ssl_context=context, backlog=_BACKLOG)
        await site.start()
        upkeep = Upkeep(registry)
        upkeep.start()
        try:
            yield Running(registry, f"{'https' if context else 'http'}://{address_of(listener)}", context)
        finally:
            await _settle()
            await site.stop()
            # aiohttp reads no more of a body once it closes connections: uploads must have ended before that.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(dispatcher.drain(), registry.configuration.drain)
            await upkeep.stop()
            await runner.cleanup()


async def until_signalled(
    configuration: Configuration,
    listener: socket.socket,
    file: Path | None,
    memory: Shared,
    ready: Callable[[str], None] | None,
    *,
    parent: int | None = None,
) -> None:
    """Serve on `listener` until a signal, or until nobody holds the other end of the pipe `parent`."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if parent is not None:
        loop.add_reader(parent, stop.set)
    async with running(configuration, listener, memory) as server:
        if file is not None:
            loop.add_signal_handler(signal.SIGHUP, server.reload, file)
        if ready is not None:
            ready(server.url)
        await stop.wait()


async def _settle() -> None:
    """Let requests that had reached this machine before the signal reach their handlers, which are waited for then."""
    for _ in range(10):
        await asyncio.sleep(0.01)
