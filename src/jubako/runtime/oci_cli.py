"""`jubako-oci`: the OCI runtime command line. What each command does stands in jubako.runtime.oci."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from jubako.errors import InvalidArgument, JubakoError
from jubako.runtime.oci.arguments import COMMANDS, Arguments, parse
from jubako.runtime.oci.containers import Containers

if TYPE_CHECKING:  # most commands need less than that
    from jubako.runtime.oci.lifecycle import Creation

_VERSION = "jubako-oci version 0.1.0\nspec: 1.2.0\n"


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code. Errors go to standard error, and to --log as its format says."""
    arguments = Arguments()
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        return _dispatch(arguments)
    except (JubakoError, OSError, ValueError) as error:
        _report(arguments, error.message if isinstance(error, JubakoError) else str(error))
        return 1


def _dispatch(arguments: Arguments) -> int:
    if "version" in arguments.common:
        return _print(_VERSION)
    if not arguments.command or "help" in arguments.common:
        return _print(f"usage: jubako-oci [--root DIR] [--log FILE] COMMAND\ncommands: {', '.join(COMMANDS)}\n")
    containers = Containers(arguments.common.get("root") or _default_root())
    match arguments.command:
        case "spec":
            return _spec(arguments)
        case "list":
            return _list(containers, arguments)
        case "features":
            return _features()
        case "state":
            return _print(containers.load(arguments.the_id()).state().decode() + "\n")
        case _:
            return _change(containers, arguments)


def _change(containers: Containers, arguments: Arguments) -> int:
    from jubako.runtime.oci import lifecycle

    name = arguments.the_id()
    match arguments.command:
        case "create":
            lifecycle.create(containers, _creation(arguments))
        case "run":
            asked = _creation(arguments)
            return lifecycle.run(containers, asked, detach=arguments.given("detach"), keep=arguments.given("keep"))
        case "start":
            lifecycle.start(containers.load(name))
        case "kill":
            number = _signal(arguments.words[1] if len(arguments.words) > 1 else "SIGTERM")
            lifecycle.kill(containers.load(name), number, everything=arguments.given("all"))
        case "delete":
            _delete(containers, name, force=arguments.given("force"))
        case "exec":
            from jubako.runtime.oci.execution import execute

            return execute(containers.load(name), arguments)
        case _:
            return _control(containers, name, arguments)
    return 0


def _control(containers: Containers, name: str, arguments: Arguments) -> int:
    from jubako.runtime.oci import control

    container = containers.load(name)
    match arguments.command:
        case "pause":
            control.pause(container)
        case "resume":
            control.resume(container)
        case "ps":
            return _print(control.processes(container, arguments))
        case "update":
            from jubako.runtime.oci.update import update

            update(container, arguments)
        case "events":
            from jubako.runtime.oci.events import events

            events(container, arguments)
    return 0


def _delete(containers: Containers, name: str, *, force: bool) -> None:
    from jubako.errors import NotFound
    from jubako.runtime.oci import lifecycle

    try:
        container = containers.load(name)
    except NotFound:
        if force:
            return
        raise
    lifecycle.delete(container, force=force)


def _creation(arguments: Arguments) -> Creation:
    from jubako.runtime.oci.lifecycle import Creation

    if arguments.option("preserve-fds", "0") != "0":
        raise InvalidArgument("--preserve-fds is not supported yet")
    return Creation(
        arguments.the_id(),
        arguments.option("bundle"),
        console_socket=arguments.option("console-socket"),
        pid_file=arguments.option("pid-file"),
    )


def _signal(text: str) -> int:
    import signal

    if text.isdecimal():
        number = int(text)
    else:
        name = text.upper() if text.upper().startswith("SIG") else f"SIG{text.upper()}"
        number = getattr(signal, name, 0)
    if not 0 < number < 65:
        raise InvalidArgument(f"unknown signal {text!r}")
    return number


def _list(containers: Containers, arguments: Arguments) -> int:
    import msgspec

    found = containers.all()
    if arguments.given("quiet"):
        return _print("".join(f"{container.record.id}\n" for container in found))
    if arguments.option("format") == "json":
        states = [msgspec.json.decode(container.state()) for container in found]
        return _print(msgspec.json.encode(states or None).decode())
    rows = [("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER")]
    for container in found:
        record, status = container.record, container.status()
        pid = str(record.pid if status in ("created", "running", "paused") else 0)
        rows.append((record.id, pid, status, record.bundle, record.created, _owner(container.directory)))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return _print("".join(f"{line}\n" for line in lines))


def _owner(path: str) -> str:
    import pwd

    uid = os.stat(path).st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def _spec(arguments: Arguments) -> int:
    from jubako.runtime.oci.example import specification
    from jubako.spec import oci_runtime

    path = os.path.join(arguments.option("bundle") or ".", "config.json")
    if os.path.exists(path):
        raise InvalidArgument(f"file {path} exists. Remove it first")
    with open(path, "wb") as file:
        file.write(oci_runtime.encode(specification(rootless=arguments.given("rootless"))) + b"\n")
    return 0


def _features() -> int:
    import msgspec

    from jubako.runtime.oci import features

    return _print(msgspec.json.format(msgspec.json.encode(features.document()), indent=2).decode() + "\n")


def _default_root() -> str:
    if os.geteuid() == 0:
        return "/run/jubako-oci"
    return os.path.join(os.environ.get("XDG_RUNTIME_DIR") or f"/tmp/jubako-oci-{os.geteuid()}", "jubako-oci")


def _print(text: str) -> int:
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


def _report(arguments: Arguments, message: str) -> None:
    sys.stderr.write(f"jubako-oci: {message}\n")
    path = arguments.common.get("log")
    if not path:
        return
    import json
    import time

    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    as_json = arguments.common.get("log-format") == "json"
    line = json.dumps({"level": "error", "msg": message, "time": now})
    with open(path, "a") as file:
        file.write(f"{line}\n" if as_json else f'time="{now}" level=error msg={json.dumps(message)}\n')
