"""The control plane of one cluster, as a process: python -m jubako.cluster.serve NAME ROOT RUN_ROOT ADDRESS PORT AUDIT

Says "ready" in a line when clients are served; ends on SIGTERM and SIGINT. Killed, it loses nothing: all that was
acknowledged is in the store, and the next one goes on from there.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import msgspec

from jubako.cluster import kubeconfig
from jubako.cluster.addressing import DOMAIN, addresses
from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.audit.log import AuditLog
from jubako.cluster.apiserver.audit.policy import Auditing
from jubako.cluster.apiserver.bootstrap import bootstrap
from jubako.cluster.apiserver.caller import MASTERS
from jubako.cluster.apiserver.http.auditing import Auditor
from jubako.cluster.apiserver.http.handler import Handler
from jubako.cluster.apiserver.http.server import Server, tls_of
from jubako.cluster.control import Control
from jubako.cluster.place import Place, Running, tell
from jubako.cluster.store import AsyncStore, DurableStore, Options
from jubako.errors import JubakoError
from jubako.spec import decoding

# By what else the API server is found, from pods too.
_NAMES = (
    "127.0.0.1",
    "localhost",
    *(f"kubernetes{end}" for end in ("", ".default", ".default.svc", f".default.svc.{DOMAIN}")),
)
_ALLOCATIONS = (20_000, 50, 100)
_ADMIN = "kubernetes-admin"
# What is told, and signs of life: an hour of the one, and of the other what a node renews anyway.
_EPHEMERAL = {"/registry/core/events/": 3600.0, "/registry/coordination.k8s.io/leases/kube-node-lease/": None}


async def serve(place: Place, held: int, host: str, port: int, auditing: Auditing) -> None:
    """Serve until a signal ends it; `held` is the file that tells who holds the cluster. Raises OSError."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with AsyncExitStack() as stack:
        core = DurableStore(place.state / "store", Options(ephemeral=_EPHEMERAL))
        stack.callback(core.close)
        authority, own = Authority(place.state / "pki"), addresses(place)
        api = Api(AsyncStore(core), authority, service_network=own.network)
        await bootstrap(api, place.volumes)
        _collect_seldom()
        control = Control(place, api, authority, own, host)
        names = (host, control.network.machine, control.node_name, own.api, *_NAMES)
        handler = Handler(api, control.streams, _auditor(place, api, auditing, stack))
        server = Server(handler, tls_of(authority, *authority.server(names)))
        stack.push_async_callback(server.stop)
        chosen = await _start(server, place, host, port)
        address = f"https://{host}:{chosen}"
        await stack.enter_async_context(control.running(chosen))
        stack.push_async_callback(handler.end_streams)
        _write_kubeconfig(place, authority, address)
        tell(held, Running(os.getpid(), address))
        os.write(1, b"ready\n")
        await ended.wait()


def _auditor(place: Place, api: Api, auditing: Auditing, stack: AsyncExitStack) -> Auditor:
    """Return what audits; its log ends after the server does."""
    if auditing == "none":
        return Auditor(api.clock, auditing, None)
    log = AuditLog(place.audit_log)
    stack.callback(log.close)
    return Auditor(api.clock, auditing, log)


def _collect_seldom() -> None:
    """Documents are trees that end with their last reference: looking for circles of thousands of them, over and over
    while they are read, would take twice the time of the reading."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_ALLOCATIONS)


async def _start(server: Server, place: Place, host: str, port: int) -> int:
    """Listen on `port`; with 0, where the cluster was the last time, so that its kubeconfig stays true, or anywhere."""
    remembered = place.state / "port"
    if not port and remembered.exists():
        with suppress(OSError, ValueError):  # taken by another, or cut off by a kill
            return await server.start(host, int(remembered.read_text()))
    chosen = await server.start(host, port)
    remembered.write_text(str(chosen))
    return chosen


def _write_kubeconfig(place: Place, authority: Authority, address: str) -> None:
    certificate, key = authority.client("admin", _ADMIN, (MASTERS,))
    data = kubeconfig.kubeconfig(place.name, address, authority.certificate_path, certificate, key)
    kubeconfig.write(place.kubeconfig, data)


def main() -> int:
    name, root, run_root, host, port, audit = sys.argv[1:]
    place = Place(name, Path(root), Path(run_root))
    try:
        with place.held() as held:
            asyncio.run(serve(place, held, host, int(port), msgspec.convert(audit, decoding.known(Auditing))))
    except (JubakoError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
