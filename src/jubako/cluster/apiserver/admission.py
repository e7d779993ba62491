"""What completes and judges objects on their way into the store.

Spec: "Admission Control in Kubernetes": NamespaceLifecycle, ServiceAccount, DefaultTolerationSeconds;
for limits, priorities, quotas, storage and Pod Security see the modules that it calls.
"""

from __future__ import annotations

from jubako.cluster.apiserver import failures, limits, priority, runtimes, storage
from jubako.cluster.apiserver.access.grants import Grants
from jubako.cluster.apiserver.caller import Request
from jubako.cluster.apiserver.objects import stored, strategy
from jubako.cluster.apiserver.podsecurity.admission import PodSecurity
from jubako.cluster.apiserver.quotas import Quotas, Write
from jubako.cluster.apiserver.services import ServiceAddresses
from jubako.cluster.store import AsyncStore, Event
from jubako.cluster.types.document import JSON, Object, array, child, mapping, objects, text
from jubako.cluster.types.resources import core
from jubako.cluster.types.warning import warnings
from jubako.errors import NotFound

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOKEN_S = 3607
_TOLERATED_S = 300
_OUTAGES = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class Admitting:
    def __init__(self, store: AsyncStore, grants: Grants, addresses: ServiceAddresses, quotas: Quotas) -> None:
        self._store, self._grants, self._addresses, self._quotas = store, grants, addresses, quotas
        self._security = PodSecurity(store)

    async def admit(self, request: Request, document: Object, old: Object | None) -> None:
        """Change `document` in place, or raise Failure."""
        asked = request.attributes
        self._grants.check(request, document)
        if old is None and asked.namespace:
            self._check_namespace(request, document)
        if asked.resource.kind.name == "Service" and not asked.subresource:
            self._addresses.complete(request, document, old)
        if old is None and not asked.subresource:
            storage.complete(self._store, asked.resource.kind.name, document)
        if asked.resource.kind.name == "Pod" and not asked.subresource:
            self._complete_pod(request, document, old)
        self._security.check(request, document, old)

    def judge(self, request: Request, document: Object, old: Object | None) -> None:
        """Raise Failure for what limits and quotas of its namespace do not allow; it is complete and valid."""
        asked = request.attributes
        if not asked.namespace or asked.subresource:
            return
        if asked.resource.kind.name == "PersistentVolumeClaim" or (asked.resource.kind.name == "Pod" and old is None):
            limits.check(self._store, request, document)
        if asked.resource.kind.name == "PersistentVolumeClaim" and old is not None:
            storage.check_growth(self._store, request, document, old)
        self._quotas.check(request, document, old)
        request.notes.warn(*warnings(asked.resource.kind.name, document, old))

    async def land(self, request: Request, document: Object, write: Write) -> Event:
        return await self._quotas.land(request, document, write)

    def _complete_pod(self, request: Request, pod: Object, old: Object | None) -> None:
        if old is not None:
            priority.keep(pod, old)
            return
        if limits.complete(self._store, pod, request.attributes.namespace):
            child(pod, "status")["qosClass"] = strategy.qos_class(pod)
        priority.complete(self._store, request, pod)
        runtimes.complete(self._store, request, pod)
        self._give_account(request, pod)
        _tolerate_outages(child(pod, "spec"))

    def _check_namespace(self, request: Request, document: Object) -> None:
        asked = request.attributes
        namespace = self._find("namespaces", "", asked.namespace)
        if namespace is None:
            raise failures.not_found(core("namespaces"), asked.namespace)
        if mapping(namespace["metadata"]).get("deletionTimestamp"):
            name = text(mapping(document["metadata"]).get("name"))
            why = f"unable to create new content in namespace {asked.namespace} because it is being terminated"
            raise failures.terminating(asked.resource, name, asked.namespace, why)

    def _give_account(self, request: Request, pod: Object) -> None:
        """A pod runs as a service account, which must be there, and finds that one's token in its containers."""
        spec, namespace = child(pod, "spec"), request.attributes.namespace
        name = text(spec.get("serviceAccountName")) or "default"
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        account = self._find("serviceaccounts", namespace, name)
        if account is None:
            pod_name = text(mapping(pod["metadata"]).get("name"))
            why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
            raise failures.forbidden(request.attributes.resource, pod_name, why)
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = account["imagePullSecrets"]
        mounts = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken"))
        if mounts is not False:
            _mount_token(spec)

    def _find(self, plural: str, namespace: str, name: str) -> Object | None:
        try:
            return stored.decode(self._store.get(stored.key(core(plural), namespace, name)))
        except NotFound:
            return None


def _mount_token(spec: Object) -> None:
    """Add the volume with token, authority and namespace where a container does not have that place taken."""
    from jubako.cluster.apiserver.objects.identity import suffix

    containers = [each for group in ("initContainers", "containers") for each in objects(spec.get(group))]
    bare = [each for each in containers if not any(m.get("mountPath") == TOKEN_PATH for m in _mounts(each))]
    if not bare:
        return
    name = f"kube-api-access-{suffix()}"
    spec["volumes"] = [*array(spec.get("volumes")), _token_volume(name)]
    for container in bare:
        mount: Object = {"name": name, "readOnly": True, "mountPath": TOKEN_PATH}
        container["volumeMounts"] = [*array(container.get("volumeMounts")), mount]


def _mounts(container: Object) -> list[Object]:
    return objects(container.get("volumeMounts"))


def _token_volume(name: str) -> Object:
    namespace: JSON = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources: list[JSON] = [
        {"serviceAccountToken": {"expirationSeconds": _TOKEN_S, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 0o644}}


def _tolerate_outages(spec: Object) -> None:
    """A pod stays five minutes on a node that is away, unless it says otherwise."""
    tolerations = objects(spec.get("tolerations"))
    for key in _OUTAGES:
        if any(
            each.get("key") in (key, None, "") and each.get("effect") in ("NoExecute", None, "") for each in tolerations
        ):
            continue
        more: Object = {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _TOLERATED_S}
        spec["tolerations"] = [*array(spec.get("tolerations")), more]
