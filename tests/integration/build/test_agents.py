"""RUN --mount=type=ssh, with a real agent and real clients of it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.build import CommandFailed, DockerfileError

from .conftest import Site
from .web import Repo

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(not shutil.which("ssh-agent"), reason="needs ssh-agent (openssh-client)"),
]

PROGRAMS = ("ssh-add", "ssh-keygen")
BASE = "FROM base\nENV PATH=/bin:/usr/bin\nCOPY programs /\n"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    """The socket of a running agent that holds one key, whose files are beside it."""
    path = tmp_path / "agent.sock"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout
        process.stdout.readline()
        make_key(tmp_path / "key")
        subprocess.run(["ssh-add", "-q", tmp_path / "key"], env={**os.environ, "SSH_AUTH_SOCK": str(path)}, check=True)
        yield path
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def make_key(path: Path, kind: str = "ed25519") -> None:
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", path.name, "-f", path]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)


@pytest.fixture
def programs(site: Site) -> None:
    """The clients with their libraries, as the context's `programs`."""
    for name in PROGRAMS:
        program = shutil.which(name)
        assert program
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        for path in (program, *re.findall(r"(/\S+) \(0x", listed)):
            site.file(f"programs{path}", Path(path).read_bytes(), 0o755)


def fingerprint(path: Path) -> str:
    command = ["ssh-keygen", "-l", "-f", path]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[1]


@pytest.mark.usefixtures("programs")
def test_a_command_lists_and_signs_with_the_callers_agent(
    site: Site, agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
    site.file("key.pub", agent.with_name("key.pub").read_bytes())
    result = site.build(
        BASE + "COPY key.pub /\nRUN --mount=type=ssh echo $SSH_AUTH_SOCK >/where && stat -c %a $SSH_AUTH_SOCK >>/where"
        " && ssh-add -l >/list && echo hello >/m && ssh-keygen -Y sign -n test -f /key.pub /m\n",
        ssh=["default"],
    )
    assert site.read(result, "where").split() == ["/run/buildkit/ssh_agent.0", "600"]
    assert fingerprint(agent.with_name("key")) in site.read(result, "list")
    assert "run" not in site.names(result, "")
    signature = site.file("m.sig", site.read(result, "m.sig"))
    command = ["ssh-keygen", "-Y", "check-novalidate", "-n", "test", "-s", signature]
    subprocess.run(command, input=b"hello\n", check=True, capture_output=True)


@pytest.mark.usefixtures("programs")
def test_a_command_can_not_change_the_agent(site: Site, agent: Path) -> None:
    """Remove all keys, add one, lock it."""
    make_key(site.context / "other")
    site.build(
        BASE + "COPY --chmod=600 other /\nRUN --mount=type=ssh,id=mine ! ssh-add -D"
        " && ! ssh-add /other && ! ssh-add -X </dev/null && ssh-add -l\n",
        ssh=[f"mine={agent}"],
    )
    kept = subprocess.run(["ssh-add", "-l"], env={"SSH_AUTH_SOCK": str(agent)}, capture_output=True, text=True)
    assert kept.stdout.split()[1:2] == [fingerprint(agent.with_name("key"))]


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
@pytest.mark.usefixtures("programs")
def test_keys_given_as_files_sign_without_an_agent(site: Site, tmp_path: Path, kind: str) -> None:
    make_key(tmp_path / "key", kind)
    site.file("key.pub", (tmp_path / "key.pub").read_bytes())
    result = site.build(
        BASE + "COPY key.pub /\nRUN --mount=type=ssh ssh-add -l >/list"
        " && echo hello >/m && ssh-keygen -Y sign -n test -f /key.pub /m\n",
        ssh=[f"default={tmp_path}/key"],
    )
    assert fingerprint(tmp_path / "key") in site.read(result, "list")
    signature = site.file("m.sig", site.read(result, "m.sig"))
    command = ["ssh-keygen", "-Y", "check-novalidate", "-n", "test", "-s", signature]
    subprocess.run(command, input=b"hello\n", check=True, capture_output=True)
    secret = (tmp_path / "key").read_bytes().splitlines()[1]
    found = [path for path in [*site.root.rglob("*"), *site.run_root.rglob("*")] if path.is_file()]
    assert not [path for path in found if not path.is_symlink() and secret in path.read_bytes()]


@pytest.mark.usefixtures("programs")
def test_place_owner_and_mode_are_the_mounts(site: Site, agent: Path) -> None:
    result = site.build(
        BASE + "USER app\nRUN --mount=type=ssh,target=/tmp/a,uid=1000,gid=1001,mode=0660"
        " --mount=type=ssh,id=default,target=/tmp/b"
        ' stat -c "%u %g %a" /tmp/a /tmp/b >/tmp/facts && ssh-add -l >>/tmp/facts'
        " && ! SSH_AUTH_SOCK=/tmp/b ssh-add -l && echo $SSH_AUTH_SOCK >>/tmp/facts\n",
        ssh=[f"default={agent}"],
    )
    facts = site.read(result, "tmp/facts").splitlines()
    assert facts[:2] == ["1000 1001 660", "0 0 600"]
    assert facts[-1] == "/tmp/a"


def test_a_missing_agent_matters_only_when_required(site: Site) -> None:
    site.build('FROM base\nRUN --mount=type=ssh test -z "$SSH_AUTH_SOCK" && test ! -e /run/buildkit\n')
    with pytest.raises(DockerfileError, match="ssh agent default: not found") as caught:
        site.build("FROM base\nRUN --mount=type=ssh,required true\n")
    assert caught.value.hint == "give it with --ssh default"


def test_the_agent_does_not_count_in_the_key(site: Site, agent: Path) -> None:
    dockerfile = "FROM base\nRUN --mount=type=ssh echo 1 >/x\n"
    site.build(dockerfile, ssh=[f"default={agent}"])
    site.build(dockerfile)
    assert len(site.cached()) == 1


SSH = """#!/bin/sh
# Stands in for a server: tells which keys the agent has, and serves the repository here.
ssh-add -l >>{0}/keys
eval "cd {0} && $(for word; do :; done; echo "$word")"
"""


@pytest.mark.usefixtures("own_network")
def test_repositories_over_ssh_are_reached_with_the_agent(
    site: Site, agent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repo(tmp_path)
    repo.commit("first", Dockerfile="FROM scratch\nCOPY a /a\n", a="one")
    repo.publish()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ssh").write_text(SSH.format(repo.bare.parent))
    (tmp_path / "bin/ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    result = site.build("FROM base\nADD git@127.0.0.1:project.git /dst/\n", ssh=[f"default={agent}"])
    assert site.read(result, "dst/a") == "one"
    keys = (repo.bare.parent / "keys").read_text().splitlines()
    assert keys
    assert all(fingerprint(agent.with_name("key")) in line for line in keys)


@pytest.mark.usefixtures("programs")
def test_an_agent_that_ended_is_a_failure_of_the_command_alone(site: Site, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "old.sock"))
    with pytest.raises(CommandFailed):
        site.build(BASE + "RUN --mount=type=ssh ssh-add -l\n", ssh=[f"default={tmp_path}/old.sock"])
    assert "error fetching identities" in site.output
