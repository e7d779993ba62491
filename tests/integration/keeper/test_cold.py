"""Where a call could tell the difference, it runs as the caller's own process."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .tree import Tree, until

pytestmark = pytest.mark.root

PR_SET_NO_NEW_PRIVS, PR_SET_SECUREBITS, PR_CAPBSET_DROP, PR_SET_SECCOMP = 38, 28, 24, 22


def prctl(*arguments: int) -> None:
    assert ctypes.CDLL(None, use_errno=True).prctl(*arguments, *[0] * (5 - len(arguments))) == 0


def lower_hard_limit() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400))


DIFFERENCES: dict[str, Callable[[], object]] = {
    "no_new_privs": lambda: prctl(PR_SET_NO_NEW_PRIVS, 1),
    "securebits": lambda: prctl(PR_SET_SECUREBITS, 1),
    "bounding set": lambda: prctl(PR_CAPBSET_DROP, 30),
    "group": lambda: os.setgid(12345),
    "supplementary groups": lambda: os.setgroups([12345]),
    "nice": lambda: os.nice(5),
    "affinity": lambda: os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]),
    "scheduler": lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)),
    "personality": lambda: ctypes.CDLL(None).personality(0x0040000),
    "chroot": lambda: os.chroot("/proc/self/root/tmp/.."),
}


@pytest.mark.parametrize("difference", [name for name in DIFFERENCES if name != "chroot"])
def test_other_credentials_run_cold(warm: Tree, difference: str) -> None:
    if difference == "affinity" and len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one processor")
    state = warm.state(preexec_fn=DIFFERENCES[difference])
    assert not state["warm"]
    assert warm.state()["warm"]


@pytest.mark.parametrize("kind", ["mount", "net", "ipc", "uts", "cgroup", "time", "user"])
def test_another_namespace_runs_cold(warm: Tree, kind: str) -> None:
    extra = ["--map-root-user"] if kind == "user" else []
    command = ["unshare", f"--{kind}", *extra, warm.command, "state"]
    output = subprocess.check_output(command, env=warm.environment(), text=True)
    assert f'"parent": {warm.keeper()}' not in output
    assert warm.state()["warm"]


def test_another_pid_namespace_runs_cold(warm: Tree) -> None:
    command = ["unshare", "--pid", "--fork", warm.command, "state"]
    assert '"pid": 1,' in subprocess.check_output(command, env=warm.environment(), text=True)


def test_a_pid_namespace_for_children_only_runs_cold(warm: Tree) -> None:
    command = ["unshare", "--pid", warm.command, "state"]
    output = subprocess.check_output(command, env=warm.environment(), text=True)
    assert f'"parent": {warm.keeper()}' not in output


def test_a_limit_above_the_keepers_runs_cold(tree: Tree) -> None:
    tree.warm_up(preexec_fn=lower_hard_limit)
    assert not tree.state()["warm"]
    assert tree.state(preexec_fn=lower_hard_limit)["warm"]


@pytest.fixture
def other_cgroup() -> object:
    bases = [Path("/sys/fs/cgroup/pids/jubako"), Path("/sys/fs/cgroup/jubako"), Path("/sys/fs/cgroup/unified/jubako")]
    base = next((path for path in bases if path.parent.joinpath("cgroup.procs").exists()), None)
    if base is None:
        pytest.skip("no cgroups")
    existed = base.exists()
    group = base / f"keeper-test-{os.getpid()}"
    group.mkdir(parents=True)
    yield group
    until(lambda: not (group / "cgroup.procs").read_text())
    group.rmdir()
    if not existed:
        base.rmdir()


def test_another_cgroup_runs_cold_and_stays_the_callers(warm: Tree, other_cgroup: Path) -> None:
    state = warm.state(preexec_fn=lambda: (other_cgroup / "cgroup.procs").write_text("0"))
    assert not state["warm"]
    assert other_cgroup.name in state["cgroup"]


@pytest.mark.parametrize(
    "variable", ["JUBAKO_KEEPER=0", "LD_BIND_NOW=1", "MALLOC_ARENA_MAX=1", "GLIBC_TUNABLES=glibc.malloc.check=0"]
)
def test_variables_that_act_at_the_start_of_a_process_run_cold(warm: Tree, variable: str) -> None:
    name, _, value = variable.partition("=")
    assert not warm.state(env={name: value})["warm"]


def test_switched_off_leaves_no_keeper(tree: Tree) -> None:
    assert not tree.state(env={"JUBAKO_KEEPER": "0"})["warm"]
    assert tree.keeper() is None


def test_callers_python_variables_change_nothing(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "jubako").mkdir()
    (tmp_path / "jubako" / "__init__.py").write_text("raise SystemExit('hijacked')")
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('hijacked')")
    evil = {"PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nonexistent", "PYTHONSTARTUP": str(tmp_path / "x")}
    for _ in range(3):
        assert tree.run("version", env=evil, cwd=tmp_path).stdout == "one\n"
    tree.warm_up(env=evil, cwd=tmp_path)


@pytest.mark.parametrize("command", [["login"], ["--root", "/x", "registry", "serve"]])
def test_long_lived_commands_run_as_the_callers_own_process(warm: Tree, command: list[str]) -> None:
    process = warm.start(*command)
    output, _ = process.communicate(timeout=30)
    assert f'"pid": {process.pid},' in output


def test_stale_socket_is_replaced(tree: Tree) -> None:
    keeper = tree.warm_up()
    os.kill(keeper, signal.SIGKILL)
    until(lambda: not tree.processes())
    state = tree.state()
    assert not state["warm"]
    assert tree.warm_up() != keeper


def test_a_file_where_the_socket_belongs_does_no_harm(tree: Tree) -> None:
    tree.warm_up()
    path = tree.socket()
    tree.stop()
    path.write_text("not a socket")
    assert tree.run("version").stdout == "one\n"
    tree.warm_up()


def test_a_keeper_that_does_not_answer_costs_time_only(warm: Tree) -> None:
    keeper = warm.keeper()
    assert keeper is not None
    until(lambda: len(warm.processes()) == 3)  # the keeper and two spares
    stopped = [keeper, *(pid for pid in warm.processes() if pid != keeper)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert not warm.state()["warm"]
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    until(lambda: warm.state()["warm"])


def test_a_runtime_directory_that_others_may_write_to_is_not_used(install: Callable[..., Tree], tmp_path: Path) -> None:
    # As an ordinary user, whose directory comes from the environment.
    tree = install("user", uid=65534)
    runtime = tmp_path_for(tree)
    (runtime / "jubako").mkdir()
    os.chown(runtime / "jubako", 65534, 65534)
    os.chmod(runtime / "jubako", 0o777)
    environment = {"XDG_RUNTIME_DIR": str(runtime)}
    for _ in range(2):
        assert tree.run("version", env=environment, **tree.as_user).stdout == "one\n"
    assert list((runtime / "jubako").iterdir()) == []


def tmp_path_for(tree: Tree) -> Path:
    runtime = tree.path / "runtime"
    runtime.mkdir()
    os.chmod(runtime, 0o755)
    return runtime


IMPOSTOR = """
import os, socket, struct, sys
path = sys.argv[1]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(path)
listener.listen()
os.chroot(sys.argv[2])
print("ready", flush=True)
connection, _ = listener.accept()
received = b""
try:
    connection.sendall(struct.pack("=Ii", 0, 0))
    received = connection.recv(1 << 16)
except OSError:
    pass
print(len(received), flush=True)
"""


@pytest.mark.parametrize(
    ("root", "wrapper"),
    [
        ("/", ()),
        ("/", ("setpriv", "--no-new-privs")),
        ("/", ("setpriv", "--bounding-set=-sys_admin")),
        ("/proc", ()),
    ],
)
def test_a_confined_process_in_the_keepers_place_is_handed_nothing(
    warm: Tree, root: str, wrapper: tuple[str, ...]
) -> None:
    socket = warm.socket()
    warm.stop()
    command = [*wrapper, sys.executable, "-c", IMPOSTOR, str(socket), root]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as impostor:
        assert impostor.stdout is not None
        assert impostor.stdout.readline() == "ready\n"
        assert not warm.state()["warm"]
        received = int(impostor.stdout.readline())
    assert (received == 0) == (bool(wrapper) or root != "/")
