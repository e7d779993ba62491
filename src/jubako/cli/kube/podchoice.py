"""Which pod and container is meant by pod/x, deployment/x, service/x …

Spec: k8s.io/kubectl/pkg/polymorphichelpers (the order of pods), k8s.io/kubectl/pkg/cmd/util/podcmd (the container).
"""

from __future__ import annotations

from collections.abc import Iterable

from jubako.cli.kube import fetching
from jubako.cli.kube.client import Client
from jubako.cli.kube.describe.sheet import selector
from jubako.cluster.client.discovery import Type
from jubako.cluster.client.failure import Refused
from jubako.cluster.types.document import Object, at, integer, mapping, objects, strings, text
from jubako.errors import InvalidArgument, NotFound

_DEFAULT = "kubectl.kubernetes.io/default-container"
_SELECTING = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController", "Service")
_PHASES = {"Running": 0, "Unknown": 1, "Pending": 2}


def pods_of(client: Client, spelled: str, what: str) -> list[Object]:
    """Return the pods behind TYPE/NAME, the best first; `what` is how a type is refused that has none.

    Raises Refused, InvalidArgument, NotFound.
    """
    kind, _, name = spelled.rpartition("/")
    of = client.discovery.named(kind or "pods")
    document = {**fetching.get(client, of, name), "kind": of.kind}
    if of.kind == "Pod":
        return [document]
    if of.kind not in _SELECTING:
        raise InvalidArgument(f"cannot {what} *{_go_type(of)}: selector for *{_go_type(of)} not implemented")
    query = _query(document)
    if not query:
        raise InvalidArgument(f"invalid service '{name}': Service is defined without a selector")
    found = fetching.listed(client, "pods", client.namespace, labelSelector=query)
    if not found:
        raise NotFound("pod", spelled, message=f"timed out waiting for the condition: {spelled} has no pods")
    return sorted(found, key=_rank)


def _go_type(of: Type) -> str:
    return f"{of.version}.{of.kind}"


def _query(document: Object) -> str:
    found = at(document, "spec", "selector")
    labels = strings(found) if document["kind"] in ("Service", "ReplicationController") else {}
    if labels:
        return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    said = selector(found)
    return "" if said == "<none>" else said


def _rank(pod: Object) -> tuple[bool, int, bool, str, int, str]:
    """On a node before not; running, ready, ready for long, restarted often, and old before the others."""
    conditions = objects(at(pod, "status", "conditions"))
    ready = next((each for each in conditions if each.get("type") == "Ready"), {})
    restarts = max(
        (integer(each.get("restartCount")) for each in objects(at(pod, "status", "containerStatuses"))), default=0
    )
    return (
        not at(pod, "spec", "nodeName"),
        _PHASES.get(text(at(pod, "status", "phase")), 3),
        ready.get("status") != "True",
        text(ready.get("lastTransitionTime")),
        -restarts,
        text(at(pod, "metadata", "creationTimestamp")),
    )


def names(pod: Object, *fields: str) -> list[str]:
    return [text(each.get("name")) for field in fields for each in objects(at(pod, "spec", field))]


def container_of(client: Client, pod: Object, wanted: str) -> str:
    """Return the container that is meant; which one it is by default is said where there are several."""
    if wanted:
        return wanted
    main, initial, later = (names(pod, field) for field in ("containers", "initContainers", "ephemeralContainers"))
    marked = strings(at(pod, "metadata", "annotations")).get(_DEFAULT, "")
    if marked in (*main, *initial, *later):
        return marked
    if len(main) + len(initial) + len(later) > 1:
        every = [*main, *_marked(later, "ephem"), *_marked(initial, "init")]
        client.error(f'Defaulted container "{main[0]}" out of: {", ".join(every)}')
    return main[0]


def _marked(found: Iterable[str], kind: str) -> list[str]:
    return [f"{name} ({kind})" for name in found]


def path(client: Client, pod: Object, subresource: str) -> str:
    metadata = mapping(pod.get("metadata"))
    return client.discovery.named("pods").path(text(metadata.get("namespace")), text(metadata.get("name")), subresource)


def in_words_of_logs(refused: Refused, namespace: str) -> InvalidArgument:
    """Return what is said of an object that is not there."""
    return InvalidArgument(f'error from server ({refused.reason}): {refused.message} in namespace "{namespace}"')
