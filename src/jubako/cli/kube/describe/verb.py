"""jubako describe: one sheet for each object that is meant, with what else it needs from the server."""

from __future__ import annotations

from collections.abc import Callable

from jubako.cli.kube.chosen import Chosen, choose
from jubako.cli.kube.client import Client
from jubako.cli.kube.describe import batch, configuration, generic, nodes, pods, quotas, services, storage, workloads
from jubako.cli.kube.describe.sheet import Sheet, selector
from jubako.cli.kube.fetching import find, listed
from jubako.cli.kube.rollout.history import is_owned, versions
from jubako.cluster.client.failure import Refused, raise_all
from jubako.cluster.objects import put
from jubako.cluster.types.document import JSON, Object, at, objects, text
from jubako.errors import InvalidArgument, JubakoError, NotFound

_NOTHING_GIVEN = (
    'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported '
    "resources."
)


def describe(client: Client) -> None:
    """Print the sheets, two empty lines between them; what fails is told at the end."""
    arguments = client.arguments
    if not arguments.operands and not arguments.texts("filename"):
        raise InvalidArgument(_NOTHING_GIVEN)
    chosen, failures = choose(client, arguments.operands, everything=True)
    begun = [] if chosen else _begun(client, failures)
    for number, each in enumerate(chosen):
        client.out(("\n\n" if number else "") + _sheet(client, each).render())
    for each in begun:
        client.out(f"{_sheet(client, each).render()}\n")
    if begun:
        return
    if not chosen and not failures:
        client.error(f"No resources found in {client.namespace} namespace.")
    raise_all(failures)


def _begun(client: Client, failures: list[JubakoError]) -> list[Chosen]:
    """TYPE PREFIX means all whose names begin so, where no name is just that."""
    words = client.arguments.operands
    missing = [each for each in failures if isinstance(each, Refused) and each.reason == "NotFound"]
    if not missing or len(words) != 2 or any("/" in word for word in words):
        return []
    everything, _ = choose(client, words[:1], everything=True)
    return [each for each in everything if each.name.startswith(words[1])]


def _sheet(client: Client, chosen: Chosen) -> Sheet:
    sheet = Sheet()
    events = _events(client, chosen) if client.arguments.flag("show-events") else []
    document: Object = {"apiVersion": chosen.type.api_version, "kind": chosen.type.kind, **chosen.document}
    key = f"{chosen.type.group}/{chosen.type.kind}"
    if key in _SIMPLE:
        _SIMPLE[key](sheet, document, events)
    elif key in _WITH_PODS:
        _WITH_PODS[key](
            sheet, document, events, workloads.pod_counts(_pods(client, chosen, at(document, "spec", "selector")))
        )
    elif key in _OTHERS:
        _OTHERS[key](client, sheet, chosen, events)
    else:
        generic.anything(sheet, document, events)
    return sheet


def _events(client: Client, chosen: Chosen) -> list[Object]:
    about = {"name": chosen.name, "namespace": chosen.namespace, "uid": chosen.uid}
    query = ",".join(f"involvedObject.{name}={value}" for name, value in about.items() if value)
    try:
        found = listed(client, "events", chosen.namespace, fieldSelector=query)
        if chosen.type.kind == "Node":  # a kubelet takes the name for the uid
            by_name = f"involvedObject.name={chosen.name},involvedObject.uid={chosen.name}"
            found += listed(client, "events", "", fieldSelector=by_name)
        return found
    except (Refused, NotFound):  # whoever may see the object need not be allowed to see its events
        return []


def _pods(client: Client, chosen: Chosen, labels: JSON) -> list[Object]:
    """Return the pods that are its own, of those that a LabelSelector selects."""
    found = listed(client, "pods", chosen.namespace, labelSelector=selector(labels))
    return [each for each in found if is_owned(each, chosen)]


def _replication_controller(client: Client, sheet: Sheet, chosen: Chosen, events: list[Object]) -> None:
    """As a ReplicaSet, but that its selector is one of labels alone."""
    labels: Object = {"matchLabels": at(chosen.document, "spec", "selector")}
    document = put(chosen.document, labels, "spec", "selector")
    workloads.replica_set(sheet, document, events, workloads.pod_counts(_pods(client, chosen, labels)))


def _deployment(client: Client, sheet: Sheet, chosen: Chosen, events: list[Object]) -> None:
    found = [each.source for each in versions(client, chosen)]
    new, old = (found[-1] if found else None), found[:-1]
    workloads.deployment(sheet, chosen.document, events, new, old)


def _service(client: Client, sheet: Sheet, chosen: Chosen, events: list[Object]) -> None:
    label = f"kubernetes.io/service-name={chosen.name}"
    services.service(
        sheet, chosen.document, events, listed(client, "endpointslices", chosen.namespace, labelSelector=label)
    )


def _secret(_client: Client, sheet: Sheet, chosen: Chosen, _events: list[Object]) -> None:
    configuration.secret(sheet, chosen.document)


def _namespace(client: Client, sheet: Sheet, chosen: Chosen, _events: list[Object]) -> None:
    found = [_perhaps(client, plural, chosen.name) for plural in ("resourcequotas", "limitranges")]
    configuration.namespace(sheet, chosen.document, *found)


def _perhaps(client: Client, plural: str, namespace: str) -> list[Object] | None:
    """Return the objects of a type, None where the server has none."""
    try:
        return listed(client, plural, namespace)
    except NotFound:
        return None


def _claim(client: Client, sheet: Sheet, chosen: Chosen, events: list[Object]) -> None:
    users = [
        text(at(pod, "metadata", "name"))
        for pod in listed(client, "pods", chosen.namespace)
        for volume in objects(at(pod, "spec", "volumes"))
        if at(volume, "persistentVolumeClaim", "claimName") == chosen.name
    ]
    storage.claim(sheet, chosen.document, events, users)


def _node(client: Client, sheet: Sheet, chosen: Chosen, events: list[Object]) -> None:
    running = f"spec.nodeName={chosen.name},status.phase!=Succeeded,status.phase!=Failed"
    on_it = listed(client, "pods", "", fieldSelector=running)
    lease = find(client, client.discovery.named("leases"), chosen.name, namespace="kube-node-lease")
    nodes.node(sheet, chosen.document, events, on_it, lease)


_SIMPLE: dict[str, Callable[[Sheet, Object, list[Object]], None]] = {
    "/Pod": pods.pod,
    "/ConfigMap": configuration.config_map,
    "/LimitRange": quotas.limit_range,
    "/ResourceQuota": quotas.quota,
    "batch/Job": batch.job,
    "batch/CronJob": batch.cron_job,
}
_WITH_PODS: dict[str, Callable[[Sheet, Object, list[Object], workloads.Counts], None]] = {
    "apps/ReplicaSet": workloads.replica_set,
    "apps/StatefulSet": workloads.stateful_set,
    "apps/DaemonSet": workloads.daemon_set,
}
_OTHERS: dict[str, Callable[[Client, Sheet, Chosen, list[Object]], None]] = {
    "apps/Deployment": _deployment,
    "/ReplicationController": _replication_controller,
    "/Service": _service,
    "/Secret": _secret,
    "/Namespace": _namespace,
    "/PersistentVolumeClaim": _claim,
    "/Node": _node,
}
