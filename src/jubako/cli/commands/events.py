"""jubako events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jubako.cli import times
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.each import filters
from jubako.cli.formatting import FORMAT_ONE, evaluate, parse
from jubako.cli.gotemplate import Record
from jubako.cli.options import FILTER, TEXT, Arguments, Option
from jubako.spec.filters import check_keys, matches_label

if TYPE_CHECKING:
    from jubako.engine.events import Event

_KEYS = ("container", "event", "image", "label", "network", "type", "volume")


def run(call: Call, arguments: Arguments) -> int:
    events = call.engine.events(
        since_ns=times.since(arguments.text("since"), "since"),
        until_ns=times.since(arguments.text("until"), "until"),
        accept=accepting(filters(arguments.pairs("filter"))),
    )
    show = _shower(arguments.text("format"))
    for event in events:
        call.line(show(event))
    return 0


def accepting(wanted: Mapping[str, Sequence[str]]) -> Callable[[Event], bool]:
    """Whether an event passes the filters: any value of each key. Raises InvalidArgument for an unknown key."""
    check_keys(wanted, _KEYS)

    def accept(event: Event) -> bool:
        return all(any(_matches(event, key, text) for text in texts) for key, texts in wanted.items())

    return accept


def _matches(event: Event, key: str, text: str) -> bool:
    match key:
        case "type":
            return event.type == text
        case "event":
            return event.action == text or event.action.partition(":")[0] == text
        case "label":
            return matches_label(event.attributes, text)
        case "image" if event.type == "container":
            return event.attributes.get("image") == text
    return event.type == key and (event.id.startswith(text) or event.attributes.get("name") == text)


def _shower(format: str) -> Callable[[Event], str]:
    if format == "json":
        import json

        return lambda event: json.dumps(event.to_docker(), ensure_ascii=False, separators=(",", ":"))
    if not format:
        return _line
    template = parse(format)
    return lambda event: evaluate(template, _record(event))


def _line(event: Event) -> str:
    attributes = ", ".join(f"{key}={value}" for key, value in sorted(event.attributes.items()))
    return f"{times.rfc3339_nano(event.time_ns)} {event.type} {event.action} {event.id} ({attributes})"


def _record(event: Event) -> Record:
    """The fields under the names of Docker's Go struct."""
    message: dict[str, Any] = event.to_docker()
    return Record(
        {
            "Type": event.type,
            "Action": event.action,
            "Actor": Record({"ID": event.id, "Attributes": event.attributes}),
            "ID": event.id,
            "Status": message.get("status", event.action),
            "From": message.get("from", ""),
            "Scope": "local",
            "Time": event.time_ns // 1_000_000_000,
            "TimeNano": event.time_ns,
        }
    )


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("filter", "f", FILTER, "Filter output based on conditions provided"),
        Option("format", "", TEXT, FORMAT_ONE.help),
        Option("since", "", TEXT, "Show all events created since timestamp"),
        Option("until", "", TEXT, "Stream events until this timestamp"),
    ),
)
