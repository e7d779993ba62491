"""`jubako-oci`: the OCI runtime command line. What each command does stands in jubako.runtime.oci."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from typing import TYPE_CHECKING

import msgspec

from jubako.errors import FailedPrecondition, InvalidArgument, JubakoError
from jubako.runtime.oci import arguments as parsing
from jubako.runtime.oci.arguments import Arguments
from jubako.runtime.oci.containers import OCI_VERSION, Container, Containers
from jubako.runtime.oci.log import Log

if TYPE_CHECKING:  # most commands need less than that
    from jubako.runtime.oci.lifecycle import Creation


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code. Errors go to standard error, and to --log as its format says."""
    arguments, log = Arguments(), Log()
    try:
        parsing.parse(sys.argv[1:] if argv is None else argv, arguments)
        given = arguments.common
        log = Log(given.get("log", ""), given.get("log-format", "text"), verbose="debug" in given)
        return _dispatch(arguments, log)
    except (JubakoError, OSError, ValueError) as error:
        log.error(_text_of(error))
    # The program of an exec has codes of its own, so that a failure of ours has one that few programs use.
    return 255 if arguments.command == "exec" and arguments.words else 1


def _text_of(error: Exception) -> str:
    """An operating system's error reads as in runc's messages, in which callers look for the words."""
    if isinstance(error, OSError) and error.strerror:
        from jubako.linux import required

        name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
        reason = error.strerror.lower() + required.explanation(error.errno)
        return f"{name}: {reason}" if name else reason
    return error.message if isinstance(error, JubakoError) else str(error)


def _dispatch(arguments: Arguments, log: Log) -> int:
    if "version" in arguments.common:
        return _version()
    if arguments.wants_help():
        from jubako.runtime.oci import help

        return _print(help.text(arguments.command))
    parsing.check_count(arguments)
    containers = Containers(arguments.common.get("root") or _default_root())
    log.debug(f"{arguments.command} {' '.join(arguments.words)}, root {containers.root}")
    match arguments.command:
        case "spec":
            return _spec(arguments)
        case "list":
            from jubako.runtime.oci import listing

            return _print(listing.text(containers, arguments, log))
        case "features":
            return _features()
        case "state":
            return _state(containers.load(arguments.the_id()))
        case _:
            return _change(containers, arguments, log)


def _state(container: Container) -> int:
    from jubako.runtime.oci import listing

    return _print(msgspec.json.format(msgspec.json.encode(listing.document(container)), indent=2).decode() + "\n")


def _version() -> int:
    from jubako import __version__

    return _print(f"jubako-oci version {__version__}\nspec: {OCI_VERSION}\n")


def _change(containers: Containers, arguments: Arguments, log: Log) -> int:
    from jubako.runtime.oci import ending, lifecycle

    name = arguments.the_id()
    match arguments.command:
        case "create":
            lifecycle.create(containers, _creation(arguments, log))
        case "run":
            asked = _creation(arguments, log)
            return lifecycle.run(containers, asked, detach=arguments.given("detach"), keep=arguments.given("keep"))
        case "start":
            lifecycle.start(containers.load(name))
        case "kill":
            number = _signal("".join(arguments.words[1:]) or "SIGTERM")
            ending.kill(containers.load(name), number, everything=arguments.given("all"))
        case "delete":
            _delete(containers, name, force=arguments.given("force"))
        case "exec":
            from jubako.runtime.oci.execution import execute

            return execute(containers.load(name), arguments, log)
        case "restore":
            from jubako.runtime.oci.restore import restore

            return restore(containers, _creation(arguments, log), arguments)
        case _:
            return _control(containers, name, arguments)
    return 0


def _control(containers: Containers, name: str, arguments: Arguments) -> int:
    from jubako.runtime.oci import control

    container = containers.load(name)
    match arguments.command:
        case "checkpoint":
            from jubako.runtime.oci.checkpoint import checkpoint

            checkpoint(container, arguments)
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
    from jubako.runtime.oci import ending

    try:
        container = containers.load(name)
    except NotFound:
        if force:
            return
        raise
    ending.delete(container, force=force)


def _creation(arguments: Arguments, log: Log) -> Creation:
    from jubako.runtime.oci.lifecycle import Creation

    return Creation(
        arguments.the_id(),
        arguments.option("bundle"),
        log,
        console_socket=arguments.option("console-socket"),
        pid_file=arguments.option("pid-file"),
        pidfd_socket=arguments.option("pidfd-socket"),
        preserve_fds=arguments.option("preserve-fds", "0"),
        pivot=not arguments.given("no-pivot"),
        keyring=not arguments.given("no-new-keyring"),
        systemd=arguments.common.get("systemd-cgroup", "false") != "false",
    )


def _signal(text: str) -> int:
    import signal

    if text.isascii() and text.isdecimal():
        number = int(text)
    else:
        name = text.upper() if text.upper().startswith("SIG") else f"SIG{text.upper()}"
        number = int(getattr(signal, name, -1))
    if not 0 <= number < 65:
        raise InvalidArgument(f'unknown signal "{text}"')
    return number


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
    from jubako.runtime.oci import features

    return _print(msgspec.json.format(msgspec.json.encode(features.document()), indent=2).decode() + "\n")


def _default_root() -> str:
    if os.geteuid() == 0:
        return "/run/jubako-oci"
    base = os.environ.get("XDG_RUNTIME_DIR") or _own_directory(f"/tmp/jubako-oci-{os.geteuid()}")
    return os.path.join(base, "jubako-oci")


def _own_directory(path: str) -> str:
    """Where others may write, too: what they would put into our containers' state (hooks) runs as us."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise FailedPrecondition(f"{path} is not a directory of this user alone: set XDG_RUNTIME_DIR or --root")
    return path


def _print(text: str) -> int:
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0
