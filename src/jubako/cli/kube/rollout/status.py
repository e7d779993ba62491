"""jubako rollout status: what a rollout waits for, until its end."""

from __future__ import annotations

import time
from collections.abc import Iterator

from jubako.cli.kube.chosen import Chosen, choose
from jubako.cli.kube.client import Client
from jubako.cli.kube.fetching import find
from jubako.cli.kube.rollout.progress import progress
from jubako.cli.kube.verbs.watching import events
from jubako.cluster.client.failure import Refused, Said, raise_all
from jubako.cluster.types.document import Object, at, text
from jubako.errors import InvalidArgument

_FOREVER_S = 7 * 24 * 3600.0
_WATCH_S = 300


def status(client: Client) -> None:
    """Print each state of the rollout until it is done. Raises what keeps it from that."""
    arguments = client.arguments
    if not arguments.operands and not arguments.texts("filename"):
        raise InvalidArgument("required resource not specified")
    chosen, failures = choose(client, arguments.operands, everything=True)
    timeout_ns = arguments.number("timeout") or 0
    until = time.monotonic() + (timeout_ns / 1e9 if timeout_ns > 0 else _FOREVER_S)
    for each in chosen:
        _follow(client, each, until)
    raise_all(failures)


def _follow(client: Client, chosen: Chosen, until: float) -> None:
    revision = client.arguments.number("revision") or 0
    for document in _states(client, chosen, until):
        found = progress({"kind": chosen.type.kind, **document}, revision)
        client.line(found.message)
        if found.done or not client.arguments.flag("watch"):
            return


def _states(client: Client, chosen: Chosen, until: float) -> Iterator[Object]:
    """Return the object as it is, then each of its changes. Raises Said where it goes, or at the time `until`."""
    seen = ""
    while True:
        current = find(client, chosen.type, chosen.name, namespace=chosen.namespace)
        if current is None:
            raise Said("error: object has been deleted")
        version = text(at(current, "metadata", "resourceVersion"))
        if version != seen:
            yield current
        query = {"fieldSelector": f"metadata.name={chosen.name}", "resourceVersion": version}
        left_s = until - time.monotonic()
        if left_s <= 0:
            raise Said("error: timed out waiting for the condition")
        try:
            watched = events(
                client.connection,
                chosen.type.path(chosen.namespace),
                query,
                timeout_s=max(1, min(_WATCH_S, round(left_s))),
            )
            for kind, document in watched:
                if kind == "DELETED":
                    raise Said("error: object has been deleted")
                seen = text(at(document, "metadata", "resourceVersion"))
                yield document
        except Refused as refused:
            if refused.code != 410:
                raise
