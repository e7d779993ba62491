"""What happened to an object, as the last part of its sheet."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.cli.kube.describe.sheet import Sheet, ago
from jubako.cluster.types.document import Object, at, integer, text


def write_events(sheet: Sheet, events: Sequence[Object]) -> None:
    if not events:
        sheet.line(0, "Events:", "<none>")
        return
    sheet.line(0, "Events:")
    sheet.line(1, "Type", "Reason", "Age", "From", "Message")
    sheet.line(1, "----", "------", "----", "----", "-------")
    for each in sorted(events, key=last):
        source = text(at(each, "source", "component")) or text(each.get("reportingComponent"))
        message = text(each.get("message")).strip()
        sheet.line(1, text(each.get("type")), text(each.get("reason")), when(each), source, message)


def last(event: Object) -> str:
    """Return when it was seen the last time."""
    return (
        text(event.get("lastTimestamp"))
        or text(at(event, "series", "lastObservedTime"))
        or text(event.get("eventTime"))
    )


def when(event: Object) -> str:
    """Return how long ago it was, and how often since when."""
    first = text(event.get("firstTimestamp")) or text(event.get("eventTime"))
    count = integer(at(event, "series", "count")) or integer(event.get("count"))
    return f"{ago(last(event))} (x{count} over {ago(first)})" if count > 1 else ago(last(event) or first)
