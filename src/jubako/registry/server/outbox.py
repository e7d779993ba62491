"""What is still to be told to webhooks and peers, in records: written in the transaction of the change itself.

Keys:     hook/<target>/<time and event>             one for each event, in order; the oldest go when they are too many
          peer/<target>/<repository:tag or @digest>  one for each reference, however often it changes: a peer is
          brought to how things are, not through how they were
A target is the fingerprint of its URL, so that what waits for one that is no longer configured is nobody's, and goes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

import msgspec

from jubako.registry.server.config.schema import Peer, Webhook
from jubako.registry.server.documents import Delivery
from jubako.registry.server.events import Event
from jubako.registry.server.globs import any_matches
from jubako.store import Collection


def target_of(settings: Webhook | Peer) -> str:
    """The part of keys that stands for a webhook or peer."""
    kind = "hook" if isinstance(settings, Webhook) else "peer"
    return f"{kind}/{hashlib.sha256(settings.url.encode()).hexdigest()[:16]}/"


class Outbox:
    """`wake` is called after something was added; it must not wait."""

    def __init__(
        self, webhooks: Iterable[Webhook] = (), peers: Iterable[Peer] = (), wake: Callable[[], None] = lambda: None
    ) -> None:
        self._webhooks = tuple(webhooks)
        self._peers = tuple(peers)
        self._wake = wake
        self.dropped = 0
        """Events that a full queue lost, since the process began."""

    def add(self, deliveries: Collection[Delivery], event: Event) -> None:
        """Record whom to tell of `event`, within a transaction."""
        delivery = Delivery(msgspec.Raw(msgspec.json.encode(event)))
        for hook in self._webhooks:
            if event.action in hook.events and any_matches(hook.repositories, event.repository):
                self._make_room(deliveries, hook)
                deliveries.insert(f"{target_of(hook)}{int(event.at * 1000):015d}-{event.id}", delivery)
        for peer in self._peers:
            if any_matches(peer.repositories, event.repository) and (event.action == "push" or peer.deletes):
                reference = f":{event.tag}" if event.tag else f"@{event.digest}"
                key = f"{target_of(peer)}{event.repository}{reference}"
                deliveries.delete(key)
                deliveries.insert(key, delivery)
        if self._webhooks or self._peers:
            self._wake()

    def _make_room(self, deliveries: Collection[Delivery], hook: Webhook) -> None:
        waiting = deliveries.keys(target_of(hook))
        for key in waiting[: max(0, len(waiting) + 1 - hook.queue)]:
            deliveries.delete(key)
            self.dropped += 1
