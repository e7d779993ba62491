"""The rows of Ingresses and their classes."""

from __future__ import annotations

from datetime import datetime

from jubako.cluster.types.columns.model import NONE, Columns, created, name
from jubako.cluster.types.document import JSON, Object, at, mapping, objects, text

_MOST_HOSTS = 3
_OLD_CLASS = "kubernetes.io/ingress.class"


def _ingress(document: Object, now: datetime) -> list[JSON]:
    old = text(at(document, "metadata", "annotations", _OLD_CLASS))
    class_ = text(at(document, "spec", "ingressClassName")) or old or NONE
    ports = "80, 443" if objects(at(document, "spec", "tls")) else "80"
    return [name(document), class_, _hosts(document), _addresses(document), ports, created(document, now)]


def _hosts(document: Object) -> str:
    rules = objects(at(document, "spec", "rules"))
    found = [text(each.get("host")) for each in rules if each.get("host")]
    more = f" + {len(found) - _MOST_HOSTS} more..." if len(found) > _MOST_HOSTS else ""
    return ",".join(found[:_MOST_HOSTS]) + more or "*"


def _addresses(document: Object) -> str:
    known = objects(at(document, "status", "loadBalancer", "ingress"))
    return ",".join(text(each.get("ip")) or text(each.get("hostname")) for each in known)


def _class(document: Object, now: datetime) -> list[JSON]:
    parameters, shown = mapping(at(document, "spec", "parameters")), NONE
    if parameters:
        group = text(parameters.get("apiGroup"))
        shown = f"{text(parameters.get('kind'))}{f'.{group}' if group else ''}/{text(parameters.get('name'))}"
    return [name(document), text(at(document, "spec", "controller")), shown, created(document, now)]


COLUMNS = {
    "networking/v1.Ingress": Columns(("Name", "Class", "Hosts", "Address", "Ports", "Age"), _ingress),
    "networking/v1.IngressClass": Columns(("Name", "Controller", "Parameters", "Age"), _class),
}
