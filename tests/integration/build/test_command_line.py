"""Options of `build` and `bake` that concern commands, as they are typed; the shell of --debug on a terminal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..keeper.terminal import Terminal

pytestmark = pytest.mark.root

DOCKERFILE = """FROM busybox
RUN --mount=type=secret,id=a --mount=type=secret,id=B,env=B \\
    cat /run/secrets/a && echo $B && grep one /etc/hosts && ulimit -n && df -k /dev/shm
RUN --security=insecure grep CapEff /proc/self/status
"""
BAKE = """
target "default" {
  context = "ctx"
  dockerfile-inline = <<EOF
FROM busybox
RUN --security=insecure --mount=type=secret,id=a cat /run/secrets/a && grep two /etc/hosts
EOF
  entitlements = ["security.insecure"]
  secret = ["id=a,src=token"]
  extra-hosts = { two = "10.0.0.2" }
  network = "none"
}
"""


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ctx").mkdir()
    (tmp_path / "ctx/Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "token").write_text("of-the-file\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_options_of_build_reach_the_command(jubako, context):
    options = ["--secret", "id=a,src=token", "--secret", "id=B", "--add-host", "one=10.0.0.1", "--ulimit", "nofile=99"]
    more = ["--shm-size", "2m", "--cgroup-parent", "/x/y", "--network", "none", "--allow", "security.insecure"]
    done = jubako.run("build", "--rm", "--no-cache", *options, *more, "ctx", env={"B": "of-the-environment"})
    log = done.stderr.decode()
    assert done.returncode == 0, log
    for word in ("of-the-file", "of-the-environment", "10.0.0.1\tone", " 99\n", " 2048 ", "CapEff:\t"):
        assert word in log


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "security.insecure is not allowed"),
        (["--allow", "everything"], "unknown entitlement everything"),
        (["--secret", "src=token"], "secret missing ID"),
        (["--ssh", "default"], "make sure that SSH_AUTH_SOCK is set"),
        (["--ulimit", "files=1"], "invalid ulimit type: files"),
        (["--add-host", "one"], 'bad format for add-host: "one"'),
        (["--shm-size", "much"], "invalid size: 'much'"),
        (["--cgroup-parent", "../x"], "invalid cgroup parent: ../x"),
        (["--rm=false"], "always removed"),
        (["--memory", "1g"], "unknown flag: --memory"),
    ],
)
def test_a_bad_option_is_named(jubako, context, options, problem):
    done = jubako.run("build", *options, "ctx", env={"SSH_AUTH_SOCK": ""})
    assert done.returncode != 0
    assert problem in done.stderr.decode()


def test_bake_asks_for_privileges_and_has_them_once_granted(jubako, context):
    (context / "docker-bake.hcl").write_text(BAKE)
    refused = jubako.run("bake")
    assert refused.returncode == 1
    assert "--allow security.insecure" in refused.stderr.decode()
    done = jubako.run("bake", "--allow", "security.insecure", "--no-cache")
    assert done.returncode == 0, done.stderr.decode()
    assert "of-the-file" in done.stderr.decode()
    assert "10.0.0.2\ttwo" in done.stderr.decode()


def test_bake_answers_questions_instead_of_building(jubako, context):
    (context / "docker-bake.hcl").write_text(BAKE)
    assert "SECRET" in jubako("bake", "--call", "outline")
    (context / "docker-bake.hcl").write_text('target "default" { dockerfile-inline = "FROM busybox\\nMAINTAINER me" }')
    done = jubako.run("bake", "--check")
    assert done.returncode == 1
    assert b"MaintainerDeprecated" in done.stdout


@pytest.fixture
def terminal(jubako, context):
    def on_terminal(*arguments: str) -> Terminal:
        opened.append(Terminal([*jubako.argv, *arguments], {**jubako.env, "TERM": "xterm"}))
        return opened[-1]

    opened: list[Terminal] = []
    yield on_terminal
    for one in opened:
        one.close()


def test_debug_opens_a_shell_on_the_terminal_where_a_command_failed(context, terminal):
    (context / "ctx/Dockerfile").write_text("FROM busybox\nWORKDIR /w\nRUN echo partly >done && exit 5\n")
    shell = terminal("build", "--debug", "--network", "none", "ctx")
    shell.expect("A shell where it failed")
    shell.type("echo $((40 + 2)) $(cat done) $(tty)\n")
    shell.expect("42 partly /dev/")
    shell.type("exit\n")
    shell.expect("exit code: 5")
    assert shell.wait() == 1
    assert shell.is_cooked()


def test_debug_of_a_bake_opens_it_too(context, terminal):
    (context / "docker-bake.hcl").write_text('target "default" { dockerfile-inline = "FROM busybox\\nRUN exit 6" }')
    shell = terminal("bake", "--debug", "--set", "*.network=none")
    shell.expect("A shell where it failed")
    shell.type("exit\n")
    shell.expect("exit code: 6")
    assert shell.wait() == 1


def test_without_a_terminal_debug_fails_as_any_build(jubako, context):
    (context / "ctx/Dockerfile").write_text("FROM busybox\nRUN echo said; false\n")
    done = jubako.run("build", "-D", "-q", "--network", "none", "ctx")
    assert done.returncode == 1
    assert "last output:\n  said\n" in done.stderr.decode()
    assert os.listdir(jubako.run_root / "build") == []
