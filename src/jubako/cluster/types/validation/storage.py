"""Checks of volumes, claims and classes of storage."""

from __future__ import annotations

from jubako.cluster.types.document import JSON, Object, array, at, mapping, strings, text
from jubako.cluster.types.quantity import Quantity
from jubako.cluster.types.schema import message
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import no_backsteps, one_of, required
from jubako.cluster.types.validation.metadata import check_selector
from jubako.cluster.types.validation.names import dns_subdomain, qualified_name
from jubako.cluster.types.validation.pods.placement import check_node_term

_CLAIM_REFUSAL = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)
_MOST_PARAMETERS, _MOST_PARAMETERS_BYTES = 512, 256 * 1024


def volume(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    _modes(errors, spec)
    _capacity(errors, "spec.capacity", spec.get("capacity"))
    for name in one_of(errors, "spec", spec, message("core/v1.PersistentVolumeSource").by_name, "volume"):
        source = mapping(spec[name])
        if name in ("hostPath", "local"):
            required(errors, f"spec.{name}", source, "path")
            no_backsteps(errors, f"spec.{name}.path", text(source.get("path")))
        if name == "local" and at(spec, "nodeAffinity", "required") is None:
            errors.required("spec.nodeAffinity", "Local volume requires node affinity")
    _class(errors, spec)
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle" and at(spec, "hostPath", "path") == "/":
        errors.forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'")
    terms = array(at(spec, "nodeAffinity", "required", "nodeSelectorTerms"))
    for n, term in enumerate(terms):
        check_node_term(errors, f"spec.nodeAffinity.required.nodeSelectorTerms[{n}]", mapping(term))


def _modes(errors: Errors, spec: Object) -> None:
    modes = array(spec.get("accessModes"))
    if not modes:
        errors.required("spec.accessModes", "at least 1 access mode is required")
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        errors.forbidden("spec.accessModes", "may not use ReadWriteOncePod with other access modes")


def _capacity(errors: Errors, path: str, amounts: JSON) -> None:
    found = strings(amounts)
    if not found:
        errors.required(path)
    elif "storage" not in found or len(found) > 1:
        errors.unsupported(path, dict(found), ("storage",))
    for name, amount in found.items():
        _positive(errors, f"{path}[{name}]", amount)


def _positive(errors: Errors, path: str, amount: str) -> None:
    if Quantity.parse(amount).nanos <= 0:
        errors.invalid(path, amount, "must be greater than zero")


def _class(errors: Errors, spec: Object) -> None:
    for name in ("storageClassName", "volumeAttributesClassName"):
        if value := text(spec.get(name)):
            errors.invalid_each(f"spec.{name}", value, dns_subdomain(value))


def volume_update(errors: Errors, document: Object, old: Object) -> None:
    sources = message("core/v1.PersistentVolumeSource").by_name
    new, was = ({name: mapping(each.get("spec")).get(name) for name in sources} for each in (document, old))
    if new != was:
        errors.forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation")
    errors.unchanged("spec.volumeMode", at(document, "spec", "volumeMode"), at(old, "spec", "volumeMode"))


def claim(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    _modes(errors, spec)
    if spec.get("selector") is not None:
        check_selector(errors, "spec.selector", spec["selector"])
    storage = text(at(spec, "resources", "requests", "storage"))
    if storage:
        _positive(errors, "spec.resources[storage]", storage)
    else:
        errors.required("spec.resources[storage]")
    _class(errors, spec)


def claim_update(errors: Errors, document: Object, old: Object) -> None:
    """A claim that is bound may ask for more; one that is not may be bound, and get a class."""
    spec, was = mapping(document.get("spec")), mapping(old.get("spec"))
    bound = at(old, "status", "phase") == "Bound"
    may_change = {"volumeName"} if not was.get("volumeName") else set[str]()
    if bound:
        may_change |= {"resources", "volumeAttributesClassName"}
    if was.get("storageClassName") is None:
        may_change.add("storageClassName")
    kept = [{name: value for name, value in each.items() if name not in may_change} for each in (spec, was)]
    if kept[0] != kept[1]:
        errors.forbidden("spec", _CLAIM_REFUSAL)
    before, after, held = (
        text(at(*path)) for path in (_storage(was), _storage(spec), (old, "status", "capacity", "storage"))
    )
    if before and after and Quantity.parse(after) < Quantity.parse(before) and not _above(after, held):
        errors.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")


def _storage(spec: Object) -> tuple[Object, str, str, str]:
    return spec, "resources", "requests", "storage"


def _above(amount: str, held: str) -> bool:
    """A claim that asked for too much may ask for less again, as long as it is more than it has."""
    return bool(held) and Quantity.parse(amount) > Quantity.parse(held)


def storage_class(errors: Errors, document: Object) -> None:
    provisioner, parameters = text(document.get("provisioner")), strings(document.get("parameters"))
    if provisioner:
        errors.invalid_each("provisioner", provisioner, qualified_name(provisioner.lower()))
    else:
        errors.required("provisioner")
    if len(parameters) > _MOST_PARAMETERS:
        errors.too_long("parameters", _MOST_PARAMETERS)
    if "" in parameters:
        errors.invalid("parameters", "", "field can not be empty.")
    if sum(len(key.encode()) + len(value.encode()) for key, value in parameters.items()) > _MOST_PARAMETERS_BYTES:
        errors.too_long("parameters", _MOST_PARAMETERS_BYTES)
    required(errors, "", document, "volumeBindingMode")


def storage_class_update(errors: Errors, document: Object, old: Object) -> None:
    for name, what in (
        ("parameters", "parameters"),
        ("provisioner", "provisioner"),
        ("reclaimPolicy", "reclaimPolicy"),
    ):
        if document.get(name) != old.get(name):
            errors.forbidden(name, f"updates to {what} are forbidden.")
    errors.unchanged("volumeBindingMode", document.get("volumeBindingMode"), old.get("volumeBindingMode"))
