"""ConfigMaps, Secrets and Namespaces."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from jubako.cli.kube.describe.events import write_events
from jubako.cli.kube.describe.sheet import Sheet, date, plain
from jubako.cluster.types.document import Object, array, at, mapping, objects, strings, text


def config_map(sheet: Sheet, document: Object, events: Sequence[Object]) -> None:
    sheet.head(document)
    sheet.marks(document)
    sheet.line(0, "")
    sheet.line(0, "Data")
    sheet.line(0, "====")
    for key, value in sorted(strings(document.get("data")).items()):
        sheet.line(0, f"{key}:")
        sheet.line(0, "----")
        for line in value.split("\n"):
            sheet.line(0, line)
        sheet.line(0, "")
    sheet.line(0, "")
    sheet.line(0, "BinaryData")
    sheet.line(0, "====")
    for key, value in sorted(strings(document.get("binaryData")).items()):
        sheet.line(0, f"{key}: {_size(value)} bytes")
    sheet.line(0, "")
    write_events(sheet, events)


def secret(sheet: Sheet, document: Object) -> None:
    sheet.head(document)
    sheet.marks(document)
    sheet.line(0, "")
    sheet.line(0, "Type:", text(document.get("type")))
    sheet.line(0, "")
    sheet.line(0, "Data")
    sheet.line(0, "====")
    for key, value in sorted(strings(document.get("data")).items()):
        is_token = key == "token" and document.get("type") == "kubernetes.io/service-account-token"
        sheet.line(0, f"{key}:", base64.b64decode(value).decode() if is_token else f"{_size(value)} bytes")


def _size(value: str) -> int:
    try:
        return len(base64.b64decode(value))
    except binascii.Error:
        return len(value)


def namespace(sheet: Sheet, document: Object, quotas: Sequence[Object] | None, limits: Sequence[Object] | None) -> None:
    """`quotas` and `limits` are None where the server has no such types."""
    sheet.head(document, namespaced=False)
    sheet.marks(document)
    sheet.line(0, "Status:", text(at(document, "status", "phase")))
    conditions = objects(at(document, "status", "conditions"))
    if conditions:
        sheet.line(0, "Conditions:")
        sheet.line(1, "Type", "Status", "LastTransitionTime", "Reason", "Message")
        sheet.line(1, "----", "------", "------------------", "------", "-------")
    for each in conditions:
        kind, status, reason, message = (text(each.get(name)) for name in ("type", "status", "reason", "message"))
        sheet.line(1, kind, status, date(each.get("lastTransitionTime")), reason, message)
    if quotas is not None:
        sheet.line(0, "")
        _quotas(sheet, quotas)
    if limits is not None:
        sheet.line(0, "")
        _limits(sheet, limits)


def _quotas(sheet: Sheet, found: Sequence[Object]) -> None:
    if not found:
        sheet.line(0, "No resource quota.")
        return
    sheet.line(0, "Resource Quotas")
    for each in sorted(found, key=lambda one: text(at(one, "metadata", "name"))):
        sheet.line(1, "Name:", text(at(each, "metadata", "name")))
        if scopes := sorted(map(text, array(at(each, "spec", "scopes")))):
            sheet.line(1, "Scopes:", ", ".join(scopes))
        sheet.line(1, "Resource", "Used", "Hard")
        sheet.line(1, "--------", "---", "---")
        for name, hard in sorted(mapping(at(each, "status", "hard")).items()):
            sheet.line(1, name, plain(at(each, "status", "used", name), "0"), plain(hard))


def _limits(sheet: Sheet, found: Sequence[Object]) -> None:
    if not found:
        sheet.line(0, "No LimitRange resource.")
        return
    sheet.line(0, "Resource Limits")
    sheet.line(0, " Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio")
    sheet.line(0, " ----", "--------", "---", "---", "---------------", "-------------", "-----------------------")
    fields = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")
    for item in (item for each in found for item in objects(at(each, "spec", "limits"))):
        for name in sorted({name for field in fields for name in mapping(item.get(field))}):
            sheet.line(0, f" {text(item.get('type'))}", name, *(plain(at(item, field, name), "-") for field in fields))
