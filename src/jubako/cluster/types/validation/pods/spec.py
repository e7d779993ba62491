"""The specification of a pod."""

from __future__ import annotations

from jubako.cluster.types.document import JSON, Object, array, at, integer, mapping, objects, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import between, required
from jubako.cluster.types.validation.metadata import check_annotations, check_labels
from jubako.cluster.types.validation.names import dns_label, dns_subdomain, ip_address, qualified_name
from jubako.cluster.types.validation.pods import containers, placement, security, volumes

_INT32 = 2**31 - 1
_MOST_NAMESERVERS, _MOST_SEARCHES = 3, 32


def check_template(errors: Errors, path: str, template: Object) -> None:
    """Check a PodTemplateSpec."""
    metadata = mapping(template.get("metadata"))
    check_labels(errors, f"{path}.metadata.labels", metadata.get("labels"))
    check_annotations(errors, f"{path}.metadata.annotations", metadata.get("annotations"))
    check_spec(errors, f"{path}.spec", mapping(template.get("spec")))
    if mapping(template.get("spec")).get("ephemeralContainers"):
        errors.forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def check_spec(errors: Errors, path: str, spec: Object) -> None:
    mountable = volumes.check(errors, f"{path}.volumes", objects(spec.get("volumes")))
    containers.check_all(errors, path, spec, mountable)
    _sleeps(errors, path, spec)
    required(errors, path, spec, "restartPolicy", "dnsPolicy")
    _names(errors, path, spec)
    check_labels(errors, f"{path}.nodeSelector", spec.get("nodeSelector"))
    between(errors, f"{path}.activeDeadlineSeconds", spec.get("activeDeadlineSeconds"), 1, _INT32)
    _dns(errors, path, spec)
    _aliases(errors, f"{path}.hostAliases", objects(spec.get("hostAliases")))
    _gates(errors, path, spec)
    security.check_pod(errors, path, spec)
    placement.check(errors, path, spec)


def _sleeps(errors: Errors, path: str, spec: Object) -> None:
    """A hook sleeps no longer than the pod may take to end."""
    grace = integer(spec.get("terminationGracePeriodSeconds"))
    for group in ("initContainers", "containers"):
        for n, container in enumerate(objects(spec.get(group))):
            for name in ("postStart", "preStop"):
                sleep = at(container, "lifecycle", name, "sleep")
                if sleep is not None and not 0 < integer(mapping(sleep).get("seconds")) <= grace:
                    where = f"{path}.{group}[{n}].lifecycle.{name}.sleep"
                    why = f"must be greater than 0 and less than terminationGracePeriodSeconds ({grace})"
                    errors.invalid(where, mapping(sleep).get("seconds"), why)


def _names(errors: Errors, path: str, spec: Object) -> None:
    for name, check in (
        ("serviceAccountName", dns_subdomain),
        ("nodeName", dns_subdomain),
        ("hostname", dns_label),
        ("subdomain", dns_label),
        ("priorityClassName", dns_subdomain),
        ("schedulerName", qualified_name),
        ("runtimeClassName", dns_subdomain),
    ):
        if value := text(spec.get(name)):
            errors.invalid_each(f"{path}.{name}", value, check(value))


def _dns(errors: Errors, path: str, spec: Object) -> None:
    config, is_none = mapping(spec.get("dnsConfig")), spec.get("dnsPolicy") == "None"
    if is_none and spec.get("dnsConfig") is None:
        errors.required(f"{path}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")
        return
    servers, searches = array(config.get("nameservers")), array(config.get("searches"))
    if is_none and not servers:
        detail = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        errors.required(f"{path}.dnsConfig.nameservers", detail)
    if len(servers) > _MOST_NAMESERVERS:
        errors.invalid(
            f"{path}.dnsConfig.nameservers", servers, f"must not have more than {_MOST_NAMESERVERS} nameservers"
        )
    for n, server in enumerate(servers):
        errors.invalid_each(f"{path}.dnsConfig.nameservers[{n}]", server, ip_address(text(server)))
    if len(searches) > _MOST_SEARCHES:
        errors.invalid(f"{path}.dnsConfig.searches", searches, f"must not have more than {_MOST_SEARCHES} search paths")
    for n, option in enumerate(objects(config.get("options"))):
        if not option.get("name"):
            errors.required(f"{path}.dnsConfig.options[{n}]", "must not be empty")


def _aliases(errors: Errors, path: str, aliases: list[Object]) -> None:
    for n, alias in enumerate(aliases):
        errors.invalid_each(f"{path}[{n}].ip", alias.get("ip"), ip_address(text(alias.get("ip"))))
        for name in array(alias.get("hostnames")):
            errors.invalid_each(f"{path}[{n}].hostnames", name, dns_subdomain(text(name)))


def _gates(errors: Errors, path: str, spec: Object) -> None:
    for n, gate in enumerate(objects(spec.get("readinessGates"))):
        kind: JSON = gate.get("conditionType")
        errors.invalid_each(f"{path}.readinessGates[{n}].conditionType", kind, qualified_name(text(kind)))
    seen: set[str] = set()
    for n, gate in enumerate(objects(spec.get("schedulingGates"))):
        name = text(gate.get("name"))
        errors.invalid_each(f"{path}.schedulingGates[{n}]", name, qualified_name(name))
        if name in seen:
            errors.duplicate(f"{path}.schedulingGates[{n}]", name)
        seen.add(name)
