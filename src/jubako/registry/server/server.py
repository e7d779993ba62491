"""The registry's HTTP server: sockets, TLS, start, drain, and the periodic expiry of uploads.

Concurrency:  one event loop; hashing, fsync and passwords in a pool of threads; memory is bounded by the requests in
              flight, a few MB each.
Shutdown:     SIGTERM and SIGINT stop accepting, let requests in flight end for `drain_s` seconds, then close.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from ssl import SSLContext

from aiohttp import web

from jubako.errors import InvalidArgument, PermissionDenied, Unavailable
from jubako.registry.server.dispatch import Dispatcher
from jubako.registry.server.registry import Options, Registry, in_thread

_THREADS = 16
_READ_BUFFER_BYTES = 512 << 10
_BACKLOG = 512
_EXPIRY_INTERVAL_S = 600.0


def serve(
    listen: str,
    root: Path,
    *,
    htpasswd: Path | None = None,
    ready: Callable[[str], None] | None = None,
    token_auth: bool = False,
    anonymous_pull: bool = False,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    drain_s: float = 30.0,
) -> None:
    """Serve the registry in `root` on `listen` (ADDRESS:PORT; port 0 chooses one) until SIGTERM or SIGINT.

    `ready` is called with the address once connections are accepted. Raises InvalidArgument, PermissionDenied, and
    Unavailable when the address is taken.
    """
    options = Options(
        listen=listen,
        root=root,
        htpasswd=htpasswd,
        token_auth=token_auth,
        anonymous_pull=anonymous_pull,
        tls_cert=tls_cert,
        tls_key=tls_key,
        drain_s=drain_s,
    )
    asyncio.run(_until_signalled(options, ready))


@asynccontextmanager
async def running(options: Options) -> AsyncIterator[str]:
    """Lend a serving registry to the body, as its URL; requests in flight are drained afterwards."""
    if options.token_auth and options.htpasswd is None:
        raise InvalidArgument("token authentication needs users", hint="give an htpasswd file")
    tls = _tls(options)
    with _bind(options.listen) as listener, contextlib.closing(Registry(options)) as registry:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS, "registry"))
        dispatcher = Dispatcher(registry)
        server = web.Server(
            dispatcher,
            access_log=None,
            read_bufsize=_READ_BUFFER_BYTES,
            auto_decompress=False,
        )
        runner = web.ServerRunner(server, shutdown_timeout=options.drain_s)
        await runner.setup()
        site = web.SockSite(runner, listener, ssl_context=tls, backlog=_BACKLOG)
        await site.start()
        expiry = asyncio.create_task(_expire_forever(registry))
        try:
            yield _url(listener, tls is not None)
        finally:
            expiry.cancel()
            await site.stop()
            # aiohttp reads no more of a body once it closes connections: uploads must have ended before that.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(dispatcher.drain(), options.drain_s)
            await runner.cleanup()


async def _until_signalled(options: Options, ready: Callable[[str], None] | None) -> None:
    stop = asyncio.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(options) as url:
        if ready is not None:
            ready(url)
        await stop.wait()


async def _expire_forever(registry: Registry) -> None:
    while True:
        await in_thread(registry.uploads.expire)
        await asyncio.sleep(_EXPIRY_INTERVAL_S)


def _bind(listen: str) -> socket.socket:
    host, colon, port = listen.rpartition(":")
    if not (colon and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise InvalidArgument(f"invalid listen address {listen!r}", hint="write it as ADDRESS:PORT: 127.0.0.1:5000")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
        return listener
    except PermissionError as error:
        raise PermissionDenied(f"cannot listen on {listen}: {error.strerror}") from error
    except OSError as error:
        raise Unavailable(f"cannot listen on {listen}: {error.strerror}") from error


def _tls(options: Options) -> SSLContext | None:
    if options.tls_cert is None:
        return None
    import ssl

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise InvalidArgument(f"cannot use the certificate {options.tls_cert}: {error}") from error
    return context


def _url(listener: socket.socket, tls: bool) -> str:
    host, port = listener.getsockname()[:2]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
