"""What every namespace has: the service account "default", and the certificate of the cluster's authority.

Spec: kubernetes/pkg/controller/serviceaccount; pkg/controller/certificates/rootcacertpublisher.
"""

from __future__ import annotations

from jubako.cluster.controllers.actions import Action, Create, Update
from jubako.cluster.controllers.controller import Controller
from jubako.cluster.controllers.kinds import CONFIG_MAP, NAMESPACE, SERVICE_ACCOUNT, Key
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.objects import Object, is_deleting, name, namespace, put, strings

ROOT_CA = "kube-root-ca.crt"
_DESCRIPTION = "kubernetes.io/description"
_WORDS = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


def _lives(observed: Observed, key: Key) -> bool:
    space = observed.get(NAMESPACE, key)
    return space is not None and not is_deleting(space)


def _account(observed: Observed, key: Key) -> list[Action]:
    if not _lives(observed, key) or observed.get(SERVICE_ACCOUNT, Key(key.name, "default")) is not None:
        return []
    kind: Object = {"apiVersion": SERVICE_ACCOUNT.api_version, "kind": SERVICE_ACCOUNT.name}
    return [Create({**kind, "metadata": {"name": "default", "namespace": key.name}})]


def _space(_: Observed, document: Object) -> list[Key]:
    return [Key("", namespace(document) or name(document))]


ACCOUNTS = Controller("serviceaccount", {NAMESPACE: _space, SERVICE_ACCOUNT: _space}, _account)


def root_ca(bundle: str) -> Controller:
    """The controller that keeps this bundle (PEM) in each namespace."""

    def reconcile(observed: Observed, key: Key) -> list[Action]:
        if not _lives(observed, key):
            return []
        known = observed.get(CONFIG_MAP, Key(key.name, ROOT_CA))
        if known is None:
            metadata: Object = {"name": ROOT_CA, "namespace": key.name, "annotations": {_DESCRIPTION: _WORDS}}
            kind: Object = {"apiVersion": CONFIG_MAP.api_version, "kind": CONFIG_MAP.name}
            return [Create({**kind, "metadata": metadata, "data": {"ca.crt": bundle}})]
        same = strings(known, "data") == {"ca.crt": bundle}
        return [] if same else [Update(put(known, {"ca.crt": bundle}, "data"))]

    return Controller("root-ca-certificate-publisher", {NAMESPACE: _space, CONFIG_MAP: _space}, reconcile)
