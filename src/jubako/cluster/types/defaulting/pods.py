"""Defaults of pods that depend on other fields: pull policies, requests from limits, host ports."""

from __future__ import annotations

from jubako.cluster.types.document import Object, child, integer, mapping, objects, text
from jubako.cluster.types.quantity import NANO, Quantity
from jubako.cluster.types.schema import message
from jubako.errors import InvalidArgument
from jubako.image.reference import parse

_MILLI = NANO // 1000


def container(of: Object) -> None:
    if not of.get("imagePullPolicy"):
        of["imagePullPolicy"] = "Always" if _is_latest(text(of.get("image"))) else "IfNotPresent"


def _is_latest(image: str) -> bool:
    """Tell whether an image may change under its name; what is no name is for validation to refuse."""
    try:
        reference = parse(image)
    except InvalidArgument:
        return False
    return reference.tag == "latest"


def pod(of: Object) -> None:
    spec = child(of, "spec")
    for name in ("containers", "initContainers"):
        for each in objects(spec.get(name)):
            _requests(child(each, "resources"))
            if spec.get("hostNetwork"):
                _host_ports(each)
    spec.setdefault("enableServiceLinks", True)


def _requests(resources: Object) -> None:
    """What is limited and not requested is requested as far as its limit."""
    if limits := mapping(resources.get("limits")):
        resources["requests"] = {**limits, **mapping(resources.get("requests"))}


def _host_ports(of: Object) -> None:
    for port in objects(of.get("ports")):
        if not integer(port.get("hostPort")):
            port["hostPort"] = port.get("containerPort")


def resources(of: Object) -> None:
    """Round amounts up to thousandths, below which nothing is counted."""
    for name in ("limits", "requests"):
        amounts = mapping(of.get(name))
        for resource, amount in amounts.items():
            quantity = Quantity.parse(text(amount))
            if quantity.nanos % _MILLI:
                amounts[resource] = str(Quantity(-(-quantity.nanos // _MILLI) * _MILLI, quantity.family))


def volume(of: Object) -> None:
    """A volume of no source is an empty directory."""
    sources = message("core/v1.VolumeSource").by_name
    if not of.keys() & sources.keys():
        of["emptyDir"] = {}
    image = mapping(of.get("image"))
    if image and not image.get("pullPolicy"):
        image["pullPolicy"] = "Always" if _is_latest(text(image.get("reference"))) else "IfNotPresent"
