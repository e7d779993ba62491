"""kill -9 of the command line at random moments: the next command works, prune leaves nothing, no blob is corrupt.

Each verb is killed at as many moments cold (the process that does the work) as through the keeper: half of these kill
the front (the work is hung up), half all children of the keeper (the work itself, and the spare).
"""

from __future__ import annotations

import time

import pytest
from tests.waiting import until

from ...remains import Remains, assert_blobs_are_whole
from .conftest import Killer

pytestmark = pytest.mark.root

PORT = "18099"
DOCKERFILE = "FROM busybox\nCOPY file /file\nRUN cat /file /file >/twice\nRUN echo {n} >/n && mkdir -p /a/b/c\n"


def settle(killer: Killer) -> None:
    """Wait until no container runs: one whose starter was killed ends by itself, or goes on to its end."""
    deadline = time.monotonic() + 10
    while killer.cli("ps", "-q") and time.monotonic() < deadline:
        time.sleep(0.05)


def repeatedly(killer: Killer, arguments: tuple[str, ...]) -> None:
    killer.cli(*arguments)
    longest = killer.duration_s(*arguments)
    for _ in range(killer.moments):
        killer.kill(*arguments, longest_s=longest)


def test_kill_during_run(killer):
    repeatedly(killer, ("run", "--rm", "--network", "none", "busybox", "true"))
    assert killer.cli("run", "--rm", "--network", "none", "busybox", "echo", "works") == "works\n"
    settle(killer)
    assert killer.cli("ps", "-q") == ""


def test_kill_during_run_on_a_bridge_with_a_port(killer):
    arguments = ("run", "--rm", "-p", f"{PORT}:80", "busybox", "true")
    killer.cli(*arguments)
    longest = killer.duration_s(*arguments)
    for _ in range(killer.moments):
        killer.kill(*arguments, longest_s=longest)
        # One that was killed when its container ran already keeps the port as long as that container lives; and the
        # call of a killed front, which is hung up, may still be on its way there.
        settle(killer)
        until(lambda: killer.cli.run(*arguments).returncode == 0)
    for reserved in range(2):
        killer.cli("run", "-d", "--name", f"both-{reserved}", "busybox", "sleep", "1000")


@pytest.mark.parametrize("verb", ["stop -t 0", "rm -f"])
def test_kill_during(killer, verb):
    words = verb.split()
    longest = 0.0
    for number in range(-2, killer.moments):
        name = f"probe-{number}"
        killer.cli("run", "-d", "--name", name, "--network", "none", "-v", "/data", "busybox", "sleep", "1000")
        if number < 0:
            longest = killer.duration_s(*words, name)
            killer.cli.run("rm", "-f", "-v", name)
            continue
        killer.kill(*words, name, longest_s=longest)
        killer.cli.run("rm", "-f", "-v", name)
        assert killer.cli.run("container", "inspect", name).returncode == 1


def test_kill_during_build(killer, tmp_path):
    context = tmp_path / "context"
    context.mkdir()

    def prepare(n: int) -> None:
        (context / "Dockerfile").write_text(DOCKERFILE.format(n=n))
        (context / "file").write_text(f"content {n}\n")

    build = ("build", "-q", "-t", "probe", str(context))
    prepare(-2)
    killer.cli(*build)
    prepare(-1)
    longest = killer.duration_s(*build)
    for number in range(killer.moments):
        prepare(number)
        killer.kill(*build, longest_s=longest)
    killer.cli(*build)
    assert killer.cli("run", "--rm", "--network", "none", "probe", "cat", "/n") == f"{killer.moments - 1}\n"
    assert_blobs_are_whole(killer.cli.root)


def test_kill_during_a_long_step_of_a_build_ends_the_step(killer, tmp_path):
    (tmp_path / "context").mkdir()
    (tmp_path / "context/Dockerfile").write_text("FROM busybox\nRUN echo $$ && sleep 1000\n")
    earlier = set(Remains(killer.cli).monitors())
    build = killer.cli.start("build", "-t", "probe", str(tmp_path / "context"))
    until(lambda: list((killer.cli.run_root / "build").glob("*/state")))
    build.kill()
    build.communicate()
    until(lambda: not set(Remains(killer.cli).monitors()) - earlier)
    killer.cli("run", "--rm", "--network", "none", "busybox", "true")


def test_kill_during_pull(killer, registry):
    name = f"{registry}/demo/busybox:1"
    killer.cli("tag", "busybox", name)
    killer.cli("push", "-q", name)
    killer.cli("rmi", "-f", name, "busybox")
    longest = 0.0
    for number in range(-2, killer.moments):
        killer.cli.run("rmi", "-f", name)
        killer.cli("image", "prune", "-f")
        if number < 0:
            longest = killer.duration_s("pull", "-q", name)
            continue
        killer.kill("pull", "-q", name, longest_s=longest)
        assert_blobs_are_whole(killer.cli.root)
    killer.cli("pull", name)
    assert killer.cli("run", "--rm", "--network", "none", name, "echo", "whole") == "whole\n"


def test_kill_of_a_start_leaves_a_container_that_can_be_started(killer):
    killer.cli("create", "--name", "probe", "--network", "none", "busybox", "true")
    killer.cli("start", "-a", "probe")
    longest = killer.duration_s("start", "-a", "probe")
    for _ in range(killer.moments):
        killer.kill("start", "probe", longest_s=longest)
        settle(killer)
        killer.cli("start", "-a", "probe")
        assert killer.cli("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "probe") == "exited 0\n"
