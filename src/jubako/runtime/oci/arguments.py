"""The command line's options, as tables; argparse would cost a third of the whole start. What they mean: help.py."""

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
    "pidfd-socket": "value",
    "preserve-fds": "value",
    "no-pivot": "flag",
    "no-new-keyring": "flag",
}

_CHECKPOINT = {
    "image-path": "value",
    "work-path": "value",
    "tcp-established": "flag",
    "ext-unix-sk": "flag",
    "shell-job": "flag",
    "lazy-pages": "flag",
    "file-locks": "flag",
    "manage-cgroups-mode": "value",
    "empty-ns": "list",
    "auto-dedup": "flag",
}

COMMANDS: dict[str, dict[str, str]] = {
    "checkpoint": {
        **_CHECKPOINT,
        "parent-path": "value",
        "leave-running": "flag",
        "status-fd": "value",
        "page-server": "value",
        "pre-dump": "flag",
    },
    "create": _CREATION,
    "delete": {"force": "flag"},
    "events": {"stats": "flag", "interval": "value"},
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
        "pidfd-socket": "value",
        "process-label": "value",
        "apparmor": "value",
        "no-new-privs": "flag",
        "cap": "list",
        "preserve-fds": "value",
        "cgroup": "list",
        "ignore-paused": "flag",
    },
    "features": {},
    "kill": {"all": "flag"},
    "list": {"format": "value", "quiet": "flag"},
    "pause": {},
    "ps": {"format": "value"},
    "restore": {
        **_CHECKPOINT,
        "bundle": "value",
        "console-socket": "value",
        "detach": "flag",
        "pid-file": "value",
        "no-subreaper": "flag",
        "no-pivot": "flag",
        "lsm-profile": "value",
        "lsm-mount-context": "value",
    },
    "resume": {},
    "run": {**_CREATION, "detach": "flag", "keep": "flag", "no-subreaper": "flag"},
    "spec": {"bundle": "value", "rootless": "flag"},
    "start": {},
    "state": {},
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
}

_COUNTS = {"exec": (1, None), "features": (0, 0), "kill": (1, 2), "list": (0, 0), "ps": (1, None), "spec": (0, 0)}
"""How many words a command takes; the others take the container's id alone."""

SHORT = {
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
_FORMATS = ("list", "ps")
"""Commands whose -f is --format."""


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

    def wants_help(self) -> bool:
        return "help" in self.common or not self.command

    def the_id(self) -> str:
        return self.words[0]


def parse(argv: Sequence[str], found: Arguments) -> None:
    """Split into global options, command, its options, and words, into `found`: what was read before an error stays.

    Options may stand behind words, too, but for exec and ps, whose words have options of their own. Global options
    are taken everywhere.
    """
    rest = list(argv)
    _take_options(rest, found)
    if not rest:
        return
    found.command = rest.pop(0)
    if found.command in ("help", "h"):
        found.common["help"], found.command = "true", "".join(rest[:1])
    if found.command and found.command not in COMMANDS:
        raise InvalidArgument(f"No help topic for '{found.command}'")
    while rest:
        last = _take_options(rest, found) or found.command in ("exec", "ps")
        found.words += rest if last else rest[:1]
        del rest[: len(rest) if last else 1]


def _take_options(rest: list[str], found: Arguments) -> bool:
    """Take them from the front of `rest`; whether `--` ended them."""
    while rest and rest[0].startswith("-") and not rest[0][1:].isdecimal() and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            return True
        name, equals, value = word.lstrip("-").partition("=")
        name, kind, options = _find(name, found, word)
        if kind == "flag":
            options[name] = value if equals else "true"
            continue
        if not equals and not rest:
            raise InvalidArgument(f"flag needs an argument: {word}")
        options[name] = value if equals else rest.pop(0)
        if kind == "list":
            found.lists.setdefault(name, []).append(options[name])
    return False


def _find(name: str, found: Arguments, word: str) -> tuple[str, str, dict[str, str]]:
    """An option's long name, its kind, and where its value goes."""
    own = COMMANDS.get(found.command, {})
    if name == "f" and found.command in _FORMATS:
        name = "format"
    for table, options in ((own, found.options), (GLOBAL, found.common)):
        for candidate in (name, SHORT.get(name, name)):
            if candidate in table:
                return candidate, table[candidate], options
    raise InvalidArgument(f"flag provided but not defined: {word}")


def check_count(found: Arguments) -> None:
    """Raises InvalidArgument for too few or too many words."""
    least, most = _COUNTS.get(found.command, (1, 1))
    count = len(found.words)
    if least <= count and (most is None or count <= most):
        return
    if least == most:
        wanted = f"exactly {least}"
    else:
        wanted = f"a minimum of {least}" if count < least else f"a maximum of {most}"
    raise InvalidArgument(f'"{found.command}" requires {wanted} argument(s)')
