"""The API of one cluster, put together: what the HTTP server, and the controllers of this process, call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import IPv4Network

import msgspec

from jubako.cluster.apiserver.access.authentication import Authentication
from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.access.authorization import Authorization
from jubako.cluster.apiserver.access.grants import Grants
from jubako.cluster.apiserver.access.tokens import Bound, Tokens
from jubako.cluster.apiserver.admission import Admitting
from jubako.cluster.apiserver.caller import Request
from jubako.cluster.apiserver.objects import stored
from jubako.cluster.apiserver.objects.deleting import Deleter
from jubako.cluster.apiserver.objects.writing import Writer
from jubako.cluster.apiserver.quotas import Quotas
from jubako.cluster.apiserver.services import ServiceAddresses
from jubako.cluster.apiserver.special.eviction import Evictions
from jubako.cluster.store import AsyncStore, Item
from jubako.cluster.types.document import Object, mapping
from jubako.cluster.types.resources import core
from jubako.cluster.types.served import Resource
from jubako.errors import NotFound

SERVICE_NETWORK = IPv4Network("10.96.0.0/12")


def now() -> datetime:
    return datetime.now(UTC)


class Api:
    """Made within the running event loop. The store stays its owner's to close."""

    def __init__(
        self,
        store: AsyncStore,
        authority: Authority,
        *,
        service_network: IPv4Network = SERVICE_NETWORK,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.store, self.clock = store, clock
        self.tokens = Tokens(authority.signing_key(), self._lives, clock=lambda: clock().timestamp())
        self.authentication = Authentication(self.tokens)
        self.authorization = Authorization(store)
        addresses = ServiceAddresses(store, core("services"), service_network, clock)
        admitting = Admitting(store, Grants(self.authorization), addresses, Quotas(store, clock))
        self.writer = Writer(store, admitting, clock)
        self.deleter = Deleter(store, clock)
        self.evictions = Evictions(store, self.writer, self.deleter, clock)

    async def apply(self, request: Request, config: Object, *, force: bool) -> tuple[Item, bool]:
        """Apply a document; who makes an object by it must be allowed to. Raises Failure."""
        asked = request.attributes
        if not asked.subresource and not self.writer.has(asked):
            self.authorization.check(request.user, msgspec.structs.replace(asked, verb="create"))
        return await self.writer.apply(request, config, force=force)

    def _lives(self, bound: Bound) -> bool:
        """Whether a token's service account, and what else it is bound to, is the one that it was."""
        held = [("serviceaccounts", bound.serviceaccount), ("pods", bound.pod), ("secrets", bound.secret)]
        return all(
            self._uid(core(plural), bound.namespace, each.name) == each.uid for plural, each in held if each is not None
        )

    def _uid(self, of: Resource, namespace: str, name: str) -> str | None:
        try:
            document = stored.decode(self.store.get(stored.key(of, namespace, name)))
        except NotFound:
            return None
        return str(mapping(document["metadata"]).get("uid"))
