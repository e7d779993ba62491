"""jubako rollout undo, restart, pause and resume: patches of the object that rolls out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from jubako.cli.kube.acting import dry_run, tell
from jubako.cli.kube.chosen import Chosen, choose
from jubako.cli.kube.client import Client
from jubako.cli.kube.describe.templates import pod_template
from jubako.cli.kube.rollout.history import HASH, Version, unversioned, versions
from jubako.cluster.client.applying import LAST_APPLIED
from jubako.cluster.client.failure import raise_all
from jubako.cluster.types.document import Object, at, mapping, strings
from jubako.errors import FailedPrecondition, InvalidArgument, JubakoError, NotFound

_STRATEGIC, _JSON = "application/strategic-merge-patch+json", "application/json-patch+json"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
_WITH_TEMPLATES = ("Deployment", "StatefulSet", "DaemonSet")
_PREFIX = "deployment.kubernetes.io/"
# What a Deployment keeps of its own when it goes back; the rest is its ReplicaSet's.
_OWN = (
    LAST_APPLIED,
    *(f"{_PREFIX}{name}" for name in ("revision", "revision-history", "desired-replicas", "max-replicas")),
)


def undo(client: Client) -> None:
    """Go back to the version before, or to that of --to-revision."""
    _each(client, _undo)


def restart(client: Client) -> None:
    _each(client, _restart)


def pause(client: Client) -> None:
    _each(client, _pause)


def resume(client: Client) -> None:
    _each(client, _resume)


def _each(client: Client, act: Callable[[Client, Chosen], str]) -> None:
    """Do it to each object and say what became of it; what fails is told at the end."""
    arguments = client.arguments
    if not arguments.operands and not arguments.texts("filename"):
        raise InvalidArgument("required resource not specified")
    chosen, failures = choose(client, arguments.operands, everything=True)
    for each in chosen:
        try:
            tell(client, each, act(client, each))
        except JubakoError as error:
            failures.append(error)
    raise_all(failures)


def _about(chosen: Chosen) -> str:
    return f'{chosen.type.group_resource} "{chosen.name}"'


def _patch(client: Client, chosen: Chosen, patch: Object | list[Object], content: str = _STRATEGIC) -> None:
    tried = dry_run(client)
    if tried != "client":
        query = {"fieldManager": "kubectl-rollout", **({"dryRun": "All"} if tried == "server" else {})}
        client.connection.call("PATCH", chosen.path, query, patch, content=content)  # type: ignore[arg-type]


def _is_paused(chosen: Chosen) -> bool:
    return at(chosen.document, "spec", "paused") is True


def _pause(client: Client, chosen: Chosen) -> str:
    if chosen.type.kind != "Deployment":
        raise InvalidArgument(f"{_about(chosen)} pausing is not supported")
    if _is_paused(chosen):
        raise FailedPrecondition(f"{_about(chosen)} is already paused")
    _patch(client, chosen, {"spec": {"paused": True}})
    return "paused"


def _resume(client: Client, chosen: Chosen) -> str:
    if chosen.type.kind != "Deployment":
        raise InvalidArgument(f"{_about(chosen)} resuming is not supported")
    if not _is_paused(chosen):
        raise FailedPrecondition(f"{_about(chosen)} is not paused")
    _patch(client, chosen, {"spec": {"paused": None}})
    return "resumed"


def _restart(client: Client, chosen: Chosen) -> str:
    if chosen.type.kind not in _WITH_TEMPLATES:
        raise InvalidArgument(f"{_about(chosen)} restarting is not supported")
    if _is_paused(chosen):
        raise FailedPrecondition(f"{_about(chosen)} can't restart paused deployment (run rollout resume first)")
    now = datetime.now().astimezone().isoformat(timespec="seconds").replace("+00:00", "Z")
    if at(chosen.document, "spec", "template", "metadata", "annotations", RESTARTED) == now:
        raise FailedPrecondition(
            f"failed to create patch for {chosen.name}: if restart has already been triggered within the past second, "
            "please wait before attempting to trigger another"
        )
    _patch(client, chosen, {"spec": {"template": {"metadata": {"annotations": {RESTARTED: now}}}}})
    return "restarted"


def _undo(client: Client, chosen: Chosen) -> str:
    wanted = client.arguments.number("to-revision") or 0
    if wanted < 0:
        raise InvalidArgument(f"revision must be a positive integer: {wanted}")
    if chosen.type.kind not in _WITH_TEMPLATES:
        raise unversioned(chosen, "rollbacker", "rollbacker")
    found = versions(client, chosen)
    target = _target(found, wanted, chosen)
    if dry_run(client) == "client":
        return f"{pod_template(target.template)}"
    if _is_paused(chosen):
        raise FailedPrecondition(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
        )
    template = _without_hash(target.template)
    if template == mapping(at(chosen.document, "spec", "template")):
        return f"skipped rollback (current template already matches revision {target.number})"
    if chosen.type.kind == "Deployment":
        _patch(client, chosen, _back(chosen, target, template), _JSON)
    else:
        _patch(client, chosen, {"spec": {"template": {**template, "$patch": "replace"}}})
    return "rolled back"


def _target(found: list[Version], wanted: int, chosen: Chosen) -> Version:
    if wanted:
        for each in found:
            if each.number == wanted:
                return each
        raise NotFound("revision", str(wanted), message=f"unable to find specified revision {wanted} in history")
    if len(found) < 2:
        raise NotFound(
            "revision", chosen.name, message=f'no rollout history found for {chosen.type.singular} "{chosen.name}"'
        )
    return found[-2]


def _without_hash(template: Object) -> Object:
    metadata = dict(mapping(template.get("metadata")))
    labels = {key: value for key, value in strings(metadata.get("labels")).items() if key != HASH}
    return {**template, "metadata": {**metadata, "labels": {**labels}}}


def _back(chosen: Chosen, target: Version, template: Object) -> list[Object]:
    own, kept = (strings(at(each, "metadata", "annotations")) for each in (chosen.document, target.source))
    annotations = {key: value for key, value in own.items() if key in _OWN}
    annotations |= {key: value for key, value in kept.items() if key not in _OWN}
    return [
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": {**annotations}},
    ]
