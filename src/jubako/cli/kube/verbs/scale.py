"""jubako scale: how many there shall be.

Spec: `kubectl scale` (k8s.io/kubectl/pkg/cmd/scale) and its waiting.
"""

from __future__ import annotations

import time

from jubako.cli.kube.acting import dry_run, tell
from jubako.cli.kube.chosen import Chosen, choose
from jubako.cli.kube.client import Client
from jubako.cluster.client.failure import Said, raise_all
from jubako.cluster.types.document import Object, at, child, integer, text
from jubako.errors import InvalidArgument

_LOOK_S = 0.5
_MERGE = "application/merge-patch+json"


def scale(client: Client) -> None:
    """Scale each object that is meant; the first failure ends it."""
    arguments = client.arguments
    replicas = arguments.number("replicas")
    if replicas is None or replicas < 0:
        raise InvalidArgument("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    chosen, failures = choose(client, arguments.operands, everything=arguments.flag("all"))
    if not chosen and failures:
        said = " ".join(error.message for error in failures)
        raise InvalidArgument(f"no objects passed to scale {said}")
    if not chosen:
        raise InvalidArgument("no objects passed to scale")
    for each in chosen:
        _one(client, each, replicas)
    raise_all(failures)


def _one(client: Client, chosen: Chosen, replicas: int) -> None:
    tried = dry_run(client)
    if tried != "client":
        _set(client, chosen, replicas, {"dryRun": "All"} if tried == "server" else {})
    if tried == "none":
        _wait(client, chosen)
    tell(client, chosen, "scaled")


def _set(client: Client, chosen: Chosen, replicas: int, query: dict[str, str]) -> None:
    """Write the scale, as far as what is there is what was expected."""
    path, arguments = chosen.type.path(chosen.namespace, chosen.name, "scale"), client.arguments
    expected, version = arguments.number("current-replicas"), arguments.text("resource-version")
    if expected in (None, -1) and not version:
        patch: Object = {"spec": {"replicas": replicas}}
        client.connection.call("PATCH", path, query, patch, content=_MERGE)
        return
    current = client.connection.get(path)
    count, now = integer(at(current, "spec", "replicas")), text(at(current, "metadata", "resourceVersion"))
    if expected not in (None, -1, count):
        raise Said(f"error: Expected replicas to be {expected}, was {count}")
    if version and version != now:
        raise Said(f"error: Expected resource version to be {version}, was {now}")
    child(current, "spec")["replicas"] = replicas
    client.connection.call("PUT", path, query, current)


def _wait(client: Client, chosen: Chosen) -> None:
    """With --timeout: until there are as many as are wanted."""
    timeout_ns = client.arguments.number("timeout") or 0
    if timeout_ns <= 0:
        return
    until = time.monotonic() + timeout_ns / 1e9
    while True:
        found = client.connection.get(chosen.type.path(chosen.namespace, chosen.name, "scale"))
        if integer(at(found, "spec", "replicas")) == integer(at(found, "status", "replicas")):
            return
        if time.monotonic() >= until:
            raise Said("error: timed out waiting for the condition")
        time.sleep(_LOOK_S)
