"""Help, generated from the tables and laid out as Docker's (Go's pflag wraps at 80 columns)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jubako.cli import catalog
from jubako.cli.command import Command
from jubako.cli.options import FLAG, Option

_COLUMNS = 80
_SLOP = 5


def overview(options: Sequence[Option]) -> str:
    """What `jubako --help` prints."""
    others = [name for name in catalog.COMMANDS if name not in catalog.COMMON]
    sections = [
        "Usage:  jubako [OPTIONS] COMMAND\n\nThe whole life of a container\n",
        _section("Common Commands", {name: catalog.summary(name) for name in catalog.COMMON}),
        _section("Management Commands", catalog.subgroups("")),
        _section("Commands", {name: catalog.summary(name) for name in others}),
        f"Global Options:\n{flags(options)}",
        "Run 'jubako COMMAND --help' for more information on a command.\n",
    ]
    return "\n".join(sections)


def group(name: str) -> str:
    """What `jubako GROUP` prints."""
    summary, members = catalog.GROUPS[name]
    own = {member: catalog.summary(command) for member, command in members.items()}
    rows = dict(sorted({**own, **catalog.subgroups(name)}.items()))
    return (
        f"Usage:  jubako {name} COMMAND\n\n{summary}\n\n{_section('Commands', rows)}\n"
        f"Run 'jubako {name} COMMAND --help' for more information on a command.\n"
    )


def _section(title: str, rows: dict[str, str]) -> str:
    width = max(len(name) for name in rows)
    return f"{title}:\n" + "".join(f"  {name:<{max(width, 11)}} {text}\n" for name, text in rows.items())


def command(name: str, path: str, table: Command) -> str:
    """What `jubako COMMAND --help` prints."""
    text = f"Usage:  {table.usage_lines(f'jubako {path}')}\n\n{catalog.summary(name)}\n"
    if table.details:
        text += f"\n{table.details}\n"
    places = catalog.places(name)
    if len(places) > 1:
        text += "\nAliases:\n  " + ", ".join(f"jubako {place}" for place in places) + "\n"
    shown = [option for option in table.options if not option.hidden]
    if shown:
        text += f"\nOptions:\n{flags(shown)}"
    if table.examples:
        text += "\nExamples:\n" + "".join(f"  jubako {example}\n" for example in table.examples)
    return text


def flags(options: Iterable[Option]) -> str:
    rows = [(_head(option), option) for option in sorted(options, key=lambda option: option.name)]
    width = max(len(head) for head, _ in rows) + 1
    return "".join(f"{head:<{width}}  {_wrap(width + 2, _describe(option))}\n" for head, option in rows)


def _head(option: Option) -> str:
    start = f"  -{option.short}, --{option.name}" if option.short else f"      --{option.name}"
    return f"{start} {option.kind.label}" if option.kind.label else start


def _describe(option: Option) -> str:
    match option.default:
        case None | False | 0 | "":
            return option.help
        case True if option.kind is FLAG:
            return f"{option.help} (default true)"
        case str():
            return f'{option.help} (default "{option.default}")'
        case _:
            return f"{option.help} (default {option.default})"


def _wrap(indent: int, text: str) -> str:
    room = _COLUMNS - indent - _SLOP
    lines = []
    while text:
        line, text = _split(room, text)
        lines.append(line)
    return "\n".join(lines).replace("\n", "\n" + " " * indent)


def _split(room: int, text: str) -> tuple[str, str]:
    """The first line, and the rest; a short last word may go past `room`."""
    if room + _SLOP > len(text):
        return text, ""
    head = text[:room]
    cut = max(head.rfind(mark) for mark in " \t\n")
    if cut <= 0:
        return text, ""
    newline = head.rfind("\n")
    if 0 < newline < cut:
        cut = newline
    return text[:cut], text[cut + 1 :]
