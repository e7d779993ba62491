"""ResourceQuotas and LimitRanges, each by itself and as its namespace tells of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jubako.cli.kube.describe.sheet import Sheet, plain
from jubako.cluster.types.document import Object, array, at, mapping, objects, text

_SCOPES = {
    "Terminating": "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before "
    "being actively terminated by the system.",
    "NotTerminating": "Matches all pods that do not have an active deadline. These pods usually include long running "
    "pods whose container command is not expected to terminate.",
    "BestEffort": "Matches all pods that do not have resource requirements set. These pods have a best effort quality "
    "of service.",
    "NotBestEffort": "Matches all pods that have at least one resource requirement set. These pods have a burstable or "
    "guaranteed quality of service.",
}
_LIMITS = ("Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio")
_FIELDS = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")


def quota(sheet: Sheet, document: Object, _events: Sequence[Object]) -> None:
    sheet.head(document)
    _scopes(sheet, 0, " *", document)
    sheet.line(0, "Resource", "Used", "Hard")
    sheet.line(0, "--------", "----", "----")
    _used(sheet, 0, document)


def limit_range(sheet: Sheet, document: Object, _events: Sequence[Object]) -> None:
    sheet.head(document)
    _limits(sheet, "", [document])


def quotas_of(sheet: Sheet, found: Sequence[Object]) -> None:
    if not found:
        sheet.line(0, "No resource quota.")
        return
    sheet.line(0, "Resource Quotas")
    for each in sorted(found, key=lambda one: text(at(one, "metadata", "name"))):
        sheet.line(1, "Name:", text(at(each, "metadata", "name")))
        _scopes(sheet, 1, "*", each)
        sheet.line(1, "Resource", "Used", "Hard")
        sheet.line(1, "--------", "---", "---")
        _used(sheet, 1, each)


def limits_of(sheet: Sheet, found: Sequence[Object]) -> None:
    if not found:
        sheet.line(0, "No LimitRange resource.")
        return
    sheet.line(0, "Resource Limits")
    _limits(sheet, " ", found)


def _scopes(sheet: Sheet, level: int, mark: str, document: Object) -> None:
    scopes = sorted(map(text, array(at(document, "spec", "scopes"))))
    if scopes:
        sheet.line(level, "Scopes:", ", ".join(scopes))
    for each in scopes:
        if each in _SCOPES:
            sheet.line(level, f"{mark} {_SCOPES[each]}")


def _used(sheet: Sheet, level: int, document: Object) -> None:
    for name, hard in sorted(mapping(at(document, "status", "hard")).items()):
        sheet.line(level, name, plain(at(document, "status", "used", name), "0"), plain(hard))


def _limits(sheet: Sheet, lead: str, found: Iterable[Object]) -> None:
    sheet.line(0, f"{lead}{_LIMITS[0]}", *_LIMITS[1:])
    sheet.line(0, f"{lead}----", *("-" * len(title) for title in _LIMITS[1:]))
    for item in (item for each in found for item in objects(at(each, "spec", "limits"))):
        for name in sorted({name for field in _FIELDS for name in mapping(item.get(field))}):
            cells = (plain(at(item, field, name), "-") for field in _FIELDS)
            sheet.line(0, f"{lead}{text(item.get('type'))}", name, *cells)
