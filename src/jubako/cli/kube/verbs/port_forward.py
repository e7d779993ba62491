"""jubako port-forward: ports of this machine that lead to ports of a pod.

Model: each connection has a thread and a WebSocket of its own (carrying).
Spec:  `kubectl port-forward`; k8s.io/kubelet/pkg/cri/streaming/portforward, "v4.channel.k8s.io".
"""

from __future__ import annotations

import select
import socket
import threading
from contextlib import ExitStack, suppress

import msgspec

from jubako.cli.kube.carrying import Carrying
from jubako.cli.kube.client import Client
from jubako.cli.kube.fetching import get
from jubako.cli.kube.podchoice import path, pods_of
from jubako.cluster.client.failure import Refused
from jubako.cluster.types.document import Object, at, objects, text
from jubako.errors import InvalidArgument

_PROTOCOLS = ("v4.channel.k8s.io",)


class Pair(msgspec.Struct, frozen=True):
    """A port here (0 chooses one) and the one in the pod that it leads to."""

    local: int
    remote: int


def port_forward(client: Client) -> None:
    """Listen until interrupted."""
    words = client.arguments.operands
    if len(words) < 2:
        raise InvalidArgument("TYPE/NAME and list of ports are required for port-forward")
    pod = pods_of(client, words[0], "attach to")[0]
    if (phase := text(at(pod, "status", "phase"))) != "Running":
        raise InvalidArgument(f"unable to forward port because pod is not running. Current status={phase}")
    service = _service(client, words[0])
    pairs = [_pair(word, pod, service) for word in words[1:]]
    with ExitStack() as stack:
        listening = {
            listener.fileno(): (listener, pair.remote)
            for pair in pairs
            for address in client.arguments.texts("address") or ["127.0.0.1"]
            for listener in [stack.enter_context(_listen(client, address, pair))]
        }
        poll = select.poll()
        for fd in listening:
            poll.register(fd, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                listener, remote = listening[fd]
                accepted, _ = listener.accept()
                client.line(f"Handling connection for {listener.getsockname()[1]}")
                # Daemons: the command ends at once, with all that it forwards.
                threading.Thread(target=_forward, args=(client, pod, remote, accepted), daemon=True).start()


def _service(client: Client, spelled: str) -> Object | None:
    kind, _, name = spelled.rpartition("/")
    of = client.discovery.named(kind or "pods")
    return get(client, of, name) if of.kind == "Service" else None


def _pair(word: str, pod: Object, service: Object | None) -> Pair:
    """Read LOCAL:REMOTE, :REMOTE or PORT; a port of a service is that of its pods. Raises InvalidArgument."""
    local, colon, remote = word.partition(":")
    wanted = remote if colon else local
    port = _of_service(service, wanted, pod) if service else _named(pod, wanted)
    if not colon and not local.isdecimal():
        local = str(port)
    if not (local.isdecimal() or (colon and not local)) or int(local or 0) > 65535:
        raise InvalidArgument(f"error parsing local port '{local}': it is a number up to 65535")
    return Pair(int(local or 0), port)


def _named(pod: Object, wanted: str) -> int:
    """Return a port by its number or its name in the pod."""
    if wanted.isdecimal() and 0 < int(wanted) < 65536:
        return int(wanted)
    for container in objects(at(pod, "spec", "containers")):
        for port in objects(container.get("ports")):
            found = port.get("containerPort")
            if port.get("name") == wanted and isinstance(found, int):
                return found
    raise InvalidArgument(f"Pod '{text(at(pod, 'metadata', 'name'))}' does not have a named port '{wanted}'")


def _of_service(service: Object, wanted: str, pod: Object) -> int:
    for port in objects(at(service, "spec", "ports")):
        if wanted in (str(port.get("port")), port.get("name")):
            return _named(pod, str(port.get("targetPort") or port.get("port")))
    name = text(at(service, "metadata", "name"))
    raise InvalidArgument(f"Service {name} does not have a service port {wanted}")


def _listen(client: Client, address: str, pair: Pair) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    host = "127.0.0.1" if address == "localhost" else address
    try:
        listener = socket.create_server((host, pair.local), family=family, backlog=128)
    except OSError as error:
        told = f"unable to listen on port {pair.local}: {address}:{pair.local}: {error.strerror}"
        raise InvalidArgument(told) from None
    shown = f"[{host}]" if family == socket.AF_INET6 else host
    client.line(f"Forwarding from {shown}:{listener.getsockname()[1]} -> {pair.remote}")
    return listener


def _forward(client: Client, pod: Object, port: int, accepted: socket.socket) -> None:
    with accepted, suppress(OSError):
        try:
            opened = client.connection.upgrade(path(client, pod, "portforward"), {"ports": str(port)}, _PROTOCOLS)
        except Refused as refused:
            client.error(f"error: {refused.message}")
            return
        try:
            if failed := Carrying(accepted, opened).run():
                client.error(f"error: {failed}")
        finally:
            opened.close()
