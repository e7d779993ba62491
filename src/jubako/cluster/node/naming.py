"""What resolv.conf of a pod has, by its dnsPolicy and dnsConfig, and where its own name is.

Spec: "DNS for Services and Pods"; kubernetes/pkg/kubelet/network/dns.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from jubako.cluster.node.translate import Dns
from jubako.cluster.objects import Object, flag, namespace, objects, text, words
from jubako.network import resolv
from jubako.network.resolv import Settings

_SERVERS, _SEARCHES, _SEARCH_LENGTH = 3, 32, 2048
_NDOTS = "ndots:5"
_NONE = ["."]


class Names(msgspec.Struct, frozen=True):
    """The address of the cluster's name server, and the domain that it is for."""

    server: str
    domain: str

    def of(self, pod: Object) -> Dns:
        """Return what a pod's resolv.conf says, the host's own settings where the pod has them."""
        on_host = flag(pod, "spec", "hostNetwork")
        return dns(pod, self, resolv.of_host(loopback=on_host))


def dns(pod: Object, names: Names, host: Settings) -> Dns:
    base = _by_policy(pod, names, host)
    config = (pod, "spec", "dnsConfig")
    servers = _once(base.servers, words(*config, "nameservers"))[:_SERVERS]
    subdomain = text(pod, "spec", "subdomain")
    return Dns(
        domain=f"{subdomain}.{namespace(pod)}.svc.{names.domain}" if subdomain else "",
        # Without any the engine gives a container what it gives to all.
        servers=servers,
        searches=_limited(_once(base.search, words(*config, "searches"))) or _NONE,
        options=_merged(base.options, objects(*config, "options")) or _NONE,
    )


def _by_policy(pod: Object, names: Names, host: Settings) -> Settings:
    policy = text(pod, "spec", "dnsPolicy") or "ClusterFirst"
    if policy == "None":
        return Settings([], [], [])
    if policy == "Default" or (policy == "ClusterFirst" and flag(pod, "spec", "hostNetwork")):
        return host
    own = [f"{namespace(pod)}.svc.{names.domain}", f"svc.{names.domain}", names.domain]
    return Settings([names.server], _once(own, host.search), [_NDOTS])


def _once(*lists: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(each for found in lists for each in found))


def _limited(searches: list[str]) -> list[str]:
    """What a resolver takes of a search list."""
    kept = searches[:_SEARCHES]
    while len(" ".join(kept)) > _SEARCH_LENGTH:
        kept.pop()
    return kept


def _merged(options: list[str], further: list[Object]) -> list[str]:
    """Options by their names; the pod's own count."""
    found = {each.partition(":")[0]: each for each in options}
    for each in further:
        name, value = text(each, "name"), text(each, "value")
        found[name] = f"{name}:{value}" if value else name
    return list(found.values())
