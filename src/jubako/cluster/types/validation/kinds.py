"""Which functions check a kind: one for its name, one when it is new, one when it changes.

A kind that is not in the table is checked for its metadata and its closed sets of values alone. `validate` runs at
every change too,
and `validate_update` beside it; the status of an object changes under `validate_status_update`.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from jubako.cluster.types.document import Object, mapping
from jubako.cluster.types.resources import resource_of
from jubako.cluster.types.served import Kind, Resource
from jubako.cluster.types.validation import (
    batch,
    config,
    endpoints,
    enums,
    events,
    ingresses,
    limits,
    others,
    quotas,
    rbac,
    services,
    storage,
    workloads,
)
from jubako.cluster.types.validation import metadata as meta
from jubako.cluster.types.validation.errors import Errors, FieldError
from jubako.cluster.types.validation.metadata import NameCheck
from jubako.cluster.types.validation.names import dns1035_label, dns_label, dns_subdomain, path_segment
from jubako.cluster.types.validation.pods import spec as pods
from jubako.cluster.types.validation.pods import update as pod_update

Check = Callable[[Errors, Object], None]
UpdateCheck = Callable[[Errors, Object, Object], None]


class Checks(msgspec.Struct, frozen=True):
    new: Check | None = None
    update: UpdateCheck | None = None
    made: Check | None = None
    """What holds only for one that is made."""
    name: NameCheck = dns_subdomain


def _pod(errors: Errors, document: Object) -> None:
    pods.check_spec(errors, "spec", mapping(document.get("spec")))


def _pod_template(errors: Errors, document: Object) -> None:
    pods.check_template(errors, "template", mapping(document.get("template")))


_CHECKS = {
    "apps/v1.ControllerRevision": Checks(workloads.controller_revision, workloads.controller_revision_update),
    "apps/v1.DaemonSet": Checks(workloads.daemon_set, workloads.same_selector),
    "apps/v1.Deployment": Checks(workloads.deployment, workloads.same_selector),
    "apps/v1.ReplicaSet": Checks(workloads.replica_set, workloads.same_selector),
    "apps/v1.StatefulSet": Checks(workloads.stateful_set, workloads.stateful_set_update),
    "authentication/v1.TokenRequest": Checks(others.token_request),
    "authentication/v1.TokenReview": Checks(others.token_review),
    "authorization/v1.LocalSubjectAccessReview": Checks(others.subject_access_review),
    "authorization/v1.SelfSubjectAccessReview": Checks(others.access_review),
    "authorization/v1.SubjectAccessReview": Checks(others.subject_access_review),
    "autoscaling/v1.Scale": Checks(others.scale),
    "batch/v1.CronJob": Checks(batch.cron_job),
    "batch/v1.Job": Checks(batch.job, batch.job_update),
    "coordination/v1.Lease": Checks(others.lease),
    "core/v1.ConfigMap": Checks(config.config_map, config.config_map_update),
    "core/v1.Endpoints": Checks(endpoints.endpoints),
    "core/v1.Event": Checks(events.event),
    "core/v1.LimitRange": Checks(limits.limit_range),
    "core/v1.Namespace": Checks(others.namespace, name=dns_label),
    "core/v1.Node": Checks(others.node, others.node_update),
    "core/v1.PersistentVolume": Checks(storage.volume, storage.volume_update),
    "core/v1.PersistentVolumeClaim": Checks(storage.claim, storage.claim_update),
    "core/v1.Pod": Checks(_pod, pod_update.check_update),
    "core/v1.PodTemplate": Checks(_pod_template),
    "core/v1.ReplicationController": Checks(workloads.replication_controller),
    "core/v1.ResourceQuota": Checks(quotas.quota, quotas.quota_update),
    "core/v1.Secret": Checks(config.secret, config.secret_update),
    "core/v1.Service": Checks(services.service, services.service_update, name=dns1035_label),
    "discovery/v1.EndpointSlice": Checks(endpoints.endpoint_slice, endpoints.endpoint_slice_update),
    "events/v1.Event": Checks(events.event, events.new_event_update, made=events.new_event),
    "networking/v1.Ingress": Checks(ingresses.ingress),
    "networking/v1.IngressClass": Checks(ingresses.ingress_class, ingresses.ingress_class_update),
    "node/v1.RuntimeClass": Checks(others.runtime_class, others.runtime_class_update),
    "policy/v1.PodDisruptionBudget": Checks(others.budget),
    "rbac/v1.ClusterRole": Checks(rbac.cluster_role, name=path_segment),
    "rbac/v1.ClusterRoleBinding": Checks(rbac.cluster_role_binding, rbac.binding_update, name=path_segment),
    "rbac/v1.Role": Checks(rbac.role, name=path_segment),
    "rbac/v1.RoleBinding": Checks(rbac.role_binding, rbac.binding_update, name=path_segment),
    "scheduling/v1.PriorityClass": Checks(others.priority_class, others.priority_class_update),
    "storage/v1.StorageClass": Checks(storage.storage_class, storage.storage_class_update),
}


def validate(kind: Kind, document: Object) -> list[FieldError]:
    """Return what is wrong with a defaulted document that is made; nothing if it may be stored."""
    errors, checks = Errors(), _CHECKS.get(kind.message_name, Checks())
    if checks.made:
        checks.made(errors, document)
    return _always(kind, document) + errors.found


def _always(kind: Kind, document: Object) -> list[FieldError]:
    errors, checks = Errors(), _CHECKS.get(kind.message_name, Checks())
    resource = resource_of(kind.group, kind.version, kind.name)
    if resource and "get" in resource.verbs:
        _metadata(errors, resource, document, checks)
    enums.check(errors, kind.message, document)
    if checks.new:
        checks.new(errors, document)
    return errors.found


def _metadata(errors: Errors, resource: Resource, document: Object, checks: Checks) -> None:
    meta.check_metadata(errors, mapping(document.get("metadata")), resource.namespaced, checks.name)


def validate_update(kind: Kind, document: Object, old: Object) -> list[FieldError]:
    """Return why `document` may not take the place of `old`; both are defaulted."""
    errors, checks = Errors(), _CHECKS.get(kind.message_name, Checks())
    meta.check_metadata_update(errors, mapping(document.get("metadata")), mapping(old.get("metadata")))
    if checks.update:
        checks.update(errors, document, old)
    return errors.found + _always(kind, document)


def validate_ephemeral_containers(kind: Kind, document: Object, old: Object) -> list[FieldError]:
    """Return what is wrong with a pod that ephemeral containers were added to."""
    errors = Errors()
    pod_update.check_ephemeral_update(errors, document, old)
    return errors.found + _always(kind, document)


def validate_status_update(kind: Kind, document: Object, old: Object) -> list[FieldError]:
    """Return what is wrong with a new status; the specification is that of the old document."""
    errors = Errors()
    meta.check_metadata_update(errors, mapping(document.get("metadata")), mapping(old.get("metadata")))
    enums.check(errors, kind.message, document)
    return errors.found
