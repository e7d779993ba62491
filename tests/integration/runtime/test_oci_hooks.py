"""Hooks of a specification: when, where, with which state, and what their failure does."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from .oci import Oci

pytestmark = pytest.mark.root

KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")


def say(kind: str, log: Path) -> str:
    return f"echo $(echo {kind}; readlink /proc/self/ns/mnt; cat) >> {log}"


def told(log: Path) -> list[tuple[str, str, dict[str, object]]]:
    """(kind, mount namespace, state) of each hook that ran, in order."""
    lines = [line.split(" ", 2) for line in log.read_text().splitlines()]
    return [(kind, namespace, json.loads(state)) for kind, namespace, state in lines]


def test_hooks_run_in_order_in_their_namespaces_with_the_state(oci: Oci, tmp_path: Path) -> None:
    log = tmp_path / "shared" / "log"
    log.parent.mkdir()
    oci.mount(log.parent, str(log.parent))  # the same path inside: startContainer writes to it from there
    for kind in KINDS:
        oci.hook(kind, say(kind, log))
    oci.configure("sleep", "100")
    oci.create("one")
    assert [kind for kind, _, _ in told(log)] == list(KINDS[:3])
    pid = json.loads(oci("state", "one").stdout)["pid"]
    inside = os.readlink(f"/proc/{pid}/ns/mnt")
    assert oci("start", "one").returncode == 0
    oci("delete", "--force", "one")
    found = told(log)
    assert [kind for kind, _, _ in found] == list(KINDS)
    assert [namespace == inside for _, namespace, _ in found] == [False, False, True, True, False, False]
    statuses = [state["status"] for _, _, state in found]
    assert statuses == ["creating", "creating", "creating", "created", "running", "stopped"]
    assert [state.get("pid") for _, _, state in found] == [pid, pid, 1, 1, pid, 0]
    assert {(state["id"], state["bundle"]) for _, _, state in found} == {("one", str(oci.bundle))}


def test_create_hooks_come_between_the_mounts_and_the_pivot(oci: Oci, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    oci.hook("createRuntime", f"cat /proc/$(grep -o '\"pid\": *[0-9]*' | grep -o '[0-9]*')/mounts > {seen}.runtime")
    oci.hook("createContainer", f"cat /proc/self/mounts > {seen}.container")
    oci.configure("true")
    oci.run()
    for kind in ("runtime", "container"):
        text = Path(f"{seen}.{kind}").read_text()
        assert "/dev/pts devpts" in text
        assert len(text.splitlines()) > 10  # the host's mounts are there still


def test_a_hook_gets_its_own_environment_and_the_bundle_as_directory(oci: Oci, tmp_path: Path) -> None:
    oci.hook("createRuntime", f"pwd > {tmp_path}/hook; /usr/bin/env >> {tmp_path}/hook", env=["ONLY=this"])
    oci.configure("true")
    oci.run()
    lines = (tmp_path / "hook").read_text().splitlines()
    assert lines[0] == str(oci.bundle)
    assert "ONLY=this" in lines
    assert not any(line.startswith("HOME=") for line in lines)


def test_a_hook_without_an_environment_has_the_caller_s_outside_and_the_container_s_inside(
    oci: Oci, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTSIDE", "caller")
    for kind in ("createRuntime", "createContainer"):
        oci.hook(kind, f"echo $OUTSIDE $INSIDE >> {tmp_path}/hook")
    oci.hook("createRuntime", f"echo nothing $OUTSIDE >> {tmp_path}/hook", env=[])
    oci.configure("true", env=["PATH=/bin", "INSIDE=container"])
    oci.run()
    assert (tmp_path / "hook").read_text().splitlines() == ["caller", "nothing", "container"]


@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_failing_hook_undoes_the_creation(oci: Oci, tmp_path: Path, kind: str) -> None:
    oci.hook(kind, "echo reason >&2; exit 3")
    oci.hook("poststop", f"touch {tmp_path}/stopped")
    done = oci("create", "-b", str(oci.bundle), "one")
    assert done.returncode == 1
    assert "reason" in done.stderr
    assert "3" in done.stderr
    assert os.listdir(tmp_path / "state") == []
    assert (tmp_path / "stopped").exists()


@pytest.mark.parametrize("kind", ["startContainer", "poststart"])
def test_a_failing_hook_at_start_takes_the_container_down(oci: Oci, tmp_path: Path, kind: str) -> None:
    oci.hook(kind, "echo reason >&2; exit 3")
    oci.configure("sh", "-c", "sleep 100")
    oci.create("one")
    done = oci("start", "one")
    assert done.returncode == 1
    assert "reason" in done.stderr
    assert oci.status("one") == "stopped"
    done = oci("run", "-b", str(oci.bundle), "two")
    assert done.returncode == 1
    assert os.listdir(tmp_path / "state") == ["one"]


@pytest.mark.parametrize("kind", ["createRuntime", "createContainer"])
def test_a_hook_that_takes_too_long_is_killed(oci: Oci, tmp_path: Path, kind: str) -> None:
    # The shell's own look at the host's procfs: in the container it has another pid.
    oci.hook(kind, f"read pid rest < /proc/self/stat; echo $pid > {tmp_path}/pid; exec sleep 100", timeout=1)
    done = oci("create", "-b", str(oci.bundle), "one")
    assert done.returncode == 1
    assert "did not end" in done.stderr
    assert not Path(f"/proc/{int((tmp_path / 'pid').read_text())}").exists()
    assert os.listdir(tmp_path / "state") == []


def test_a_failing_poststop_hook_is_a_warning(oci: Oci, tmp_path: Path) -> None:
    oci.hook("poststop", "exit 1")
    oci.hook("poststop", f"touch {tmp_path}/second")
    oci.create("one")
    done = oci("delete", "--force", "one")
    assert (done.returncode, "poststop hook" in done.stderr) == (0, True)
    assert (tmp_path / "second").exists()


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_a_failing_hook_is_told_with_its_kind_and_number(oci: Oci, kind: str) -> None:
    oci.hook(kind, "true")
    oci.hook(kind, "exit 3")
    oci.hook(kind, "echo reason >&2; exit 4")
    oci.configure("true")
    done = oci("run", "-b", str(oci.bundle), "one")
    assert (done.returncode, done.stderr) == (1, f"jubako-oci: error running {kind} hook #1: /bin/sh: exit status 3\n")


@pytest.mark.parametrize("kind", ["createRuntime", "createContainer", "poststart", "poststop"])
def test_what_a_hook_leaves_running_is_not_waited_for(oci: Oci, kind: str, tmp_path: Path) -> None:
    oci.configure("true")
    oci.hook(kind, f"sleep 1000 & echo $! >{tmp_path}/left; exit 0")
    done = oci("run", "-b", str(oci.bundle), "one")
    os.kill(int((tmp_path / "left").read_text()), signal.SIGKILL)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["createRuntime", "createContainer", "startContainer"])
def test_a_hook_that_is_not_there_is_named(oci: Oci, kind: str) -> None:
    oci.edit(lambda config: config.update(hooks={kind: [{"path": "/no/such/hook"}]}))
    done = oci("run", "-b", str(oci.bundle), "one")
    assert done.returncode == 1
    assert "/no/such/hook" in done.stderr
    assert "o such file" in done.stderr


@pytest.mark.parametrize(
    ("hook", "words"), [({"path": "sh"}, "not absolute"), ({"path": "/x", "timeout": 0}, "timeout")]
)
def test_hooks_that_the_specification_forbids_are_refused(oci: Oci, hook: dict[str, object], words: str) -> None:
    oci.edit(lambda config: config.update(hooks={"poststop": [hook]}))
    done = oci("create", "-b", str(oci.bundle), "one")
    assert (done.returncode, words in done.stderr) == (1, True)
