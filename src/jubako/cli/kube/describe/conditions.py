"""The conditions of what tells when it was looked at: nodes and claims."""

from __future__ import annotations

from jubako.cli.kube.describe.sheet import Sheet, date
from jubako.cluster.types.document import Object, objects, text


def timed(sheet: Sheet, status: Object, looked: str) -> None:
    """Write conditions, each with its time of that field (`lastHeartbeatTime`) and of its last change."""
    found = objects(status.get("conditions"))
    if found:
        sheet.line(0, "Conditions:")
        sheet.line(1, "Type", "Status", f"{looked[0].upper()}{looked[1:]}", "LastTransitionTime", "Reason", "Message")
        sheet.line(1, "----", "------", "-----------------", "------------------", "------", "-------")
    for each in found:
        seen, changed = (f"{date(each.get(name))} " for name in (looked, "lastTransitionTime"))
        kind, state, reason = (f"{text(each.get(name))} " for name in ("type", "status", "reason"))
        sheet.line(1, kind, state, seen, changed, reason, text(each.get("message")))
