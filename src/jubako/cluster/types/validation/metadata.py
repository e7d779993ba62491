"""What every object carries: names, labels, annotations, owners, finalizers, and what of it may change."""

from __future__ import annotations

from collections.abc import Callable

from jubako.cluster.types.document import JSON, Object, array, integer, mapping, objects, strings, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.names import dns_label, label_value, qualified_name

MAX_ANNOTATIONS_BYTES = 256 * 1024
STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
NameCheck = Callable[[str], list[str]]


def check_metadata(errors: Errors, metadata: Object, namespaced: bool, check_name: NameCheck) -> None:
    path = "metadata"
    name, prefix = text(metadata.get("name")), text(metadata.get("generateName"))
    if prefix:
        # A prefix is whole once a name is made of it, so that it may end as no name may.
        errors.invalid_each(f"{path}.generateName", prefix, check_name(prefix.rstrip("-.") or prefix))
    if name:
        errors.invalid_each(f"{path}.name", name, check_name(name))
    else:
        errors.required(f"{path}.name", "name or generateName is required")
    _namespace(errors, text(metadata.get("namespace")), namespaced)
    if integer(metadata.get("generation")) < 0:
        errors.invalid(f"{path}.generation", metadata.get("generation"), "must be greater than or equal to 0")
    check_labels(errors, f"{path}.labels", metadata.get("labels"))
    check_annotations(errors, f"{path}.annotations", metadata.get("annotations"))
    _owners(errors, f"{path}.ownerReferences", objects(metadata.get("ownerReferences")))
    for finalizer in array(metadata.get("finalizers")):
        check_finalizer(errors, f"{path}.finalizers", text(finalizer))


def _namespace(errors: Errors, namespace: str, namespaced: bool) -> None:
    if not namespaced:
        if namespace:
            errors.forbidden("metadata.namespace", "not allowed on this type")
    elif namespace:
        errors.invalid_each("metadata.namespace", namespace, dns_label(namespace))
    else:
        errors.required("metadata.namespace")


def check_labels(errors: Errors, path: str, labels: JSON) -> None:
    for key, value in strings(labels).items():
        errors.invalid_each(path, key, qualified_name(key))
        errors.invalid_each(path, value, label_value(value))


def check_annotations(errors: Errors, path: str, annotations: JSON) -> None:
    size_bytes = 0
    for key, value in strings(annotations).items():
        errors.invalid_each(path, key, qualified_name(key.lower()))
        size_bytes += len(key.encode()) + len(value.encode())
    if size_bytes > MAX_ANNOTATIONS_BYTES:
        errors.too_long(path, MAX_ANNOTATIONS_BYTES)


def check_finalizer(errors: Errors, path: str, name: str) -> None:
    errors.invalid_each(path, name, qualified_name(name))
    if "/" not in name and name not in STANDARD_FINALIZERS:
        errors.invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified")


def _owners(errors: Errors, path: str, owners: list[Object]) -> None:
    controller = ""
    for owner in owners:
        for name in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(name):
                what = "version" if name == "apiVersion" else name
                errors.invalid(f"{path}.{name}", "", f"{what} must not be empty")
        if not owner.get("controller"):
            continue
        named = f"{text(owner.get('kind'))}/{text(owner.get('name'))}"
        if controller:
            detail = (
                f'Only one reference can have Controller set to true. Found "true" in references for {controller} and'
            )
            errors.invalid(path, [dict(each) for each in owners], f"{detail} {named}")
        controller = named


def check_metadata_update(errors: Errors, metadata: Object, old: Object) -> None:
    for name in ("name", "namespace", "uid", "creationTimestamp"):
        errors.unchanged(f"metadata.{name}", metadata.get(name), old.get(name))
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        if old.get(name) is not None:
            errors.unchanged(f"metadata.{name}", metadata.get(name), old.get(name))
    if not metadata.get("resourceVersion"):
        errors.invalid("metadata.resourceVersion", metadata.get("resourceVersion"), "must be specified for an update")
    if integer(metadata.get("generation")) < integer(old.get("generation")):
        errors.invalid("metadata.generation", metadata.get("generation"), "must not be decremented")
    if old.get("deletionTimestamp"):
        _no_new_finalizers(errors, metadata, old)


def _no_new_finalizers(errors: Errors, metadata: Object, old: Object) -> None:
    held = array(old.get("finalizers"))
    if new := [each for each in array(metadata.get("finalizers")) if each not in held]:
        detail = f"no new finalizers can be added if the object is being deleted, found new finalizers {new}"
        errors.forbidden("metadata.finalizers", detail)


def check_selector(errors: Errors, path: str, selector: JSON) -> None:
    """Check a LabelSelector."""
    check_labels(errors, f"{path}.matchLabels", mapping(selector).get("matchLabels"))
    for n, requirement in enumerate(objects(mapping(selector).get("matchExpressions"))):
        _requirement(errors, f"{path}.matchExpressions[{n}]", requirement)


def _requirement(errors: Errors, path: str, requirement: Object) -> None:
    operator, values = text(requirement.get("operator")), array(requirement.get("values"))
    if operator in ("In", "NotIn"):
        if not values:
            errors.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            errors.forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    else:
        errors.invalid(f"{path}.operator", operator, "not a valid selector operator")
    errors.invalid_each(f"{path}.key", requirement.get("key"), qualified_name(text(requirement.get("key"))))
    for n, value in enumerate(values):
        errors.invalid_each(f"{path}.values[{n}]", value, label_value(text(value)))
