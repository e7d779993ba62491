"""A call in a keeper's child is what it would be as the caller's own process."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from .tree import Tree, until

pytestmark = pytest.mark.root


def test_first_call_runs_cold_and_leaves_a_keeper_for_the_next(tree: Tree) -> None:
    assert not tree.state()["warm"]
    tree.warm_up()
    assert tree.state()["parent"] == tree.keeper()


def test_arguments_arrive_as_given(warm: Tree) -> None:
    strange = ["", "two words", "-x", "--", "line\nbreak", "ünï", os.fsdecode(b"\xff\xfe")]
    assert warm.state(*strange)["extra"] == strange


def test_environment_is_the_callers_and_nothing_else(warm: Tree) -> None:
    environment = {"HOME": "/nowhere", "EMPTY": "", "BYTES": os.fsdecode(b"\xff"), "PYTHONPATH": "/evil"}
    state = warm.state(env=environment)
    assert state["warm"]
    assert state["environment"] == warm.environment(**environment)


def test_environment_of_two_megabytes_arrives(warm: Tree) -> None:
    big = {f"BIG{n}": "x" * 100_000 for n in range(15)}
    state = warm.state(env=big)
    assert state["warm"]
    assert state["environment"] == warm.environment(**big)


def test_time_zone_of_the_caller_is_used(warm: Tree) -> None:
    assert warm.state(env={"TZ": "XYZ-3"})["time"] == "XYZ"


def test_directory_is_the_callers(warm: Tree, tmp_path: Path) -> None:
    assert warm.state(cwd=tmp_path)["cwd"] == str(tmp_path)


def test_umask_is_the_callers(warm: Tree) -> None:
    assert warm.state(umask=0o27)["umask"] == 0o27


def test_lower_limits_are_applied(warm: Tree) -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limits in ((500, hard), (400, 600)):
        state = warm.state(preexec_fn=lambda limits=limits: resource.setrlimit(resource.RLIMIT_NOFILE, limits))
        assert state["warm"]
        assert tuple(state["nofile"]) == limits


def test_ignored_and_blocked_signals_stay_so(warm: Tree) -> None:
    def prepare() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])

    state = warm.state(preexec_fn=prepare)
    assert state["warm"]
    assert set(state["ignored"]) == {signal.SIGHUP, signal.SIGTSTP, signal.SIGPIPE, signal.SIGXFSZ}
    assert state["blocked"] == [signal.SIGUSR1]


def test_a_call_holds_no_open_file_but_its_own(warm: Tree) -> None:
    *stdio, connection = warm.state()["fds"]
    assert stdio == [0, 1, 2]
    assert connection > 2


def test_files_above_stdio_keep_their_numbers(warm: Tree, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("through a number\n")
    script = f"exec 3>/dev/null 5<{tmp_path}/file 9>/dev/null; exec {warm.command} read /dev/fd/5"
    result = subprocess.run(["bash", "-c", script], env=warm.environment(), capture_output=True, text=True, timeout=30)
    assert (result.stdout, result.stderr) == ("through a number\n", "")
    assert warm.state(pass_fds=[os.open("/dev/null", os.O_RDONLY)])["warm"]


def test_process_substitution_works(warm: Tree) -> None:
    script = f"{warm.command} read <(echo substituted)"
    assert subprocess.check_output(["bash", "-c", script], env=warm.environment(), text=True) == "substituted\n"


@pytest.mark.parametrize("number", [0, 1, 2])
def test_closed_stdio_becomes_the_null_device(warm: Tree, number: int, tmp_path: Path) -> None:
    for keeper in ("", "0"):
        script = f"{warm.command} version {number}<&- ; echo $?"
        environment = warm.environment(JUBAKO_KEEPER=keeper)
        output = subprocess.check_output(["bash", "-c", script], env=environment, text=True, stderr=subprocess.STDOUT)
        assert output == ("0\n" if number == 1 else "one\n0\n")


@pytest.mark.parametrize("mode", ["warm", "cold"])
def test_every_exit_code_comes_back(warm: Tree, mode: str) -> None:
    codes = range(256) if mode == "warm" else (0, 1, 2, 125, 126, 127, 128, 255)
    environment = {} if mode == "warm" else {"JUBAKO_KEEPER": "0"}
    assert [warm.run("exit", str(code), env=environment).returncode for code in codes] == list(codes)


@pytest.mark.parametrize("keeper", ["1", "0"])
def test_raised_exits_and_failures_end_as_in_an_interpreter(warm: Tree, keeper: str) -> None:
    environment = {"JUBAKO_KEEPER": keeper}
    assert warm.run("raise", "7", env=environment).returncode == 7
    told = warm.run("raise", "a reason", env=environment)
    assert (told.returncode, told.stderr) == (1, "a reason\n")
    failed = warm.run("fail", env=environment)
    assert failed.returncode == 1
    assert "RuntimeError: as asked" in failed.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGHUP, signal.SIGUSR1])
def test_death_by_a_signal_is_the_fronts_too(warm: Tree, number: int) -> None:
    assert warm.run("die", str(int(number))).returncode == -number
    assert warm.run("die", str(int(number)), env={"JUBAKO_KEEPER": "0"}).returncode == -number


@pytest.mark.parametrize("keeper", ["1", "0"])
def test_a_reader_that_leaves_ends_the_call_quietly(warm: Tree, keeper: str) -> None:
    script = f"{warm.command} flood | head -1; echo ${{PIPESTATUS[0]}}"
    environment = warm.environment(JUBAKO_KEEPER=keeper)
    result = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert (result.stdout, result.stderr) == ("0\n141\n", "")


def test_a_megabyte_passes_through_pipes_unchanged(warm: Tree) -> None:
    data = os.urandom(1 << 20)
    assert warm.run("cat", input=data, text=False).stdout == data


def test_output_ends_with_the_call(warm: Tree) -> None:
    """A pipe's reader sees the end although the keeper and other calls live on."""
    other = warm.start("wait")
    assert other.stdout is not None
    other.stdout.readline()
    assert warm.run("version").stdout == "one\n"
    other.terminate()
    assert other.wait(timeout=60) == -signal.SIGTERM


def test_64_calls_at_once_each_get_their_own_answer(warm: Tree) -> None:
    calls = [warm.start("state", f"call{n}") for n in range(64)]
    outputs = [call.communicate(timeout=120)[0] for call in calls]
    assert [call.returncode for call in calls] == [0] * 64
    assert all(f'"call{n}"' in output for n, output in enumerate(outputs))


def test_64_first_calls_at_once_leave_one_keeper(tree: Tree) -> None:
    calls = [tree.start("version") for _ in range(64)]
    assert [call.communicate(timeout=120)[0] for call in calls] == ["one\n"] * 64
    tree.warm_up()
    keeper = tree.keeper()
    until(lambda: len(tree.processes()) == 3)  # with its two spares
    assert set(tree.processes()) > {keeper}


def test_python_m_jubako_does_the_same(tree: Tree) -> None:
    python = str(tree.path / "bin" / "python3")
    assert subprocess.check_output([python, "-m", "jubako", "version"], text=True) == "one\n"
    assert subprocess.run([python, "-m", "jubako", "exit", "9"]).returncode == 9
