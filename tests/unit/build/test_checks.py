"""Each build check: what breaks it, what it says and on which line; and what does not break it."""

from __future__ import annotations

import json

import pytest

from jubako.build.checks import BaseFacts, Warned, check, report, settings_of
from jubako.build.checks.rules import RULES
from jubako.build.checks.settings import parse as parse_settings
from jubako.build.dockerfile.parser import parse
from jubako.build.dockerfile.source import DockerfileError
from jubako.build.files.ignore import Ignore
from jubako.errors import InvalidArgument, NotFound

EXPERIMENTAL = "# check=experimental=all\n"
BROKEN = [
    ("StageNameCasing", "FROM a AS Build", 1, "Stage name 'Build' should be lowercase"),
    ("FromAsCasing", "FROM a as b", 1, "'as' and 'FROM' keywords' casing do not match"),
    ("NoEmptyContinuation", "FROM a\nRUN x \\\n\n  y", 4, "Empty continuation line"),
    (
        "ConsistentInstructionCasing",
        "FROM a\nRUN x\nUser y",
        3,
        "Command 'User' should match the case of the command majority (uppercase)",
    ),
    (
        "ConsistentInstructionCasing",
        "from a\nrun x\nUSER y",
        3,
        "Command 'USER' should match the case of the command majority (lowercase)",
    ),
    ("DuplicateStageName", "FROM a AS b\nFROM a AS b", 2, 'Duplicate stage name "b", stage names should be unique'),
    (
        "ReservedStageName",
        "FROM a AS context",
        1,
        'Stage name should not use the same name as reserved stage "context"',
    ),
    (
        "JSONArgsRecommended",
        "FROM a\nCMD x",
        2,
        "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals",
    ),
    ("MaintainerDeprecated", "FROM a\nMAINTAINER x", 2, "Maintainer instruction is deprecated in favor of using label"),
    (
        "UndefinedArgInFrom",
        "ARG VERSION=1\nFROM a:${VERSOIN}",
        2,
        "FROM argument 'VERSOIN' is not declared (did you mean VERSION?)",
    ),
    (
        "WorkdirRelativePath",
        "FROM a\nWORKDIR x",
        2,
        'Relative workdir "x" can have unexpected results if the base image changes',
    ),
    (
        "UndefinedVar",
        "FROM a\nARG SOURCE=x\nCOPY $SUORCE /",
        3,
        "Usage of undefined variable '$SUORCE' (did you mean $SOURCE?)",
    ),
    ("UndefinedVar", "FROM a\nENV PATHS=$PAHT:/x", 2, "Usage of undefined variable '$PAHT' (did you mean $PATH?)"),
    ("UndefinedVar", "FROM a\nCOPY <<E /x\n$gone\nE", 2, "Usage of undefined variable '$gone'"),
    (
        "MultipleInstructionsDisallowed",
        'FROM a\nCMD ["x"]\nRUN y\nCMD ["z"]',
        2,
        "Multiple CMD instructions should not be used in the same stage because only the last one will be used",
    ),
    (
        "LegacyKeyValueFormat",
        "FROM a\nENV key the value",
        2,
        '"ENV key=value" should be used instead of legacy "ENV key value" format',
    ),
    (
        "LegacyKeyValueFormat",
        "FROM a\nLABEL key \\\n  value",
        2,
        '"LABEL key=value" should be used instead of legacy "LABEL key value" format',
    ),
    (
        "RedundantTargetPlatform",
        "FROM --platform=$TARGETPLATFORM a",
        1,
        "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
    ),
    (
        "SecretsUsedInArgOrEnv",
        "FROM a\nENV DB_PASSWORD=x",
        2,
        'Do not use ARG or ENV instructions for sensitive data (ENV "DB_PASSWORD")',
    ),
    (
        "SecretsUsedInArgOrEnv",
        "FROM a\nARG token",
        2,
        'Do not use ARG or ENV instructions for sensitive data (ARG "token")',
    ),
    (
        "InvalidDefaultArgInFrom",
        "ARG TAG\nFROM a:${TAG}",
        2,
        "Default value for ARG a:${TAG} results in empty or invalid base image name",
    ),
    (
        "FromPlatformFlagConstDisallowed",
        "FROM --platform=linux/amd64 a",
        1,
        'FROM --platform flag should not use constant value "linux/amd64"',
    ),
    (
        "CopyIgnoredFile",
        f"{EXPERIMENTAL}FROM a\nCOPY logs/x /",
        3,
        'Attempting to Copy file "logs/x" that is excluded by .dockerignore',
    ),
    (
        "CopyIgnoredFile",
        f"{EXPERIMENTAL}FROM a\nADD ./logs /",
        3,
        'Attempting to Add file "logs" that is excluded by .dockerignore',
    ),
    (
        "InvalidDefinitionDescription",
        f"{EXPERIMENTAL}\n# something\nFROM a AS b",
        4,
        "Comment for FROM should follow the format: `# b <description>`",
    ),
    (
        "InvalidDefinitionDescription",
        f"{EXPERIMENTAL}FROM a\n# two\nARG x y",
        4,
        "Comment for ARG should follow the format: `# <arg_key> <description>`",
    ),
    (
        "ExposeProtoCasing",
        "FROM a\nEXPOSE 80/TcP",
        2,
        "Defined protocol '80/TcP' in EXPOSE instruction should be lowercase",
    ),
    (
        "ExposeInvalidFormat",
        "FROM a\nEXPOSE 127.0.0.1:80:81",
        2,
        "EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:80:81'",
    ),
]
FINE = [
    "FROM a AS b",
    "from a as b\nrun x",
    "FROM a\nRUN x \\\n# comment\n  y",
    "FROM a\nRUN <<E\n\nx\n\nE",
    'FROM a\nSHELL ["/bin/sh", "-c"]\nCMD x',
    "FROM shell\nCMD x",
    "ARG V=1\nFROM a:$V",
    "FROM --platform=$BUILDPLATFORM a AS x\nFROM --platform=linux/amd64 a AS build-amd64",
    "FROM a\nWORKDIR /x\nWORKDIR y\nFROM 0",
    "FROM a AS one\nWORKDIR /x\nFROM one\nWORKDIR y",
    "FROM a\nARG x\nCOPY a$x /",
    "FROM a\nENV x=${y:-z} v=${w:+u} PATH=$PATH:/x",
    "FROM a\nENV x=1\nENV y=$x",
    "FROM a\nENV x='$y' z=\\$w",
    "FROM elsewhere\nENV x=$y\nCMD x",
    "FROM scratch\nENV x=$PATH",
    "FROM a AS unused\nARG token\nFROM a\nRUN x",
    "FROM a\nENV PUBLIC_KEY=x MONKEY=y KEYBOARD=z",
    "FROM a\nENV a=b c=d\nLABEL e=\nLABEL 'f g'=h",
    "ARG TAG=1\nFROM a:${TAG}",
    "FROM a\nCOPY --from=b logs /\nCOPY . /",
    "# syntax=x\nFROM a AS b",
    f"{EXPERIMENTAL}\n# b the stage\nFROM a AS b\n\n# apart\n\nARG c",
    "FROM a\n# whatever\nARG c",
    "FROM a\nEXPOSE 80 90/udp 1-2",
    'FROM a\nCMD ["x"]\nFROM a\nCMD ["y"]',
]


def facts(name: str) -> BaseFacts | None:
    return None if name == "elsewhere" else BaseFacts({"PATH": "/bin"}, has_shell=name == "shell")


def warnings(text: str, target: str | None = None, build_args: dict[str, str] | None = None) -> list[Warned]:
    dockerfile = parse(text.encode())
    given = build_args or {}
    settings = settings_of(dockerfile, given)
    return check(dockerfile, settings, build_args=given, target=target, find_facts=facts, ignore=Ignore(["logs"]))


@pytest.mark.parametrize(("rule", "text", "line", "detail"), BROKEN)
def test_broken_rule_is_named_with_its_line(rule: str, text: str, line: int, detail: str) -> None:
    found = [warned for warned in warnings(text) if warned.rule.name == rule]
    assert [(warned.detail, warned.first_line) for warned in found] == [(detail, line)]


@pytest.mark.parametrize("text", FINE)
def test_what_is_fine_is_not_warned_about(text: str) -> None:
    assert [warned.short() for warned in warnings(text)] == []


def test_every_rule_is_tested() -> None:
    assert {rule for rule, *_ in BROKEN} == set(RULES)


def test_rules_of_a_stage_speak_only_of_what_is_built() -> None:
    text = "FROM a AS one\nENV token=x\nFROM a AS two\nCOPY --from=one /x /\nFROM a AS three\nRUN x"
    assert warnings(text) == []
    assert [warned.first_line for warned in warnings(text, target="TWO")] == [2]
    with pytest.raises(NotFound, match=r'"tow" could not be found \(did you mean two\?\)'):
        warnings(text, target="tow")


def test_what_is_taken_in_again_is_not_called_ignored() -> None:
    dockerfile = parse(b"FROM a\nCOPY logs/keep /")
    found = check(
        dockerfile,
        parse_settings(""),
        build_args={},
        target=None,
        find_facts=facts,
        ignore=Ignore(["logs", "!logs/keep"]),
    )
    assert found == []


def test_skipped_rules_are_silent_and_the_build_argument_replaces_the_directive() -> None:
    text = "# check=skip=FromAsCasing, JSONArgsRecommended\nFROM a as b\nCMD x"
    assert warnings(text) == []
    assert len(warnings(text, build_args={"BUILDKIT_DOCKERFILE_CHECK": "skip=FromAsCasing"})) == 1
    assert warnings(text, build_args={"BUILDKIT_DOCKERFILE_CHECK": "skip=all"}) == []


def test_experimental_rules_are_asked_for_by_name_and_not_skipped_with_the_others() -> None:
    text = "FROM a AS Build\nCOPY logs /"
    assert [warned.rule.name for warned in warnings(text)] == ["StageNameCasing"]
    asked = f"# check=skip=all;experimental=CopyIgnoredFile\n{text}"
    assert [warned.rule.name for warned in warnings(asked)] == ["CopyIgnoredFile"]


def test_every_stage_is_looked_at_when_asked_without_a_target() -> None:
    dockerfile = parse(b"FROM a AS one\nCOPY $one /\nFROM a AS two\nCOPY $two /")

    def lines(target: str | None) -> list[int]:
        settings = parse_settings("")
        found = check(
            dockerfile, settings, build_args={}, target=target, find_facts=facts, ignore=None, every_stage=True
        )
        return [warned.first_line for warned in found]

    assert (lines(None), lines("one")) == ([2, 4], [2])


def test_rules_of_other_builders_may_be_skipped() -> None:
    assert parse_settings("skip=InvalidBaseImagePlatform").skip == {"InvalidBaseImagePlatform"}


def test_settings_are_read() -> None:
    settings = parse_settings("skip=all;error=true;experimental=CopyIgnoredFile")
    assert (settings.skip, settings.error, settings.experimental) == ({"all"}, True, {"CopyIgnoredFile"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("skip", "invalid check option 'skip'"),
        ("ski=all", "invalid check option 'ski=all'"),
        ("error=perhaps", "it is true or false"),
        ("skip=JSONArgRecommended", r"did you mean JSONArgsRecommended\?"),
    ],
)
def test_wrong_settings_are_refused_at_their_line(text: str, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        parse_settings(text)
    with pytest.raises(DockerfileError) as caught:
        warnings(f"# syntax=x\n# check={text}\nFROM a")
    assert caught.value.line == 2


def test_report_shows_the_lines() -> None:
    dockerfile = parse(b"FROM a\nRUN x\nRUN y\nCMD x\n")
    found = warnings("FROM a\nRUN x\nRUN y\nCMD x\n")
    assert report.text(dockerfile.source, found) == (
        "Check complete, 1 warning has been found!\n"
        "\n"
        "WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/\n"
        "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals\n"
        "Dockerfile:4\n"
        "--------------------\n"
        "   2 |     RUN x\n"
        "   3 |     RUN y\n"
        "   4 | >>> CMD x\n"
        "   5 |     \n"
        "--------------------\n"
    )
    assert report.summary(found) == [
        " 1 warning found (use --check to expand):",
        f" - JSONArgsRecommended: {found[0].detail} (line 4)",
    ]


def test_json_names_rule_place_and_source() -> None:
    dockerfile = parse(b"FROM a\nCMD x\n")
    document = json.loads(report.data(dockerfile.source, warnings("FROM a\nCMD x\n")))
    (entry,) = document["warnings"]
    assert entry["ruleName"] == "JSONArgsRecommended"
    assert entry["location"]["ranges"] == [{"start": {"line": 2}, "end": {"line": 2}}]
    assert document["sources"][0]["filename"] == "Dockerfile"
