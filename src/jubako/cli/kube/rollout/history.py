"""jubako rollout history: the versions that a Deployment, StatefulSet or DaemonSet had, and still could go back to.

Model: of a Deployment each ReplicaSet is one, of the others each ControllerRevision.
"""

from __future__ import annotations

import msgspec

from jubako.cli.kube.chosen import Chosen, choose
from jubako.cli.kube.client import Client
from jubako.cli.kube.describe.sheet import selector
from jubako.cli.kube.describe.templates import pod_template
from jubako.cli.kube.fetching import listed
from jubako.cli.kube.output.choice import form
from jubako.cli.kube.rollout.progress import revision_of
from jubako.cli.texttable import align
from jubako.cluster.client.failure import raise_all
from jubako.cluster.types.document import Object, at, child, integer, mapping, objects, strings, text
from jubako.errors import InvalidArgument, NotFound

CAUSE = "kubernetes.io/change-cause"
HASH = "pod-template-hash"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version; `source` is the object that keeps it."""

    number: int
    source: Object

    @property
    def cause(self) -> str:
        return text(at(self.source, "metadata", "annotations", CAUSE))

    @property
    def template(self) -> Object:
        """The template of its pods, without what only our ReplicaSets have."""
        of_revision = mapping(at(self.source, "data", "spec", "template"))
        found = dict(of_revision or mapping(at(self.source, "spec", "template")))
        return {name: value for name, value in found.items() if name != "$patch"}


def history(client: Client) -> None:
    """Print the versions of each object, or one of them."""
    arguments = client.arguments
    if not arguments.operands and not arguments.texts("filename"):
        raise InvalidArgument("required resource not specified")
    wanted = arguments.number("revision") or 0
    if wanted < 0:
        raise InvalidArgument("revision must be a positive integer: " + str(wanted))
    chosen, failures = choose(client, arguments.operands, everything=True)
    for each in chosen:
        found = versions(client, each)
        if made := form(arguments.text("output")):
            for version in [_numbered(found, wanted)] if wanted else found:
                client.out(made(version.source))
        else:
            client.line(f"{each.slashed} {_one(found, wanted) if wanted else _table(found)}")
    raise_all(failures)


def versions(client: Client, chosen: Chosen) -> list[Version]:
    """Return the versions of an object, the oldest first. Raises InvalidArgument for kinds that have none."""
    if chosen.type.kind not in ("Deployment", "StatefulSet", "DaemonSet"):
        raise unversioned(chosen, "history viewer", "history")
    is_deployment = chosen.type.kind == "Deployment"
    plural = "replicasets.apps" if is_deployment else "controllerrevisions.apps"
    query = selector(at(chosen.document, "spec", "selector"))
    owned = [each for each in listed(client, plural, chosen.namespace, labelSelector=query) if is_owned(each, chosen)]
    numbered = [
        Version(number=revision_of(each) if is_deployment else integer(each.get("revision")), source=each)
        for each in owned
    ]
    return sorted((each for each in numbered if each.number), key=lambda each: each.number)


def unversioned(chosen: Chosen, what: str, retrieved: str) -> InvalidArgument:
    """Return what is said of a kind that has no versions; of some, kubectl knows why."""
    of = chosen.type
    if of.kind in ("Pod", "ReplicaSet", "ReplicationController", "Job", "CronJob"):
        return InvalidArgument(f'no {what} has been implemented for "{of.kind}"')
    return InvalidArgument(
        f'error retrieving {retrieved} for "{of.kind}", no visitor method exists for {{{of.group} {of.kind}}}'
    )


def is_owned(document: Object, chosen: Chosen) -> bool:
    owners = objects(at(document, "metadata", "ownerReferences"))
    return any(each.get("uid") == chosen.uid and each.get("controller") is True for each in owners)


def _numbered(found: list[Version], number: int) -> Version:
    for each in found:
        if each.number == number:
            return each
    raise NotFound("revision", str(number), message="unable to find the specified revision")


def _one(found: list[Version], number: int) -> str:
    version = _numbered(found, number)
    template = dict(version.template)
    if version.cause:
        metadata = child(template, "metadata")
        metadata["annotations"] = {**strings(metadata.get("annotations")), CAUSE: version.cause}
    return f"with revision #{number}\n{pod_template(template)}"


def _table(found: list[Version]) -> str:
    if not found:
        return "\nNo rollout history found."
    rows = ["REVISION\tCHANGE-CAUSE", *(f"{each.number}\t{each.cause or '<none>'}" for each in found)]
    return "\n" + align(rows, minimum=0, padding=2)
