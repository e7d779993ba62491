"""A container from create to exit: what it sees, how it ends, what is told of failures."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from jubako.errors import InvalidArgument, NotFound, PermissionDenied
from jubako.linux import fd as fds_of
from jubako.runtime import state
from jubako.runtime.executor import LogFile
from jubako.spec.oci_runtime import Mount, Rlimit, User

pytestmark = pytest.mark.root


def test_exit_code_output_and_times_arrive(runtime: Any) -> None:
    before = time.time_ns()
    output, ended = runtime.run("sh", "-c", "echo out; echo err >&2; exit 7")
    assert sorted(output.splitlines()) == ["err", "out"]
    assert (ended.code, ended.signal, ended.oom) == (7, 0, False)
    assert before < ended.started_ns <= ended.finished_ns < time.time_ns()


def test_a_signal_is_128_more(runtime: Any) -> None:
    handle = runtime.create(runtime.spec("sleep", "100"))
    handle.start()
    handle.signal(signal.SIGKILL)
    ended = handle.wait(60)
    assert (ended.code, ended.signal) == (137, 9)


def test_it_has_names_processes_and_loopback_of_its_own(runtime: Any) -> None:
    output = runtime.sh("hostname; echo $$; ip -o addr show lo | grep -c 127.0.0.1; ls -d /proc/[0-9]* | wc -l")
    assert output.split()[:3] == ["box", "1", "1"]
    assert int(output.split()[3]) < 6


def test_standard_mounts_and_devices_are_dockers(runtime: Any) -> None:
    output = runtime.sh(
        "ls /dev; stat -c '%t:%T %a' /dev/null /dev/tty; readlink /dev/fd; readlink /dev/ptmx; echo x > /dev/shm/y"
    )
    assert set(output.split()) >= {
        "full",
        "mqueue",
        "null",
        "pts",
        "random",
        "shm",
        "tty",
        "urandom",
        "zero",
        "1:3",
        "5:0",
    }
    assert "666" in output
    assert "/proc/self/fd\npts/ptmx" in output


def test_who_would_start_a_process_that_has_died_is_told_so(runtime: Any, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(tmp_path / "start.sock"))
        listener.listen(1)
        handle = runtime.create(
            runtime.spec("true"), leave=True, listen=False, stdio="null", start_listener=listener.detach()
        )
    pid = handle.pid
    handle.await_creation()
    fd = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    select.select([fd], [], [])
    os.close(fd)
    with pytest.raises(ConnectionRefusedError):
        fds_of.connect_packet(str(tmp_path / "start.sock"))


def test_changes_go_to_the_upper_directory(runtime: Any) -> None:
    rootfs = runtime.overlay()
    runtime.sh("echo data > /etc/new", rootfs=rootfs)
    upper = next(option for option in rootfs[0].options if option.startswith("upperdir="))
    assert (Path(upper.partition("=")[2]) / "etc" / "new").read_text() == "data\n"


def test_a_directory_serves_as_root(runtime: Any) -> None:
    spec = runtime.spec("cat", "/etc/passwd")
    spec.root.readonly = True
    output, _ = runtime.run_spec(spec, rootfs=[])
    assert output.startswith("root:")


def test_read_only_root_refuses_writes_but_tmpfs_takes_them(runtime: Any) -> None:
    spec = runtime.spec("sh", "-c", "touch /x; echo $?; touch /dev/shm/x; echo $?")
    spec.root.readonly = True
    output, _ = runtime.run_spec(spec)
    assert output.split()[-2:] == ["1", "0"]


def test_a_working_directory_is_made_before_the_root_becomes_read_only(runtime: Any) -> None:
    spec = runtime.spec("sh", "-c", "pwd; stat -c %a:%u .; touch x || echo refused")
    spec.root.readonly, spec.process.cwd = True, "/not/there"
    output, _ = runtime.run_spec(spec)
    assert output.splitlines()[:2] == ["/not/there", "755:0"]
    assert "refused" in output


def test_binds_are_made_with_their_targets(runtime: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    (tmp_path / "dir").mkdir()
    spec = runtime.spec("sh", "-c", "cat /some/where/file; touch /d/in; touch /ro/in || echo refused")
    spec.mounts += [
        Mount(destination="/some/where/file", type="bind", source=str(tmp_path / "file"), options=["rbind", "ro"]),
        Mount(destination="/d", type="bind", source=str(tmp_path / "dir"), options=["rbind"]),
        Mount(destination="/ro", type="bind", source=str(tmp_path / "dir"), options=["rbind", "ro"]),
    ]
    output, _ = runtime.run_spec(spec)
    assert output.startswith("content")
    assert "refused\n" in output
    assert (tmp_path / "dir" / "in").exists()


def test_user_groups_limits_and_umask_are_set(runtime: Any) -> None:
    process = {
        "user": User(uid=1000, gid=1001, additional_gids=[5, 7], umask=0o27),
        "rlimits": [Rlimit(type="RLIMIT_NOFILE", soft=77, hard=99)],
        "cwd": "/made/on/demand",
    }
    output, _ = runtime.run(
        "sh", "-c", "id -u; id -g; id -G; umask; ulimit -n; pwd; echo x > /dev/stdout", process=process
    )
    assert output.splitlines() == ["1000", "1001", "1001 5 7", "0027", "77", "/made/on/demand", "x"]


def test_an_unknown_program_is_not_found(runtime: Any) -> None:
    handle = runtime.create(runtime.spec("nothing-like-it"))
    with pytest.raises(NotFound, match=r'exec: "nothing-like-it": executable file not found in \$PATH'):
        handle.start()
    handle = runtime.create(runtime.spec("/bin/nothing"))
    with pytest.raises(NotFound, match="no such file or directory"):
        handle.start()


def test_a_file_that_is_no_program_is_refused(runtime: Any) -> None:
    handle = runtime.create(runtime.spec("/bin/data"))
    with pytest.raises(PermissionDenied, match="permission denied"):
        handle.start()


def test_a_failed_mount_says_what_and_leaves_nothing(runtime: Any) -> None:
    spec = runtime.spec("true")
    spec.mounts.append(Mount(destination="/x", type="bind", source="/nowhere/at/all", options=["rbind"]))
    handle = runtime.create(spec)
    with pytest.raises(InvalidArgument, match="failed to bind /nowhere/at/all: no such file or directory"):
        handle.start()
    assert not os.path.exists(f"/proc/{handle.pid}")


def test_state_follows_the_container(runtime: Any, tmp_path: Path) -> None:
    run_dir = runtime.directory("run")
    assert state.read(run_dir) == state.State("stopped")
    handle = runtime.create(runtime.spec("cat"), run_dir=run_dir, stdin=True, attach=True)
    assert state.read(run_dir).status == "created"
    handle.start()
    handle.attached.write(b"hello\n")
    assert handle.attached.read(10).data == b"hello\n"
    running = state.read(run_dir)
    assert (running.status, running.pid) == ("running", handle.pid)
    handle.attached.close_stdin()
    ended = handle.wait(60)
    assert state.read(run_dir) == state.State("stopped", 0, ended.started_ns, ended)


def test_log_is_dockers_json_with_long_and_broken_lines_kept(runtime: Any, tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    script = r'printf "a\"<&\377\t\303\251\n"; head -c 40000 /dev/zero | tr "\0" x; echo; printf end; echo no >&2'
    runtime.run("sh", "-c", script, log=LogFile(str(log)))
    records = [json.loads(line) for line in log.read_text().splitlines()]
    out = "".join(record["log"] for record in records if record["stream"] == "stdout")
    assert out == 'a"<&\ufffd\té\n' + "x" * 40000 + "\nend\n"
    assert [len(r["log"]) for r in records if "x" in r["log"]] == [16384, 16384, 40000 - 32768 + 1]
    assert records[-2]["log"] == "end\n" or records[-1]["log"] == "end\n"
    assert '"log":"a\\"\\u003c\\u0026\\ufffd\\t' in log.read_text()
    assert records[0]["time"].endswith("Z")
    assert len(records[0]["time"]) == 30


def test_log_rotates(runtime: Any, tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    runtime.run("seq", "1000", log=LogFile(str(log), max_size_bytes=20000, max_files=3))
    files = sorted(path.name for path in tmp_path.glob("container.log*"))
    assert files == ["container.log", "container.log.1", "container.log.2"]
    newest = [json.loads(line)["log"].strip() for line in log.read_text().splitlines()]
    before = [json.loads(line)["log"].strip() for line in (tmp_path / "container.log.1").read_text().splitlines()]
    assert newest[-1] == "1000"
    assert int(before[-1]) + 1 == int(newest[0])
    assert (tmp_path / "container.log.1").stat().st_size < 20200


def test_layers_with_paths_too_long_for_a_mount_option_work(runtime: Any) -> None:
    deep = runtime.directory("/".join(["d" * 100] * 4))
    for name in ("upper", "work", "layer"):
        (deep / name).mkdir()
    (deep / "layer" / "from-the-layer").write_text("")
    options = [
        f"lowerdir+={deep}/layer",
        f"lowerdir+={runtime.image}",
        f"upperdir={deep}/upper",
        f"workdir={deep}/work",
    ]
    rootfs = [Mount(destination="/", type="overlay", options=[*options, "volatile"])]
    output = runtime.sh("ls /; echo x > /made", rootfs=rootfs)
    assert {"from-the-layer", "bin"} <= set(output.split())
    assert (deep / "upper" / "made").exists()
