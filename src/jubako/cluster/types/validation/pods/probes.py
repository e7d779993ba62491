"""Probes and lifecycle hooks of a container: one handler each, and numbers that make sense."""

from __future__ import annotations

import re

from jubako.cluster.types.document import Object, array, integer, mapping, objects, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import not_negative_each, one_of, port_or_name, required
from jubako.cluster.types.validation.names import port_number

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOKS = ("exec", "httpGet", "tcpSocket", "sleep")
_COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def check(errors: Errors, path: str, container: Object) -> None:
    for name in _PROBES:
        if container.get(name) is not None:
            _probe(errors, f"{path}.{name}", name, mapping(container[name]))
    lifecycle = mapping(container.get("lifecycle"))
    for name in ("postStart", "preStop"):
        if lifecycle.get(name) is not None:
            hook = mapping(lifecycle[name])
            _handler(errors, f"{path}.lifecycle.{name}", hook, _HOOKS)


def _probe(errors: Errors, path: str, name: str, probe: Object) -> None:
    _handler(errors, path, probe, _HANDLERS)
    not_negative_each(errors, path, probe, _COUNTS)
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and name == "readinessProbe":
        errors.invalid(f"{path}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes")
    elif grace is not None and integer(grace) <= 0:
        errors.invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0")
    if name != "readinessProbe" and integer(probe.get("successThreshold"), 1) not in (0, 1):
        errors.invalid(f"{path}.successThreshold", probe.get("successThreshold"), "must be 1")


def _handler(errors: Errors, path: str, of: Object, names: tuple[str, ...]) -> None:
    for name in one_of(errors, path, of, names, "handler"):
        where, handler = f"{path}.{name}", mapping(of[name])
        if name == "exec" and not array(handler.get("command")):
            errors.required(f"{where}.command")
        if name == "httpGet":
            _http(errors, where, handler)
        if name in ("httpGet", "tcpSocket"):
            port_or_name(errors, f"{where}.port", handler.get("port"))
        if name == "grpc":
            errors.invalid_each(f"{where}.port", handler.get("port"), port_number(integer(handler.get("port"))))


def _http(errors: Errors, path: str, handler: Object) -> None:
    required(errors, path, handler, "path")
    for header in objects(handler.get("httpHeaders")):
        name = text(header.get("name"))
        if not re.fullmatch(r"[-A-Za-z0-9]+", name, re.ASCII):
            detail = "a valid HTTP header must consist of alphanumeric characters or '-' "
            example = "(e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"
            errors.invalid(f"{path}.httpHeaders", name, detail + example)
