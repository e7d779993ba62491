"""`run --init`: process 1 passes signals on, reaps, and ends as the program does."""

from __future__ import annotations

import time

import pytest

pytestmark = pytest.mark.root


def run(jubako, *command, options=()):
    return jubako.run("run", "--rm", "--init", "--network", "none", *options, "busybox", *command)


def test_process_1_is_the_init_and_orphans_are_reaped(jubako):
    script = "(sleep 0.05 &) ; sleep 0.3; ps -o pid,args"
    shown = run(jubako, "sh", "-c", script).stdout.decode()
    assert "1 /sbin/docker-init -- sh -c" in shown
    assert "[sleep]" not in shown
    assert len(shown.splitlines()) <= 4


def test_program_has_the_terminal(jubako):
    done = run(jubako, "sh", "-c", "stty size && read line </dev/tty; echo over", options=("-t", "-i"))
    assert done.returncode != 0  # we have no terminal to give
    script = "ps -o pid,pgid,tty,args; cat /proc/$$/stat | cut -d' ' -f5,8"
    shown = run(jubako, "sh", "-c", script, options=("-t",)).stdout.decode().split()
    assert shown[-1] == shown[-2]  # its process group is the terminal's foreground one


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137), ("true", 0)])
def test_container_ends_as_its_program_does(jubako, script, code):
    assert run(jubako, "sh", "-c", script).returncode == code


def test_program_that_is_not_there_is_told_and_is_127(jubako):
    done = run(jubako, "/no/such/program")
    assert done.returncode == 127
    assert b"/no/such/program" in done.stderr


def test_stop_signal_reaches_the_program_which_need_not_be_process_1_to_hear_it(jubako):
    jubako("run", "-d", "--init", "--name", "web", "--network", "none", "busybox", "sleep", "1000")
    start = time.monotonic()
    jubako("stop", "-t", "30", "web")
    assert time.monotonic() - start < 10
    assert jubako("inspect", "-f", "{{.State.ExitCode}}", "web") == "143\n"


def test_host_binary_cannot_be_written_through_process_1(jubako):
    done = run(jubako, "sh", "-c", "echo >>/proc/1/exe", options=("--privileged",))
    assert done.returncode != 0


def test_init_runs_as_another_user_on_a_read_only_root(jubako):
    done = run(jubako, "id", "-u", options=("--user", "1000:1000", "--read-only"))
    assert (done.returncode, done.stdout) == (0, b"1000\n")
