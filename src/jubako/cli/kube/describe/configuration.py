"""ConfigMaps, Secrets and Namespaces."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from jubako.cli.kube.describe.events import write_events
from jubako.cli.kube.describe.quotas import limits_of, quotas_of
from jubako.cli.kube.describe.sheet import Sheet, date
from jubako.cluster.types.document import Object, at, objects, strings, text


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
        quotas_of(sheet, quotas)
    if limits is not None:
        sheet.line(0, "")
        limits_of(sheet, limits)
