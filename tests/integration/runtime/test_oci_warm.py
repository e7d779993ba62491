"""jubako-oci with a keeper does what it does cold, and the container descends from the caller."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import until

from .oci import Oci

pytestmark = pytest.mark.root

COMMAND = Path(sys.executable).parent / "jubako-oci"
SLEEP = ("/bin/sleep", "300")
COLD = {"JUBAKO_KEEPER": "0"}
NAME = f"warm-{os.getpid()}"  # groups are named so, for all roots


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def keeper_and_socket() -> tuple[int, Path] | None:
    """The keeper of this installation's jubako-oci."""
    for lock in Path("/run/jubako").glob("keeper-*.lock"):
        with contextlib.suppress(OSError, ValueError):
            pid = int(lock.read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if os.fsencode(COMMAND.parent / "jubako-python") in words and b"jubako-oci" in words:
                return pid, lock.with_suffix(".sock")
    return None


def find_keeper() -> int | None:
    """Its pid once it serves and has its spares. Never 0: a signal to that would be for all of us."""
    pid, socket = keeper_and_socket() or (0, Path("/nonexistent"))
    try:
        return pid if pid and socket.exists() and len(children(pid)) >= 2 else None
    except OSError:
        return None


class Warm(Oci):
    def start(self, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        command = [str(COMMAND), "--root", str(self.base / "state"), *arguments]
        return subprocess.Popen(command, env={**os.environ, **(env or {})}, text=True, **options)

    def run_in_foreground(self, name: str, **options: Any) -> subprocess.Popen[str]:
        """A front with its container that runs."""
        front = self.start("run", "-b", str(self.bundle), name, **options)
        until(lambda: self.pid(name) and self.status(name) == "running")
        # It is called running before its start; until then it ends with its command.
        until(lambda: not Path(f"/proc/{self.pid(name)}/comm").read_text().startswith("jubako"))
        return front

    def leave(self, name: str) -> None:
        """A container that runs, and nobody beside it."""
        done = self("run", "-d", "-b", str(self.bundle), name)
        assert (done.returncode, done.stderr, self.status(name)) == (0, "", "running")

    def record(self, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.base / "state" / name / "state.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    def pid(self, name: str) -> int:
        return int(self.record(name).get("pid", 0))

    def is_warm(self, front: subprocess.Popen[str]) -> bool:
        return os.path.basename(os.readlink(f"/proc/{front.pid}/exe")) == "jubako-oci"

    def call_of(self, front: subprocess.Popen[str]) -> int:
        """The process that runs the front's call, where there is but one."""
        found: list[int] = until(lambda: calls if len(calls := self.calls()) == 1 else [])
        assert self.is_warm(front)
        return found[0]

    def calls(self) -> list[int]:
        """The keeper's children that are calls: they have their caller's directory, spares the root."""
        found = []
        for pid in children(until(find_keeper)):
            with contextlib.suppress(OSError):
                found += [pid] * (os.readlink(f"/proc/{pid}/cwd") != "/")
        return found

    def assert_nothing_left(self, name: str, *pids: int) -> None:
        assert not (self.base / "state" / name).exists()
        until(lambda: not any(alive(pid) for pid in pids))
        assert not list(Path("/sys/fs/cgroup").glob(f"*/jubako/{name}"))


@pytest.fixture(scope="module", autouse=True)
def fresh_keeper() -> None:
    """None that other tests left, which may live in other namespaces."""
    if found := keeper_and_socket():
        os.kill(found[0], signal.SIGTERM)
        until(lambda: not alive(found[0]))


@pytest.fixture
def warm(tmp_path: Path, image: Path) -> Iterator[Warm]:
    oci = Warm(tmp_path, image)
    oci("list")
    until(find_keeper)
    yield oci
    for name in oci("list", "-q").stdout.split():
        oci("delete", "--force", name)


def test_a_container_in_the_foreground_descends_from_its_caller(warm: Warm) -> None:
    warm.configure(*SLEEP)
    front = warm.run_in_foreground(NAME)
    assert warm.is_warm(front)
    monitor = parent(warm.pid(NAME))
    assert parent(monitor) == front.pid
    assert Path(f"/proc/{monitor}/comm").read_text() == "jubako-monitor\n"
    warm("kill", NAME, "KILL")
    assert front.wait(20) == 128 + signal.SIGKILL
    warm.assert_nothing_left(NAME, monitor)


def test_the_process_of_an_exec_descends_from_its_caller(warm: Warm) -> None:
    warm.configure(*SLEEP)
    warm.leave(NAME)
    front = warm.start("exec", NAME, "/bin/sh", "-c", "sleep 300; true")
    assert warm.is_warm(front)
    monitor = until(lambda: children(front.pid))[0]
    until(lambda: b"sleep 300" in b" ".join(command_lines(monitor)))
    front.send_signal(signal.SIGTERM)
    assert front.wait(20) == 128 + signal.SIGTERM
    until(lambda: not alive(monitor))


def command_lines(monitor: int) -> list[bytes]:
    return [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ") for pid in children(monitor)]


SUBREAPER = """
import ctypes, os, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
subprocess.run(sys.argv[2:], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
pid = int(open(sys.argv[1]).read())
for _ in range(500):  # the executor may be about to end
    parent = int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
    if parent == os.getpid():
        break
    time.sleep(0.01)
print(parent == os.getpid())
"""


WAITER = """
import contextlib, ctypes, os, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
subprocess.run(sys.argv[1:], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
with contextlib.suppress(ChildProcessError):
    while True:
        os.wait()
"""


def test_no_keeper_is_left_to_who_may_wait_for_all_its_children(warm: Warm) -> None:
    """conmon does: it would stay as long as the keeper."""
    if found := keeper_and_socket():
        os.kill(found[0], signal.SIGTERM)
        until(lambda: not alive(found[0]))
    argv = [sys.executable, "-c", WAITER, COMMAND, "--root", warm.base / "state", "list"]
    assert subprocess.run(argv, timeout=20, check=False).returncode == 0
    assert not keeper_and_socket()


@pytest.mark.parametrize("command", ["create", "run", "exec"])
def test_a_container_left_alone_goes_to_the_nearest_subreaper_above_the_caller(
    warm: Warm, command: str, tmp_path: Path
) -> None:
    warm.configure(*SLEEP)
    words = {
        "create": ("create", "-b", str(warm.bundle), "--pid-file", str(tmp_path / "pid"), NAME),
        "run": ("run", "-d", "-b", str(warm.bundle), "--pid-file", str(tmp_path / "pid"), NAME),
        "exec": ("exec", "-d", "--pid-file", str(tmp_path / "pid"), NAME, *SLEEP),
    }[command]
    if command == "exec":
        warm.leave(NAME)
    argv = [sys.executable, "-c", SUBREAPER, str(tmp_path / "pid"), COMMAND, "--root", warm.base / "state", *words]
    assert subprocess.check_output(argv, text=True, timeout=60) == "True\n"


def test_streams_are_the_callers_own_open_files(warm: Warm, tmp_path: Path) -> None:
    warm.configure("sh", "-c", "read line; echo got $line; echo problem >&2; read line; echo got $line")
    (tmp_path / "in").write_text("one\ntwo\nthree\n")
    with (tmp_path / "in").open() as stdin, (tmp_path / "all").open("w") as both:
        both.write("before\n")
        both.flush()
        front = warm.start("run", "-b", str(warm.bundle), NAME, stdin=stdin, stdout=both, stderr=both)
        assert front.wait(30) == 0
        # A shared offset, so the very same open file and no copy of what went through another.
        assert os.lseek(both.fileno(), 0, os.SEEK_CUR) == len("before\ngot one\nproblem\ngot two\n")
        assert os.read(stdin.fileno(), 100) == b"three\n"


SHOW = """
ulimit -a; umask; cat /proc/self/oom_score_adj; env; pwd; ls -l /proc/self/fd | wc -l
grep -E 'Sig(Ign|Blk)|Cap|NoNew|Seccomp|Groups' /proc/self/status
cut -d: -f2- /proc/self/cgroup; grep -c . /proc/self/mountinfo; cat /proc/1/comm; tty; true
"""


def set_up_caller() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, 400))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o37)
    Path("/proc/self/oom_score_adj").write_text("7")
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])


def test_a_program_finds_the_same_warm_and_cold(warm: Warm, tmp_path: Path) -> None:
    warm.configure("sh", "-c", SHOW, rlimits=[])
    shown = []
    for env in ({}, COLD):
        with (tmp_path / "shown").open("w+") as file:
            front = warm.start(
                "run", "-b", str(warm.bundle), NAME, env=env, stdout=file, stderr=file, preexec_fn=set_up_caller
            )
            code = front.wait(30)
            file.seek(0)
            shown.append((code, file.read()))
    assert shown[0] == shown[1]
    assert shown[0][0] == 0, shown[0][1]
    assert "300" in shown[0][1]


@pytest.mark.parametrize(
    "words",
    [
        ("state", "nobody"),
        ("frobnicate", NAME),
        ("run", "-b", "/nowhere", "two"),
        ("create", "-b", "BUNDLE", NAME),
        ("run", "-b", "BUNDLE", "bad/name"),
        ("run", "-b", "MISSING", "two"),
        ("exec", NAME, "no-such-program"),
        ("exec", NAME, "/bin/sh", "-c", "exit 9"),
        ("exec", NAME, "/bin/sh", "-c", "kill -9 $$"),
        ("delete", NAME),
        ("start", NAME),
        ("kill", NAME, "NOSUCH"),
        ("delete", "-f", "nobody"),
    ],
)
@pytest.mark.parametrize("kind", ["text", "json"])
def test_codes_messages_and_log_are_the_same_warm_and_cold(warm: Warm, words: tuple[str, ...], kind: str) -> None:
    warm.configure("no-such-program")
    missing = warm.base / "missing"
    missing.mkdir()
    (missing / "rootfs").symlink_to(warm.bundle / "rootfs")
    (missing / "config.json").write_text((warm.bundle / "config.json").read_text())
    warm.configure(*SLEEP)
    warm.leave(NAME)
    places = {"BUNDLE": str(warm.bundle), "MISSING": str(missing)}
    ends = []
    for env in ({}, COLD):
        log = warm.base / "log"
        command = ("--log", str(log), "--log-format", kind, *(places.get(word, word) for word in words))
        with (warm.base / "shown").open("w+") as shown:
            code = warm.start(*command, env=env, stdout=shown, stderr=shown).wait(30)
            shown.seek(0)
            logged = log.read_text() if log.exists() else ""
            ends.append((code, shown.read(), [line.partition("level=")[2] for line in logged.splitlines()]))
        log.unlink(missing_ok=True)
    assert ends[0] == ends[1]
    assert ends[0][0] != 0 or "nobody" in words


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_reach_the_program_and_its_code_comes_back(warm: Warm, number: int) -> None:
    warm.configure("sh", "-c", f"trap 'exit {number + 40}' {number}; while :; do sleep 0.1; done")
    for env in ({}, COLD):
        front = warm.run_in_foreground(NAME, env=env)
        pid = warm.pid(NAME)
        until(lambda pid=pid: caught(pid) >> (number - 1) & 1)
        front.send_signal(number)
        assert front.wait(20) == number + 40


def caught(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().partition("SigCgt:")[2].split()[0], 16)


@pytest.mark.parametrize("env", [{}, COLD], ids=["warm", "cold"])
def test_a_container_outlives_a_command_that_was_killed_and_delete_removes_it(warm: Warm, env: dict[str, str]) -> None:
    warm.configure(*SLEEP)
    front = warm.run_in_foreground(NAME, env=env)
    pid = warm.pid(NAME)
    monitor = parent(pid)
    calls = [] if env else [warm.call_of(front)]
    front.kill()
    front.wait()
    until(lambda: not any(alive(call) for call in calls))
    assert warm.status(NAME) == "running"
    assert alive(monitor)
    assert warm("delete", "--force", NAME).returncode == 0
    warm.assert_nothing_left(NAME, pid, monitor)


def test_a_killed_call_is_a_killed_command(warm: Warm) -> None:
    warm.configure(*SLEEP)
    front = warm.run_in_foreground(NAME)
    pid = warm.pid(NAME)
    os.kill(warm.call_of(front), signal.SIGKILL)
    assert front.wait(20) == -signal.SIGKILL
    assert warm.status(NAME) == "running"
    assert warm("delete", "--force", NAME).returncode == 0
    warm.assert_nothing_left(NAME, pid)


def test_a_call_goes_on_without_its_keeper(warm: Warm) -> None:
    warm.configure("sh", "-c", "trap 'exit 6' TERM; while :; do sleep 0.05; done")
    front = warm.run_in_foreground(NAME)
    until(lambda: caught(warm.pid(NAME)) >> (signal.SIGTERM - 1) & 1)
    os.kill(until(find_keeper), signal.SIGKILL)
    front.send_signal(signal.SIGTERM)
    assert front.wait(20) == 6
    warm.assert_nothing_left(NAME)


@pytest.mark.parametrize("victim", ["front", "call"])
@pytest.mark.parametrize("command", ["create", "run"])
def test_what_was_killed_while_it_created_is_removed(warm: Warm, command: str, victim: str, tmp_path: Path) -> None:
    warm.configure(*SLEEP)
    warm.hook("createRuntime", f"echo $$ >{tmp_path}/hook; exec sleep 300")
    front = warm.start(command, "-b", str(warm.bundle), NAME)
    until(lambda: (tmp_path / "hook").exists() and (tmp_path / "hook").read_text())
    hook = int((tmp_path / "hook").read_text())
    pid = warm.pid(NAME)
    os.kill(front.pid if victim == "front" else warm.call_of(front), signal.SIGKILL)
    assert front.wait(20) == -signal.SIGKILL
    os.kill(hook, signal.SIGKILL)
    assert warm("delete", "--force", NAME).returncode == 0
    warm.assert_nothing_left(NAME, pid)


@pytest.mark.parametrize(
    "wrapper", [("unshare", "--net"), ("unshare", "--ipc"), ("setpriv", "--no-new-privs"), ("setsid",)], ids=" ".join
)
def test_a_caller_in_another_context_runs_cold_and_one_in_another_session_does_not(
    warm: Warm, wrapper: tuple[str, ...], tmp_path: Path
) -> None:
    warm.configure(*SLEEP)
    argv = [*wrapper, str(COMMAND), "--root", str(warm.base / "state"), "run", "-b", str(warm.bundle), NAME]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as front:
        until(lambda: warm.pid(NAME) and warm.status(NAME) == "running")
        assert warm.is_warm(front) == (wrapper == ("setsid",))
        warm("kill", NAME, "KILL")
        assert front.wait(20) == 128 + signal.SIGKILL


def test_a_terminal_is_relayed(warm: Warm) -> None:
    warm.configure("sh", "-c", "stty size; read line; echo got $line", terminal=True)
    for env in ({}, COLD):
        master, slave = os.openpty()
        termios.tcsetwinsize(slave, (17, 71))
        streams = {"stdin": slave, "stdout": slave, "stderr": slave, "start_new_session": True}
        front = warm.start("run", "-b", str(warm.bundle), NAME, env=env, **streams)
        os.close(slave)
        assert read_until(master, b"17 71\r\n")
        assert warm.is_warm(front) != bool(env)
        os.write(master, b"a line\n")
        assert read_until(master, b"got a line\r\n")
        assert front.wait(20) == 0
        os.close(master)


def read_until(terminal: int, wanted: bytes) -> bool:
    seen = b""
    while wanted not in seen:
        assert select.select([terminal], [], [], 20)[0], seen
        seen += os.read(terminal, 4096)
    return True


@pytest.fixture
def group() -> Iterator[Path]:
    """A group of the pids hierarchy, as an engine makes them for what it starts."""
    path = next(path for path in (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup")) if path.is_dir())
    path = path / "jubako" / f"engine-{os.getpid()}"
    path.mkdir(parents=True)
    yield path
    path.rmdir()


def enter(group: Path) -> None:
    (group / ("tasks" if (group / "tasks").exists() else "cgroup.procs")).write_text("0")


def groups_of(pid: int | str) -> str:
    return Path(f"/proc/{pid}/cgroup").read_text()


def test_a_caller_in_a_group_of_its_own_is_served_and_hooks_and_monitor_are_in_its_group(
    warm: Warm, group: Path, tmp_path: Path
) -> None:
    warm.configure(*SLEEP)
    warm.hook("createRuntime", f"cat /proc/self/cgroup >{tmp_path}/new && mv {tmp_path}/new {tmp_path}/groups")
    front = warm.run_in_foreground(NAME, preexec_fn=lambda: enter(group))
    assert warm.is_warm(front)
    assert groups_of(front.pid) != groups_of("self")
    until((tmp_path / "groups").exists)
    assert (tmp_path / "groups").read_text() == groups_of(front.pid) == groups_of(parent(warm.pid(NAME)))
    warm("kill", NAME, "KILL")
    front.wait(20)


def test_a_keeper_is_not_in_the_group_of_who_left_it_and_takes_its_own_away(warm: Warm, group: Path) -> None:
    first = until(find_keeper)
    os.kill(first, signal.SIGTERM)
    until(lambda: not alive(first))
    assert warm.start("list", preexec_fn=lambda: enter(group)).wait(20) == 0
    keeper = until(find_keeper)
    assert f"/{group.name}\n" not in groups_of(keeper)
    assert any(line.endswith("/jubako/:keepers") for line in groups_of(keeper).splitlines())
    os.kill(keeper, signal.SIGTERM)
    until(lambda: not alive(keeper))
    assert not (group.parent / ":keepers").exists()


def test_it_can_be_turned_off(warm: Warm) -> None:
    warm.configure(*SLEEP)
    front = warm.run_in_foreground(NAME, env=COLD)
    assert not warm.is_warm(front)
    assert parent(parent(warm.pid(NAME))) == front.pid
    warm("kill", NAME, "KILL")
    front.wait(20)


def test_a_program_is_started_from_what_the_keeper_protected_and_nobody_can_write_it(warm: Warm) -> None:
    warm.configure(*SLEEP)
    front = warm.run_in_foreground(NAME)
    monitor = parent(warm.pid(NAME))
    with pytest.raises(OSError, match=r"Read-only|Text file busy"):
        os.open(f"/proc/{monitor}/exe", os.O_WRONLY)
    warm("kill", NAME, "KILL")
    front.wait(20)


def test_many_at_once(warm: Warm) -> None:
    warm.configure("sh", "-c", "exit 4")
    fronts = [warm.start("run", "-b", str(warm.bundle), f"{NAME}-{number}") for number in range(16)]
    assert {front.wait(60) for front in fronts} == {4}
    assert warm("list", "-q").stdout == ""
