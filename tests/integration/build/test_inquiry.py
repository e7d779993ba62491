"""`jubako build --check` and `--call`: what is printed, the exit codes, and that nothing is built."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.conftest import Cli

from jubako.build import DockerfileError
from jubako.errors import InvalidArgument

from .conftest import Site

pytestmark = pytest.mark.root

DOCKERFILE = """\
# version of what is built
ARG version=1
FROM scratch AS build
# who it is for
ARG who=you
RUN --mount=type=secret,id=tok,required=true x
# final what is shipped
FROM scratch AS final
ENV a b
COPY --from=build /x /
"""


def ask(cli: Cli, tmp_path: Path, text: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    (tmp_path / "Dockerfile").write_text(text)
    return cli.run("build", *options, str(tmp_path))


def test_check_prints_the_warnings_and_fails(state: Cli, tmp_path: Path) -> None:
    done = ask(state, tmp_path, "FROM scratch\nENV a b\n", "--check")
    assert (done.returncode, done.stdout.decode().splitlines()[:3]) == (
        1,
        [
            "Check complete, 1 warning has been found!",
            "",
            "WARNING: LegacyKeyValueFormat - https://docs.docker.com/go/dockerfile/rule/legacy-key-value-format/",
        ],
    )
    done = ask(state, tmp_path, "FROM scratch\nENV a=b\n", "--call=check")
    assert (done.returncode, done.stdout) == (0, b"Check complete, no warnings found.\n")
    done = ask(state, tmp_path, "FROM scratch\nENV a b\n", "--call", "check,format=json")
    assert (done.returncode, json.loads(done.stdout)["warnings"][0]["ruleName"]) == (1, "LegacyKeyValueFormat")


def test_what_can_not_be_parsed_fails_the_check_at_its_place(state: Cli, tmp_path: Path) -> None:
    done = ask(state, tmp_path, "FROM scratch\nRNU x\n", "--check")
    assert done.returncode == 1
    assert b"Dockerfile:2:1: unknown instruction: RNU (did you mean RUN?)" in done.stderr


def test_outline_and_targets(state: Cli, tmp_path: Path) -> None:
    done = ask(state, tmp_path, DOCKERFILE, "--call=outline", "--build-arg", "who=me")
    assert done.stdout.decode() == (
        "TARGET:      final\nDESCRIPTION: what is shipped\n\n"
        "BUILD ARG   VALUE   DESCRIPTION\nversion     1       of what is built\nwho         me      it is for\n\n"
        "SECRET   REQUIRED\ntok      true\n\n"
    )
    done = ask(state, tmp_path, DOCKERFILE, "--call=targets")
    assert done.stdout.decode() == "TARGET          DESCRIPTION\nbuild           \nfinal (default) what is shipped\n"
    data = json.loads(ask(state, tmp_path, DOCKERFILE, "--call=targets,format=json").stdout)
    assert [(target["name"], target.get("default")) for target in data["targets"]] == [("build", None), ("final", True)]
    data = json.loads(ask(state, tmp_path, DOCKERFILE, "--call=outline,format=json", "--target=build").stdout)
    assert (data["name"], [item["name"] for item in data["args"]]) == ("build", ["version", "who"])


@pytest.mark.parametrize("call", ["bake", "check,format=xml", "check,json"])
def test_other_questions_are_refused(state: Cli, tmp_path: Path, call: str) -> None:
    assert ask(state, tmp_path, "FROM scratch\n", "--call", call).returncode == 1


def test_a_build_tells_its_warnings_at_the_end(site: Site) -> None:
    site.build("FROM base\nENV a b\nCMD x\n")
    assert site.output.splitlines()[-3:] == [
        " 2 warnings found (use --check to expand):",
        ' - LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format (line 2)',
        " - JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS "
        "signals (line 3)",
    ]


def test_checks_as_errors_fail_before_anything_runs(site: Site) -> None:
    with pytest.raises(InvalidArgument, match="lint violation found for rules: LegacyKeyValueFormat"):
        site.build("# check=error=true\nFROM base\nENV a b\nRUN echo ran\n")
    assert "ran" not in site.output
    with pytest.raises(DockerfileError, match="there is no check 'JSONArgRecommended'"):
        site.build("# check=skip=JSONArgRecommended\nFROM base\n")


def test_of_stages_with_one_name_the_last_counts(site: Site) -> None:
    result = site.build("FROM base AS x\nENV v=1\nFROM base AS x\nENV v=2\nFROM x\nENV w=$v\n")
    assert "w=2" in (site.config(result).env or [])


def test_ports_of_the_host_are_dropped(site: Site) -> None:
    result = site.build("FROM base\nEXPOSE 127.0.0.1:80:81 8000:90-91/udp [::1]:5:6\n")
    assert sorted(site.config(result).exposed_ports or {}) == ["6/tcp", "81/tcp", "90/udp", "91/udp"]
