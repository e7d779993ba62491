"""Flags, help, logs and exit codes of `jubako-oci`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jubako.runtime.oci.arguments import COMMANDS

from .oci import Oci

pytestmark = pytest.mark.root


def test_help_names_every_command_and_every_option(oci: Oci) -> None:
    overview = oci("--help").stdout
    assert overview.startswith("NAME:\n   jubako-oci - ")
    assert overview == oci("help").stdout == oci("-h").stdout == oci().stdout
    for command, options in COMMANDS.items():
        assert f"\n   {command} " in overview
        shown = oci(command, "--help")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert f"jubako-oci {command} - " in shown.stdout
        assert all(f"--{name}" in shown.stdout for name in options)
    assert oci("help", "run").stdout == oci("run", "-h").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bogus",), "No help topic for 'bogus'"),
        (("help", "bogus"), "No help topic for 'bogus'"),
        (("--bogus", "list"), "flag provided but not defined: --bogus"),
        (("list", "--bogus"), "flag provided but not defined: --bogus"),
        (("create", "--bundle"), "flag needs an argument: --bundle"),
        (("create",), '"create" requires exactly 1 argument(s)'),
        (("create", "a", "b"), '"create" requires exactly 1 argument(s)'),
        (("kill",), '"kill" requires a minimum of 1 argument(s)'),
        (("kill", "a", "TERM", "x"), '"kill" requires a maximum of 2 argument(s)'),
        (("list", "x"), '"list" requires exactly 0 argument(s)'),
        (("--log-format", "xml", "list"), "invalid log-format: xml"),
        (("list", "-f", "xml"), "invalid format option"),
    ],
)
def test_a_command_line_that_is_wrong_is_refused(oci: Oci, arguments: tuple[str, ...], said: str) -> None:
    done = oci(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"jubako-oci: {said}\n")


def test_without_criu_checkpoint_and_restore_are_refused(oci: Oci, monkeypatch: pytest.MonkeyPatch) -> None:
    oci.create("one")
    assert "does not exist" in oci("checkpoint", "two").stderr
    monkeypatch.setenv("PATH", "/nowhere")
    said = "jubako-oci: checkpoint and restore need criu(8), which is not installed\n"
    assert oci("checkpoint", "--image-path", "/tmp", "one").stderr == said
    assert oci("restore", "-b", str(oci.bundle), "two").stderr == said


def test_global_options_may_follow_the_command(oci: Oci, tmp_path: Path) -> None:
    oci.create("one")
    assert oci("list", "--root", str(tmp_path / "other"), "-q").stdout == ""
    assert oci("list", "-q", "--systemd-cgroup=false", "--rootless", "auto").stdout == "one\n"


def test_the_log_has_the_form_that_callers_parse(oci: Oci, tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = oci("--log", str(log), "--log-format", "json", "state", "none")
    assert done.stderr == "container does not exist: none\n"
    assert log.read_text().startswith('{"level":"error","msg":"container does not exist: none","time":"')
    log.unlink()
    oci("--log", str(log), "state", "none")
    assert log.read_text().endswith(' level=error msg="container does not exist: none"\n')
    line = oci("--log-format", "json", "state", "none").stderr
    assert json.loads(line)["level"] == "error"


def test_debug_messages_go_where_the_others_go(oci: Oci, tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = oci("--debug", "--log", str(log), "list", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert "level=debug" in log.read_text()
    assert "level=debug" in oci("--debug", "list").stderr
    assert "level=debug" not in oci("list").stderr


def test_a_log_that_can_not_be_written_hides_no_error(oci: Oci) -> None:
    done = oci("--log", "/no/such/log", "state", "none")
    assert done.returncode == 1
    assert "container does not exist" in done.stderr


@pytest.mark.parametrize("name", ["KILL", "sigkill", "9"])
def test_kill_takes_names_and_numbers(oci: Oci, name: str) -> None:
    oci.create("one")
    assert oci("kill", "one", name).returncode == 0
    oci.wait_for("one", "stopped")


@pytest.mark.parametrize("name", ["FOO", "-1", "99", "9x"])
def test_kill_refuses_what_is_no_signal(oci: Oci, name: str) -> None:
    oci.create("one")
    assert oci("kill", "one", name).stderr == f'jubako-oci: unknown signal "{name}"\n'


def test_list_shows_what_it_can_read(oci: Oci, tmp_path: Path) -> None:
    oci.create("one")
    (tmp_path / "state" / "broken").mkdir()
    (tmp_path / "state" / "broken" / "state.json").write_text("x")
    (tmp_path / "state" / "file").touch()
    done = oci("list")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    (line,) = done.stdout.splitlines()[1:]
    assert (line.split()[0], line.split()[2], line.split()[-1]) == ("one", "created", "root")
    assert "load container broken" in done.stderr
    (entry,) = json.loads(oci("list", "-f", "json").stdout)
    assert (entry["id"], entry["owner"], entry["rootfs"]) == ("one", "root", f"{oci.bundle}/rootfs")
    assert json.loads(oci("--root", str(tmp_path / "none"), "list", "-f", "json").stdout) is None


def test_a_root_that_can_not_be_made_is_named(oci: Oci) -> None:
    done = oci("--root", "/proc/nothing", "create", "-b", str(oci.bundle), "one")
    assert done.returncode == 1
    assert "/proc/nothing: no such file or directory" in done.stderr


def test_spec_writes_one_file_and_replaces_none(oci: Oci, tmp_path: Path) -> None:
    assert "config.json exists. Remove it first" in oci("spec", "-b", str(oci.bundle)).stderr
    assert oci("spec", "-b", "/no/such/bundle").returncode == 1
    (tmp_path / "new").mkdir()
    assert oci("spec", "--rootless", "--bundle", str(tmp_path / "new")).returncode == 0
    config = json.loads((tmp_path / "new" / "config.json").read_text())
    assert {"type": "user"} in config["linux"]["namespaces"]
