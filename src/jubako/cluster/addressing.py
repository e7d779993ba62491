"""The addresses of a cluster: its services', and the two that every pod knows.

Layout:       ROOT/clusters/NAME/network    the services' network, chosen when the cluster comes up for the first time
              ROOT/clusters/.networks       lock: clusters choose one after the other
Invariant:    clusters that stand side by side have networks of their own, for they share the machine's routes.
Spec:         "Service ClusterIP allocation"; the numbers 1 and 10 are kubeadm's.
"""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network

import msgspec

from jubako.cluster.place import Place, names
from jubako.errors import ResourceExhausted
from jubako.linux import locks
from jubako.linux.newfile import write_once
from jubako.network import bridge
from jubako.network.naming import Names

DOMAIN = "cluster.local"
_POOL = tuple(IPv4Network("10.96.0.0/12").subnets(new_prefix=16))
_FIRST = "default"


class Addresses(msgspec.Struct, frozen=True):
    network: IPv4Network

    @property
    def api(self) -> str:
        """Of the Service `kubernetes`."""
        return str(self.network[1])

    @property
    def dns(self) -> str:
        """Of the Service `kube-dns`."""
        return str(self.network[10])


def addresses(place: Place) -> Addresses:
    """Return what this cluster has, or has from now on. Raises ResourceExhausted."""
    place.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(place.state.parent / ".networks", "ab") as lock:
        locks.wait(lock.fileno())
        found = _recorded(place)
        if found is None:
            found = _choose(place)
            write_once(place.state / "network", f"{found}\n".encode())
    return Addresses(found)


def is_reachable(host: str) -> bool:
    """Whether pods and other machines find this machine by an address that a server listens on."""
    try:
        return not host.startswith("127.") and IPv4Address(host) != IPv4Address(0)
    except ValueError:
        return False


def _recorded(place: Place) -> IPv4Network | None:
    with suppress(FileNotFoundError, ValueError):
        return IPv4Network((place.state / "network").read_text().strip())
    return None


def _choose(place: Place) -> IPv4Network:
    others = [_recorded(Place(name, place.root, place.run_root)) for name in names(place.root) if name != place.name]
    routes = [IPv4Network((route.base, route.prefix_len)) for route in bridge.taken("")]
    taken = [each for each in (*others, *routes) if each is not None]
    first = 0 if place.name == _FIRST and Names(place.root).is_default else Names(place.state).seed % len(_POOL)
    for candidate in (*_POOL[first:], *_POOL[:first]):
        if not any(candidate.overlaps(each) for each in taken):
            return candidate
    raise ResourceExhausted("no network for this cluster's services is free", hint="jubako cluster reset --name ONE")
