"""A way out for the containers of those who may not make bridges: pasta carries their connections in user space.

Model:      the container's network namespace gets the address and routes of this machine; what is connected from
            there pasta connects here, as this user. In lead published ports alone, which pasta listens at; and to this
            machine's loopback only FORWARDER, behind which is its name server.
Lifetime:   pasta watches the file of the namespace that it was given, and ends when that is deleted: by `disconnect`,
            or by whoever removes the directory after a kill. It is mounted where only this process's mount namespace
            has it, so that pasta may open it from the namespaces that it confines itself in. It is alone in its
            directory: of several names that are deleted at once pasta sees the first.
Spec:       pasta(1)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from jubako.errors import FailedPrecondition, Unavailable
from jubako.linux import helper, pinned
from jubako.network import ports
from jubako.network.record import Endpoint, PortBinding
from jubako.network.resolv import FORWARDER

_FILE = "pasta/netns"
_OPTIONS = ["--config-net", "--quiet", "--no-map-gw", "--dns-forward", FORWARDER]
_LISTENING = {"tcp": "-t", "udp": "-u"}
_NO_SYSLOG = "Failed to send "


def connect(netns_fd: int, directory: Path, published: Sequence[PortBinding] = ()) -> None:
    """Give the network namespace its way out, and in by `published`; `directory` is the container's.

    Raises FailedPrecondition, Unavailable.
    """
    program = helper.find("pasta")
    if not program:
        raise FailedPrecondition(
            "the network of a container of an ordinary user needs pasta, which is not installed",
            hint="apt-get install passt, or --network none",
        )
    path = directory / _FILE
    path.parent.mkdir(mode=0o700)
    pinned.pin(f"/proc/self/fd/{netns_fd}", path)
    said = helper.complaint([program, *_OPTIONS, *_ways_in(published), "--netns", str(path)])
    if said is not None:
        raise Unavailable(f"pasta failed: {_reason(said)}", hint="`--network none` and `--network host` do without")


def host_address() -> NoReturn:
    """There is none: what the container has is this machine's own address, and its gateway is not let through."""
    raise FailedPrecondition(
        "--add-host with host-gateway: no address leads from an ordinary user's container to this machine itself",
        hint="--network host, where 127.0.0.1 is this machine",
    )


def choose(container_id: str, name: str, bindings: Iterable[PortBinding]) -> list[PortBinding]:
    """The bindings with ports that are free at this moment; raises as Networks.reserve() and attach() do."""
    own = Endpoint(
        id=container_id, container_id=container_id, container_name=name, network_id="", network="pasta", driver="pasta"
    )
    return [ports.choose(own, binding) for binding in bindings]


def _ways_in(published: Sequence[PortBinding]) -> list[str]:
    words = ["-T", "none", "-U", "none"]
    for protocol, option in _LISTENING.items():
        texts = [
            f"{port.host_ip + '/' if port.host_ip else ''}{port.host_port}:{port.container_port}"
            for port in published
            if port.protocol == protocol
        ]
        words += [word for text in texts or ["none"] for word in (option, text)]
    return words


def disconnect(directory: Path) -> None:
    """Have pasta end, where it is running."""
    pinned.unpin(directory / _FILE)
    with suppress(FileNotFoundError):
        (directory / _FILE).unlink()


def _reason(said: str) -> str:
    """The last thing that it said, but for its trouble with a system that has no syslog."""
    lines = [line for line in said.splitlines() if not line.startswith(_NO_SYSLOG)]
    return lines[-1] if lines else "it did not say why"
