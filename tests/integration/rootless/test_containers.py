"""Containers of an ordinary user. Its commands share one mount namespace, as those of one session do."""

from __future__ import annotations

import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.waiting import until

from ... import ordinary
from .conftest import User, processes

pytestmark = pytest.mark.root


@pytest.fixture
def session(user: User) -> Iterator[User]:
    user("image", "bootstrap", "busybox")
    yield user
    user.shell("jubako ps -aq | xargs -r jubako rm -f")


def said(user: User, script: str, **env: str) -> str:
    done = user.shell(f"set -e\n{script}", env)
    assert done.returncode == 0, done.stdout
    return done.stdout


def holders(user: User) -> list[int]:
    """What holds namespaces of that user; the argument is no path, so it is told by its file."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if (directory / "cmdline").read_bytes().startswith(b"jubako-userns\0namespaces\0"):
                files = [os.readlink(file) for file in (directory / "fd").iterdir()]
                found += [int(directory.name)] * (str(user.runtime / "jubako/namespaces") in files)
        except OSError:
            continue
    return found


def test_output_code_and_ids(session: User) -> None:
    done = session.shell(
        'jubako run --rm --network none busybox sh -c "id -u; cat /proc/self/uid_map; touch /x; exit 7"; echo "code $?"'
    )
    assert done.stdout.split() == ["0", "0", str(ordinary.UID), "1", "1", "700000", "65536", "code", "7"]
    assert list((session.runtime / "jubako/containers").iterdir()) == []


def test_a_container_in_the_background_and_its_verbs(session: User) -> None:
    out = said(
        session,
        """
    jubako run -d --name box --network none --user 5:6 busybox \\
        sh -c 'echo hello; trap "exit 3" TERM; while :; do sleep 1; done'
    jubako exec box id; jubako exec -u 0 box sh -c 'echo written >/etc/made'; jubako logs box
    jubako cp box:/etc/made - | tar xO; jubako diff box; jubako top box -eo pid,args | grep -c 'sh -c echo'
    jubako ps --format '{{.Names}} {{.State}}'; jubako stop box >/dev/null
    jubako inspect -f '{{.State.Status}} {{.State.ExitCode}}' box
    jubako start box >/dev/null; jubako exec box cat /etc/made; jubako kill box >/dev/null; jubako wait box
    jubako rm box >/dev/null; jubako ps -aq""",
    )
    lines = out.splitlines()[1:]
    assert lines[0] == "uid=5 gid=6 groups=6"
    assert lines[1:] == ["hello", "written", "C /etc", "A /etc/made", "1", "box running", "exited 3", "written", "137"]


def test_export_commit_and_import(session: User) -> None:
    """Without a control group the container is not paused, unless that is asked for."""
    shown = said(
        session,
        """
        jubako run -d --name one --network none busybox sh -c 'echo new >/new; rm /etc/group; sleep 60' >/dev/null
        until jubako exec one test -s /new; do sleep 0.1; done
        jubako export one >~/one.tar
        tar -tf ~/one.tar | grep -x -e new -e etc/group -e bin/busybox | sort
        jubako import -c 'CMD ["cat", "/new"]' ~/one.tar imported >/dev/null
        jubako commit -c 'CMD ["cat", "/new"]' one committed >/dev/null
        jubako commit --pause one || echo refused
        jubako run --rm --network none imported
        jubako run --rm --network none committed
        """,
    )
    lines = shown.splitlines()
    assert (lines[:2], lines[-2:]) == (["bin/busybox", "new"], ["new", "new"])
    assert "refused" in lines
    assert "no control group" in shown


def test_the_namespaces_last_as_long_as_a_container(session: User) -> None:
    said(session, "jubako run -d --name box --network none busybox sleep 4999")
    assert len(holders(session)) == 1
    words = (session.runtime / "jubako/namespaces").read_text().split()
    assert [int(words[0])] == holders(session)
    # Of another session, with other mounts: it is told what is wrong, and builds all the same.
    refused = session.run("run", "--rm", "--network", "none", "busybox", "true")
    assert refused.returncode == 125
    assert "containers that were started among other mounts" in refused.stdout
    session.dockerfile("FROM busybox\nRUN echo well\n")
    session.build()
    os.kill(processes_of(session, "sleep\0004999")[0], 9)
    until(lambda: not holders(session), "the namespaces are held for nobody")
    assert (session.runtime / "jubako/namespaces").read_text() == ""
    assert "Exited (137)" in session("ps", "-a")
    session("rm", "box")


def processes_of(user: User, command: str) -> list[int]:
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if (directory / "cmdline").read_bytes() == command.encode() + b"\0":
                found.append(int(directory.name))
        except OSError:
            continue
    return found


def test_parallel_starts_are_in_one_namespace(session: User) -> None:
    out = said(
        session,
        """
    for i in 1 2 3 4; do jubako run -d --name box$i --network none busybox sleep 100 >/dev/null & done; wait
    for i in 1 2 3 4; do jubako exec box$i readlink /proc/self/ns/user; done | sort -u
    jubako rm -f box1 box2 box3 box4 >/dev/null""",
    )
    assert len(out.splitlines()) == 1
    until(lambda: not holders(session), "the namespaces are held for nobody")


def test_a_killed_holder_is_replaced(session: User) -> None:
    said(session, "jubako run -d --name old --network none busybox sleep 100")
    (holder,) = holders(session)
    os.kill(holder, 9)
    out = said(
        session,
        """
    jubako run -d --name new --network none busybox sleep 100 >/dev/null; jubako exec new echo in
    ! jubako exec old true; jubako ps -q | wc -l; jubako rm -f old new >/dev/null; jubako ps -aq""",
    )
    assert out.splitlines()[0] == "in"
    assert out.splitlines()[-1] == "2"
    until(lambda: not holders(session), "the namespaces are held for nobody")


def test_an_end_that_nobody_waits_for_is_recorded(session: User) -> None:
    said(
        session,
        """
    jubako run -d --name box --network none busybox sh -c 'exit 5'
    jubako run -d --rm --name gone --network none busybox true
    for i in $(seq 100); do test "$(jubako inspect -f '{{.State.ExitCode}}' box)" = 5 && break; sleep 0.1; done
    test "$(jubako inspect -f '{{.State.ExitCode}}' box)" = 5
    for i in $(seq 100); do test -z "$(jubako ps -aq -f name=gone)" && break; sleep 0.1; done
    test -z "$(jubako ps -aq -f name=gone)"; jubako rm box""",
    )
    assert list((session.runtime / "jubako/containers").iterdir()) == []


def test_volumes_and_binds(session: User) -> None:
    (session.home / "shared").mkdir()
    os.chown(session.home / "shared", ordinary.UID, ordinary.UID)
    said(
        session,
        f"""
    R="jubako run --rm --network none"
    $R -v {session.home}/shared:/s -v data:/d busybox sh -c 'touch /s/mine /d/x; chown 5:6 /d/x'
    $R -v data:/d:ro --tmpfs /t busybox sh -c 'test "$(stat -c %u /d/x)" = 5; ! touch /d/y; touch /t/z'
    jubako volume rm data""",
    )
    assert (session.home / "shared/mine").stat().st_uid == ordinary.UID


def test_the_network_is_pastas(session: User, outside: str) -> None:
    out = said(
        session,
        f"""
    jubako run --rm busybox sh -c 'wget -q -O- {outside}; cat /etc/resolv.conf; ping -c1 127.0.0.1 >/dev/null; echo $?'
    jubako run -d --name box busybox sleep 100 >/dev/null; jubako exec box wget -q -O- {outside}
    jubako run --rm --network container:box busybox ip -o -4 addr show way-out
    jubako run --rm --network host busybox ip -o link show way-out
    jubako rm -f box >/dev/null""",
    )
    assert out.count("from outside") == 2
    assert "nameserver 169.254.1.1" in out
    assert "\n0\n" in out
    assert "10.99.0.2/24" in out
    until(lambda: not processes(session, "pasta"), "pasta is left")


def fetched(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/passwd", timeout=10) as answer:
        return str(answer.read().decode())


def test_published_ports(session: User, outside: str) -> None:
    out = said(
        session,
        """
    jubako run -d --name fixed -p 127.0.0.1:18080:80 busybox httpd -f -p 80 -h /etc >/dev/null
    jubako run -d --name chosen -p 80 busybox httpd -f -p 80 -h /etc >/dev/null
    jubako port fixed; jubako port chosen 80; jubako ps --format '{{.Ports}}' -f name=fixed""",
    )
    arrow, chosen, shown = out.splitlines()
    fixed = arrow.removeprefix("80/tcp -> ")
    assert fixed == "127.0.0.1:18080"
    assert shown == "127.0.0.1:18080->80/tcp"
    until(lambda: "root:x:0:0" in fetched(18080), "nobody answers")
    assert "root:x:0:0" in fetched(int(chosen.rpartition(":")[2]))
    taken = session.shell("jubako run --rm -p 18080:80 busybox true")
    assert taken.returncode == 125
    assert "failed to bind host port for 0.0.0.0:18080" in taken.stdout
    said(session, "jubako rm -f fixed chosen; jubako run --rm -p 18080:80 busybox true")
    until(lambda: not processes(session, "pasta"), "pasta is left")


def test_a_killed_monitor_leaves_nothing_after_the_next_command(session: User, outside: str) -> None:
    said(session, "jubako run -d --name box busybox sleep 4998")
    (first,) = processes_of(session, "sleep\0004998")
    monitor = int(Path(f"/proc/{first}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(monitor, 9)
    until(lambda: not processes_of(session, "sleep\0004998"), "the container lives on")
    assert "Exited (137)" in session("ps", "-a")
    until(lambda: not processes(session, "pasta"), "pasta is left")
    assert list((session.runtime / "jubako/containers").iterdir()) == []
    session("rm", "box")


def test_limits_are_left_out_and_it_is_said_once(session: User) -> None:
    out = said(session, "jubako run --rm --network none -m 64m --cpus 1 --pids-limit 10 busybox echo ran")
    warning, ran = out.splitlines()
    assert warning.startswith("WARNING: the limits of memory, CPU, processes are not set: ")
    assert warning.endswith(")"), "what to do about it"
    assert ran == "ran"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("run", "--restart", "always", "busybox"), "--restart always is not supported for ordinary users"),
        (("run", "--pid", "host", "busybox"), "--pid host is not supported for ordinary users"),
        (("run", "--network", "mine", "busybox"), "network mine is not supported for ordinary users"),
    ],
)
def test_what_is_not_there_is_refused_by_name(session: User, arguments: tuple[str, ...], what: str) -> None:
    done = session.run(*arguments)
    assert done.returncode == 125
    assert what in done.stdout
    assert session("ps", "-aq") == ""


def test_what_needs_a_group_is_refused_by_name(session: User) -> None:
    out = said(
        session,
        """
    jubako run -d --name box --network none busybox sleep 100 >/dev/null
    ! jubako pause box; ! jubako stats --no-stream box
    ! jubako update -m 64m box; ! jubako update --restart always box
    jubako rm -f box >/dev/null""",
    )
    assert out.count("it has no control group") == 3
    assert "--restart always is not supported" in out


def test_through_the_keeper(session: User) -> None:
    out = said(
        session,
        f"""
    jubako images >/dev/null
    for i in $(seq 100); do test -S {session.runtime}/jubako/keeper-*.sock && break; sleep 0.1; done; sleep 0.5
    trap "kill $(cat {session.runtime}/jubako/keeper-*.lock)" EXIT
    jubako run --rm --network none busybox echo first
    jubako run -d --name box --network none busybox sleep 100 >/dev/null
    jubako exec box echo second; jubako rm -f box >/dev/null""",
        JUBAKO_KEEPER="1",
    )
    assert out.split() == ["first", "second"]
    until(lambda: not holders(session), "the namespaces are held for nobody")


def test_python_runs_a_container(session: User) -> None:
    program = """
import jubako
jubako.enter_user_namespace()
print(jubako.run("busybox", ["id", "-u"], network="none").stdout)
"""
    done = session.finished(ordinary.command(["python3", "-c", program], session.etc, base=session.base), None)
    assert done.stdout == "b'0\\n'\n", done.stdout
    refused = subprocess.run(
        ordinary.command(
            ["python3", "-c", 'import jubako; jubako.run("busybox", ["true"])'], session.etc, base=session.base
        ),
        env=session.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "a container needs root" in refused.stderr
