"""Options of the command line. One table; argparse would cost a third of the whole start."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jubako.errors import InvalidArgument

GLOBAL = {
    "root": "value",
    "log": "value",
    "log-format": "value",
    "criu": "value",
    "rootless": "value",
    "debug": "flag",
    "systemd-cgroup": "flag",
    "version": "flag",
    "help": "flag",
}

_CREATION = {
    "bundle": "value",
    "console-socket": "value",
    "pid-file": "value",
    "preserve-fds": "value",
    "no-pivot": "flag",
    "no-new-keyring": "flag",
}

COMMANDS: dict[str, dict[str, str]] = {
    "create": _CREATION,
    "run": {**_CREATION, "detach": "flag", "keep": "flag", "no-subreaper": "flag"},
    "start": {},
    "state": {},
    "kill": {"all": "flag"},
    "delete": {"force": "flag"},
    "pause": {},
    "resume": {},
    "ps": {"format": "value"},
    "update": {
        "resources": "value",
        "blkio-weight": "value",
        "cpu-period": "value",
        "cpu-quota": "value",
        "cpu-burst": "value",
        "cpu-share": "value",
        "cpu-idle": "value",
        "cpu-rt-period": "value",
        "cpu-rt-runtime": "value",
        "cpuset-cpus": "value",
        "cpuset-mems": "value",
        "memory": "value",
        "memory-reservation": "value",
        "memory-swap": "value",
        "kernel-memory": "value",
        "kernel-memory-tcp": "value",
        "pids-limit": "value",
        "l3-cache-schema": "value",
        "mem-bw-schema": "value",
    },
    "events": {"stats": "flag", "interval": "value"},
    "features": {},
    "list": {"format": "value", "quiet": "flag"},
    "spec": {"bundle": "value", "rootless": "flag"},
    "exec": {
        "console-socket": "value",
        "cwd": "value",
        "env": "list",
        "tty": "flag",
        "user": "value",
        "additional-gids": "list",
        "process": "value",
        "detach": "flag",
        "pid-file": "value",
        "cap": "list",
        "no-new-privs": "flag",
        "preserve-fds": "value",
        "ignore-paused": "flag",
        "cgroup": "value",
        "process-label": "value",
        "apparmor": "value",
    },
}
_SHORT = {
    "b": "bundle",
    "d": "detach",
    "e": "env",
    "f": "force",
    "t": "tty",
    "u": "user",
    "p": "process",
    "c": "cap",
    "g": "additional-gids",
    "q": "quiet",
    "a": "all",
    "r": "resources",
    "v": "version",
    "h": "help",
}


class Arguments(msgspec.Struct):
    """`common` and `options` hold what was given, by long name; a list option holds all its values."""

    common: dict[str, str] = {}
    command: str = ""
    options: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    words: list[str] = []

    def option(self, name: str, default: str = "") -> str:
        return self.options.get(name, default)

    def given(self, name: str) -> bool:
        return self.options.get(name, "false") not in ("false", "")

    def the_id(self) -> str:
        if not self.words:
            raise InvalidArgument(f"{self.command}: the container's id is missing")
        return self.words[0]


def parse(argv: Sequence[str]) -> Arguments:
    """Split into global options, command, its options, and words. Options end at the first word."""
    found = Arguments()
    rest = _take(list(argv), GLOBAL, found.common, found.lists)
    if not rest:
        return found
    found.command = rest.pop(0)
    if found.command not in COMMANDS:
        raise InvalidArgument(f"unknown command: {found.command}")
    table = COMMANDS[found.command]
    found.words = _take(rest, table, found.options, found.lists)
    if found.command not in ("exec", "ps"):  # runc takes options after the id, too
        name, found.words = found.words[:1], _take(found.words[1:], table, found.options, found.lists)
        found.words = name + found.words
    return found


def _take(rest: list[str], table: dict[str, str], options: dict[str, str], lists: dict[str, list[str]]) -> list[str]:
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        name, equals, value = word.lstrip("-").partition("=")
        name = _SHORT.get(name, name) if name not in table else name
        kind = table.get(name)
        if not kind:
            raise InvalidArgument(f"flag provided but not defined: {word}")
        if kind == "flag":
            options[name] = value if equals else "true"
            continue
        if not equals:
            if not rest:
                raise InvalidArgument(f"flag needs an argument: {word}")
            value = rest.pop(0)
        if kind == "list":
            lists.setdefault(name, []).append(value)
        options[name] = value
    return rest
