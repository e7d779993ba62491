"""The `jubako` command: find the command, parse its options, run it, and turn what goes wrong into a message.

`main` imports nothing but the one command's file (and what that needs); the tables are in `catalog`, the rules of
options in `options`, the wording and exit codes of failures in `failure`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jubako.cli import catalog
from jubako.cli.call import Call, Opener, Streams
from jubako.cli.options import FLAG, TEXT, Arguments, Option, UnknownCommand, parse

if TYPE_CHECKING:
    from jubako.cli.command import Command
    from jubako.engine import Engine

GLOBAL_OPTIONS = (
    Option("debug", "D", FLAG, "Show the traceback of unexpected errors"),
    Option("root", "", TEXT, "Directory of all lasting state (JUBAKO_ROOT)"),
    Option("run-root", "", TEXT, "Directory of the state of running containers (JUBAKO_RUN_ROOT)"),
    Option("version", "v", FLAG, "Print version information and quit"),
)


def open_engine(root: str | None, run_root: str | None, builds: bool) -> Engine:
    """What `main` opens where it is not told otherwise."""
    if builds:
        from jubako.python import Engine as BuildingEngine

        return BuildingEngine(root, run_root)
    from jubako.engine import Engine

    return Engine(root, run_root)


def main(
    argv: Sequence[str], *, streams: Streams | None = None, opener: Opener = open_engine, ending: bool = False
) -> int:
    """Run one command line (without the program's name) and return its exit code; nothing is raised.

    `ending` says that this process ends with it, and need not be left tidy.
    """
    call = Call(streams or Streams(), opener)
    try:
        return _dispatch(call, argv)
    except BaseException as error:
        # The one edge where failures of every kind become a message and an exit code.
        from jubako.cli import failure

        return failure.report(call, error)
    finally:
        call.close(ending=ending)


def _dispatch(call: Call, argv: Sequence[str]) -> int:
    options = parse(GLOBAL_OPTIONS, argv, interspersed=False)
    call.debug = options.flag("debug")
    call.root, call.run_root = options.optional("root"), options.optional("run-root")
    if options.flag("version"):
        from jubako import __version__

        call.line(f"jubako version {__version__}")
        return 0
    words = options.operands
    asks_help = options.flag("help")
    if words[:1] == ["help"]:
        words, asks_help = words[1:], True
    return _find(call, words, asks_help=asks_help)


def _find(call: Call, words: list[str], *, asks_help: bool) -> int:
    """Walk the words that name the command, print help for a group, or run the command."""
    if not words:
        return _help(call, asked=asks_help)
    name, rest = words[0], words[1:]
    if name in catalog.COMMANDS or name in catalog.HIDDEN:
        return _run(call, name, name, ["--help"] if asks_help else rest)
    if name not in catalog.GROUPS:
        raise UnknownCommand(f"jubako {name}", (*catalog.COMMANDS, *catalog.subgroups("")))
    call.path = name
    options = parse((), rest, interspersed=False)
    if not options.operands:
        return _help(call, name, asked=asks_help or options.flag("help"))
    member, *rest = options.operands
    if f"{name} {member}" in catalog.GROUPS:
        return _find(call, [f"{name} {member}", *rest], asks_help=asks_help)
    command = catalog.in_group(name, member)
    if command is None:
        raise UnknownCommand(f"jubako {name} {member}", (*catalog.GROUPS[name][1], *catalog.subgroups(name)))
    return _run(call, command, f"{name} {member}", ["--help"] if asks_help else rest)


def _help(call: Call, group: str = "", *, asked: bool) -> int:
    """Show which commands there are: as output when asked for, as a message when a command is missing."""
    from jubako.cli import usage

    text = usage.group(group) if group else usage.overview(GLOBAL_OPTIONS)
    if asked:
        call.out(text)
    else:
        call.error(text.rstrip("\n"))
    return 0


def load(name: str) -> Command:
    """Import the file of one command of the catalog."""
    module = __import__(catalog.module_name(name), fromlist=["COMMAND"])
    command: Command = module.COMMAND
    return command


def _run(call: Call, name: str, path: str, words: list[str]) -> int:
    call.path = path
    command = load(name)
    command = (command.kin and command.kin(words)) or command
    call.usage_lines = command.usage_lines
    arguments: Arguments = parse(command.options, words, interspersed=command.interspersed)
    if arguments.flag("help"):
        from jubako.cli import usage

        call.out(usage.command(name, path, command))
        return 0
    command.operands.check(len(arguments.operands), f"jubako {path}")
    return command.run(call, arguments)
