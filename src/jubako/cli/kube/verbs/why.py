"""jubako why: what keeps something from working, as one story; ends with 0 where all is well, else with 1."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from jubako.cli.kube.chosen import Chosen, choose
from jubako.cli.kube.client import Client
from jubako.cli.kube.fetching import listed
from jubako.cli.terminal import size
from jubako.cluster.client.failure import Refused, raise_all
from jubako.cluster.types.document import Object, at, mapping, objects, text
from jubako.cluster.why import claims, others, pods, services, workloads
from jubako.cluster.why.facts import Facts, is_ready, name_of
from jubako.cluster.why.story import Finding
from jubako.errors import InvalidArgument, NotFound

_MARKS = {"good": "✓", "wait": "…", "bad": "✗"}
_WIDTH, _SAID_WIDTH, _TEXT_WIDTH = 100, 200, 1000
_LOGS_OF, _LAST_LINES = 5, "5"
_EVERYTHING = "deployments,statefulsets,daemonsets,jobs,pods,services,persistentvolumeclaims"
_STORIES: dict[str, Callable[[Object, Facts], Finding]] = {
    "Pod": pods.pod_story,
    "Deployment": workloads.deployment_story,
    "Service": services.service_story,
    "PersistentVolumeClaim": claims.claim_story,
    "PodDisruptionBudget": others.budget_story,
    "Node": others.node_story,
}
_KINDS = {"ReplicaSet": "replicaset", "StatefulSet": "statefulset", "DaemonSet": "daemonset", "Job": "job"}


def why(client: Client) -> int:
    """Tell the story of each object that is meant; without any, of all in the namespace that is not well."""
    words = client.arguments.operands
    chosen, failures = choose(client, words or [_EVERYTHING], everything=True)
    facts: dict[str, Facts] = {}
    stories = []
    for each in chosen if words else _roots(chosen):
        if each.namespace not in facts:
            facts[each.namespace] = _facts(client, each.namespace or client.namespace)
        stories.append(_story(each, facts[each.namespace]))
    shown = stories if words else [each for each in stories if not each.is_good]
    client.out("\n".join(map(_Page(client).render, shown)))
    if not shown and not failures:
        client.line(f"✓ all is well in the namespace {client.namespace}")
    raise_all(failures)
    return 0 if all(each.is_good for each in stories) else 1


def _roots(chosen: Sequence[Chosen]) -> list[Chosen]:
    """Leave out what is part of the story of another: pods and jobs that something has made."""
    return [each for each in chosen if not at(each.document, "metadata", "ownerReferences")]


def _story(chosen: Chosen, facts: Facts) -> Finding:
    document, kind = chosen.document, chosen.type.kind
    if kind in _KINDS:
        return workloads.workload_story(_KINDS[kind], document, facts)
    if kind in _STORIES:
        return _STORIES[kind](document, facts)
    raise InvalidArgument(f"there is no story of a {kind}; there is one of {', '.join([*_STORIES, *_KINDS])}")


def _facts(client: Client, namespace: str) -> Facts:
    found = {kind: _all(client, plural, namespace) for kind, plural in _FETCHED.items()}
    facts = Facts(
        now=datetime.now(UTC),
        events=tuple(_all(client, "events", namespace)),
        pods=tuple(_all(client, "pods", namespace)),
        replica_sets=tuple(_all(client, "replicasets", namespace)),
        slices=tuple(_all(client, "endpointslices.discovery.k8s.io", namespace)),
        nodes=tuple(_all(client, "nodes", "")),
        others={(kind, name_of(each)): each for kind, every in found.items() for each in every},
        flags="" if namespace == "default" else f" -n {namespace}",
    )
    return msgspec.structs.replace(facts, logs=dict(_logs(client, facts)))


_FETCHED = {"PersistentVolumeClaim": "persistentvolumeclaims", "StorageClass": "storageclasses"}


def _all(client: Client, plural: str, namespace: str) -> list[Object]:
    """Return all of a type; nothing where the server has no such type, or does not show it to us."""
    try:
        return listed(client, plural, namespace)
    except NotFound:
        return []
    except Refused as refused:
        if refused.reason == "Forbidden":
            return []
        raise


def _logs(client: Client, facts: Facts) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Return the last lines of containers that have ended, of a few pods that are not ready."""
    unready = [each for each in facts.pods if not is_ready(each) and text(at(each, "status", "phase")) != "Succeeded"]
    for pod in unready[:_LOGS_OF]:
        for field in ("initContainerStatuses", "containerStatuses"):
            for status in objects(at(pod, "status", field)):
                state = mapping(status.get("state"))
                again = "waiting" in state and bool(at(status, "lastState", "terminated"))
                if "terminated" in state or again:
                    name = text(status.get("name"))
                    yield (name_of(pod), name), tuple(_tail(client, pod, name, previous=again))


def _tail(client: Client, pod: Object, container: str, *, previous: bool) -> list[str]:
    path = client.discovery.named("pods").path(text(at(pod, "metadata", "namespace")), name_of(pod), "log")
    query = {"container": container, "tailLines": _LAST_LINES, **({"previous": "true"} if previous else {})}
    try:
        with client.connection.stream(path, query) as pieces:
            return b"".join(pieces).decode(errors="replace").splitlines()
    except Refused:  # its log is gone, or not for us
        return []


class _Page:
    """Stories as they are printed: a mark and a line for each finding, deeper ones further in, and what to try."""

    def __init__(self, client: Client) -> None:
        window = size(client.call.streams.stdout)
        self._width = window[1] if window else _WIDTH

    def render(self, story: Finding) -> str:
        lines = [*self._finding(story, "")]
        if tries := story.all_tries():
            lines += ["  try", *(f"    {each}" for each in tries)]
        return "".join(f"{line}\n" for line in lines)

    def _finding(self, finding: Finding, indent: str) -> Iterator[str]:
        first, rest = f"{indent}{_MARKS[finding.state]} ", f"{indent}  "
        yield from textwrap.wrap(
            _printable(finding.text, _TEXT_WIDTH),
            self._width,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
        )
        for line in finding.said:
            yield f"{rest}| {_printable(line)}"
        for each in finding.because:
            yield from self._finding(each, rest)


def _printable(line: str, most: int = _SAID_WIDTH) -> str:
    """Return a line of somebody else without what a terminal would obey, and not too long."""
    clean = "".join(each if each.isprintable() else " " for each in line.expandtabs())
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"
