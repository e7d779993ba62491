from __future__ import annotations

import pytest

from jubako import cli
from jubako.cli import catalog
from jubako.cli.options import parse

EVERY = [*catalog.COMMANDS, *catalog.GROUP_COMMANDS, *catalog.HIDDEN]


@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_a_file_and_help(call, name):
    path = catalog.places(name)[0].split() if catalog.places(name) else [name]
    ended = call(*path, "--help")
    assert ended.code == 0
    assert ended.err == ""
    assert ended.out.startswith(f"Usage:  jubako {' '.join(path)}")
    assert catalog.summary(name) in ended.out


@pytest.mark.parametrize("name", EVERY)
def test_option_tables_are_sound(name):
    options = cli.load(name).options
    names = [option.name for option in options]
    shorts = [option.short for option in options if option.short]
    assert len(names) == len(set(names))
    assert len(shorts) == len(set(shorts))


def test_every_command_of_a_group_is_in_the_catalog():
    for _, members in catalog.GROUPS.values():
        for command in members.values():
            assert catalog.summary(command)


def test_the_overview_names_every_command_and_group(call):
    out = call("--help").out
    assert call("help").out == out
    assert call() == (0, "", out)
    for name in (*catalog.COMMANDS, *catalog.subgroups("")):
        assert f"\n  {name} " in out


def test_a_group_alone_shows_its_commands(call):
    ended = call("network", "--help")
    assert ended.code == 0
    assert call("network") == (0, "", ended.out)
    assert "\n  prune       Remove all unused networks\n" in ended.out


def test_help_wraps_at_eighty_columns(call):
    for line in call("run", "--help").out.splitlines():
        assert len(line) <= 80


def test_examples_of_help_are_command_lines_that_parse():
    given = [(name, example.split()) for name in EVERY for example in cli.load(name).examples]
    assert given
    for name, words in given:
        path = next(place.split() for place in catalog.places(name) if words[: len(place.split())] == place.split())
        table = cli.load(name)
        parsed = parse(table.options, words[len(path) :], interspersed=table.interspersed)
        table.operands.check(len(parsed.operands), name)


def test_help_is_reached_by_the_help_command_too(call):
    assert call("help", "container", "ls").out == call("container", "ls", "--help").out


def test_version_is_printed(call):
    assert call("--version").out.startswith("jubako version ")


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["foo"], 1, "jubako: unknown command: jubako foo\n\nRun 'jubako --help' for more information\n"),
        (
            ["container", "foo"],
            1,
            "jubako: unknown command: jubako container foo\n\nUsage:  jubako container\n\n"
            "Run 'jubako container --help' for more information\n",
        ),
        (
            ["ps", "--nosuch"],
            125,
            "unknown flag: --nosuch\n\nUsage:  jubako ps [OPTIONS]\n\nRun 'jubako ps --help' for more information\n",
        ),
        (
            ["run", "-zx", "a"],
            125,
            "unknown shorthand flag: 'z' in -zx\n\nUsage:  jubako run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\n"
            "Run 'jubako run --help' for more information\n",
        ),
        (
            ["rm"],
            1,
            "jubako: 'jubako rm' requires at least 1 argument\n\n"
            "Usage:  jubako rm [OPTIONS] CONTAINER [CONTAINER...]\n\n"
            "See 'jubako rm --help' for more information\n",
        ),
        (
            ["container", "ls", "x"],
            1,
            "jubako: 'jubako container ls' accepts no arguments\n\nUsage:  jubako container ls [OPTIONS]\n\n"
            "Run 'jubako container ls --help' for more information\n",
        ),
        (
            ["port"],
            1,
            "jubako: 'jubako port' requires at least 1 and at most 2 arguments\n\n"
            "Usage:  jubako port CONTAINER [PRIVATE_PORT[/PROTO]]\n\nRun 'jubako port --help' for more information\n",
        ),
        (
            ["--foo"],
            125,
            "unknown flag: --foo\n\nUsage:  jubako [OPTIONS] COMMAND [ARG...]\n\n"
            "Run 'jubako --help' for more information\n",
        ),
        (
            ["rn", "busybox"],
            1,
            "jubako: unknown command: jubako rn (did you mean run?)\n\nRun 'jubako --help' for more information\n",
        ),
        (
            ["image", "lst"],
            1,
            "jubako: unknown command: jubako image lst (did you mean ls?)\n\nUsage:  jubako image\n\n"
            "Run 'jubako image --help' for more information\n",
        ),
        (
            ["ps", "--filtre", "a=b"],
            125,
            "unknown flag: --filtre (did you mean --filter?)\n\nUsage:  jubako ps [OPTIONS]\n\n"
            "Run 'jubako ps --help' for more information\n",
        ),
    ],
)
def test_wrong_command_lines_are_answered_as_docker_does(call, argv, code, message):
    ended = call(*argv)
    assert ended == (code, "", message)


def test_root_and_run_root_reach_the_engine():
    seen = []

    def opener(root, run_root, builds):
        seen.append((root, run_root, builds))
        raise OSError(2, "No such file or directory", "/r")

    code = cli.main(["--root", "/r", "--run-root=/x", "ps"], opener=opener)
    assert seen == [("/r", "/x", False)]
    assert code == 1


def test_an_unexpected_error_is_one_line_and_a_traceback_with_debug(call):
    plain = call("ps", engine=Broken())
    assert plain.code == 1
    assert plain.err == "Error: internal error: ZeroDivisionError: oops (jubako --debug shows where)\n"
    assert "Traceback" in call("--debug", "ps", engine=Broken()).err


class Broken:
    def close(self) -> None:
        pass

    @property
    def containers(self) -> object:
        raise ZeroDivisionError("oops")
