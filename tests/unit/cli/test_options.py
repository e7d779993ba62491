from __future__ import annotations

import pytest

from jubako.cli.options import CPUS, FILTER, FLAG, INT, LIST, SIZE, STRINGS, TEXT, Arguments, Option, UsageError, parse

TABLE = (
    Option("interactive", "i", FLAG, ""),
    Option("tty", "t", FLAG, ""),
    Option("rm", "", FLAG, ""),
    Option("sig-proxy", "", FLAG, "", True),
    Option("env", "e", LIST, ""),
    Option("name", "", TEXT, ""),
    Option("memory", "m", SIZE, ""),
    Option("cpus", "", CPUS, ""),
    Option("last", "n", INT, "", -1),
    Option("filter", "f", FILTER, ""),
    Option("alias", "", STRINGS, ""),
)


def run(*argv: str, interspersed: bool = True) -> Arguments:
    return parse(TABLE, argv, interspersed=interspersed)


def test_short_booleans_cluster():
    arguments = run("-it", "busybox")
    assert arguments.flag("interactive")
    assert arguments.flag("tty")
    assert arguments.operands == ["busybox"]


@pytest.mark.parametrize("argv", [["--env", "A=b=c"], ["--env=A=b=c"], ["-e", "A=b=c"], ["-eA=b=c"], ["-e=A=b=c"]])
def test_every_spelling_of_a_value_means_the_same(argv):
    assert run(*argv).texts("env") == ["A=b=c"]


def test_a_cluster_may_end_in_an_option_with_a_value():
    arguments = run("-ite", "A=1", "x")
    assert arguments.texts("env") == ["A=1"]
    assert arguments.operands == ["x"]


def test_lists_collect_and_strings_split_at_commas():
    assert run("-e", "A=1", "--env", "B=2,3").texts("env") == ["A=1", "B=2,3"]
    assert run("--alias", "a,b", "--alias=c").texts("alias") == ["a", "b", "c"]


def test_booleans_take_a_value_only_after_an_equals_sign():
    assert not run("--rm=false").flag("rm")
    assert not run("--sig-proxy=0").flag("sig-proxy")
    assert run("--rm", "false").operands == ["false"]


def test_defaults_hold_when_nothing_is_given():
    arguments = run()
    assert arguments.flag("sig-proxy")
    assert arguments.number("last") == -1
    assert arguments.optional("name") is None
    assert not arguments.given("name")


def test_an_empty_text_is_given():
    assert run("--name=").optional("name") == ""


def test_options_stop_at_the_first_operand_when_not_interspersed():
    assert run("x", "-it", interspersed=False).operands == ["x", "-it"]
    assert run("-i", "x", "--", "-t", interspersed=False).operands == ["x", "--", "-t"]


def test_two_dashes_end_the_options():
    assert run("-i", "--", "-t", "x").operands == ["-t", "x"]


def test_a_single_dash_is_an_operand():
    assert run("-", "-i").operands == ["-"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--nosuch"], "unknown flag: --nosuch"),
        (["-zx"], "unknown shorthand flag: 'z' in -zx"),
        (["-iz"], "unknown shorthand flag: 'z' in -z"),
        (["--memory"], "flag needs an argument: --memory"),
        (["-m"], "flag needs an argument: 'm' in -m"),
        (["--=x"], "bad flag syntax: --=x"),
        (["--memory=zz"], 'invalid argument "zz" for "-m, --memory" flag: invalid size: \'zz\''),
        (["--rm=x"], 'invalid argument "x" for "--rm" flag: strconv.ParseBool: parsing "x": invalid syntax'),
        (["-n", "x"], 'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax'),
        (["--cpus=x"], 'invalid argument "x" for "--cpus" flag: failed to parse x as a rational number'),
        (["-f", "x"], 'invalid argument "x" for "-f, --filter" flag: bad format of filter (expected name=value)'),
    ],
)
def test_messages_are_those_of_docker(argv, message):
    with pytest.raises(UsageError) as caught:
        run(*argv)
    assert caught.value.message == message
    assert caught.value.code == 125


def test_help_is_understood_everywhere():
    assert run("--help").flag("help")
    assert run("-h").flag("help")
