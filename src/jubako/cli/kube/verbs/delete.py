"""jubako delete: objects are asked to go, and waited for.

Spec: `kubectl delete` (k8s.io/kubectl/pkg/cmd/delete) and the wait for deletion of k8s.io/kubectl/pkg/cmd/wait.
"""

from __future__ import annotations

import time

from jubako.cli.kube.acting import dry_run, dry_run_note
from jubako.cli.kube.chosen import Chosen, choose
from jubako.cli.kube.client import Client
from jubako.cli.kube.fetching import find
from jubako.cli.kube.output import documents
from jubako.cli.kube.verbs.watching import events
from jubako.cluster.client.failure import Refused, Said, raise_all
from jubako.cluster.types.document import Object, at, text
from jubako.errors import InvalidArgument, JubakoError

_POLICIES = {
    "background": "Background",
    "foreground": "Foreground",
    "orphan": "Orphan",
    "true": "Background",
    "false": "Orphan",
}
_FOREVER_S = 7 * 24 * 3600.0
_WATCH_S = 300
_AT_ONCE = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The "
    "resource may continue to run on the cluster indefinitely."
)


def delete(client: Client) -> None:
    """Delete what is meant; what fails is told at the end."""
    arguments = client.arguments
    _check(client)
    if arguments.flag("force"):
        client.error(_AT_ONCE)
    everything = arguments.flag("all")
    if everything and len(arguments.operands) > 1:
        raise InvalidArgument("name cannot be provided when a selector is specified")
    chosen, failures = choose(client, arguments.operands, everything=everything, fetched=False)
    if not chosen and not failures:
        client.line("No resources found")
        return
    done: list[tuple[Chosen, str]] = []
    for each in chosen:
        try:
            done.append((each, _one(client, each)))
        except Refused as refused:
            if refused.reason != "NotFound" or not _forgives(client):
                failures.append(refused)
    if arguments.flag("wait") and dry_run(client) == "none":
        failures += _wait(client, done)
    raise_all(failures)


def _forgives(client: Client) -> bool:
    """Whether what is gone already is no failure: so it is where no names were given."""
    return (
        client.arguments.flag("ignore-not-found")
        or bool(client.arguments.text("selector"))
        or client.arguments.flag("all")
    )


def _check(client: Client) -> None:
    arguments = client.arguments
    cascade = arguments.text("cascade")
    if cascade not in _POLICIES:
        raise InvalidArgument(f'invalid cascade value ({cascade}). Must be "background", "foreground", or "orphan"')
    grace = arguments.number("grace-period")
    if arguments.flag("now") and grace is not None and grace >= 0:
        raise InvalidArgument("--now and --grace-period cannot be specified together")
    if arguments.flag("force") and grace is not None and grace > 0:
        raise InvalidArgument("--force and --grace-period greater than 0 cannot be specified together")


def _grace_s(client: Client) -> int | None:
    """Return the grace period, None for the object's own. Zero needs --force; without, it is as short as is safe."""
    grace = client.arguments.number("grace-period")
    if client.arguments.flag("force"):
        return 0
    if client.arguments.flag("now") or grace == 0:
        return 1
    return grace if grace is not None and grace >= 0 else None


def _one(client: Client, chosen: Chosen) -> str:
    """Delete one object, say so, and return its uid."""
    options: Object = {"propagationPolicy": _POLICIES[client.arguments.text("cascade")]}
    if (grace := _grace_s(client)) is not None:
        options["gracePeriodSeconds"] = grace
    tried = dry_run(client)
    if tried == "server":
        options["dryRun"] = ["All"]
    uid = ""
    if tried == "client":
        client.connection.get(chosen.path)
    else:
        answer = client.connection.call("DELETE", chosen.path, None, options)
        uid = text(at(answer, "details", "uid")) or text(at(answer, "metadata", "uid"))
    if client.arguments.text("output") == "name":
        client.line(chosen.slashed)
    else:
        how = "force deleted" if client.arguments.flag("force") else "deleted"
        client.line(f'{chosen.type.full_name} "{chosen.name}" {how}{dry_run_note(tried)}')
    return uid


def _wait(client: Client, done: list[tuple[Chosen, str]]) -> list[JubakoError]:
    given_ns = client.arguments.number("timeout") or 0
    until = time.monotonic() + (given_ns / 1e9 if given_ns > 0 else _FOREVER_S)
    failures: list[JubakoError] = []
    for chosen, uid in done:
        try:
            _gone(client, chosen, uid, until)
        except JubakoError as error:
            failures.append(error)
    return failures


def _gone(client: Client, chosen: Chosen, uid: str, until: float) -> None:
    """Wait until the object is no more, or another of its name is there. Raises Said at the time `until`."""
    while True:
        found = find(client, chosen.type, chosen.name, namespace=chosen.namespace)
        if found is None or (uid and text(at(found, "metadata", "uid")) != uid):
            return
        left_s = until - time.monotonic()
        if left_s <= 0:
            raise Said(f"error: timed out waiting for the condition on {chosen.type.plural}/{chosen.name}")
        version = text(at(found, "metadata", "resourceVersion"))
        query = {"fieldSelector": f"metadata.name={documents.name_of(found)}", "resourceVersion": version}
        try:
            watched = events(client.connection, chosen.type.path(chosen.namespace), query, timeout_s=_seconds(left_s))
            if any(kind == "DELETED" for kind, _ in watched):
                return
        except Refused as refused:
            if refused.code != 410:
                raise


def _seconds(left_s: float) -> int:
    return max(1, min(_WATCH_S, round(left_s)))
