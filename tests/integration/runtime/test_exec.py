"""Further processes in a running container."""

from __future__ import annotations

import os
from typing import Any

import pytest

from jubako.errors import FailedPrecondition, NotFound
from jubako.runtime import defaults, seccomp
from jubako.runtime.executor import Handle
from jubako.spec.oci_runtime import Capabilities, Process, User

from .conftest import read_all, read_until

pytestmark = pytest.mark.root


def process(*args: str, **fields: Any) -> Process:
    names = defaults.CAPABILITIES
    fields.setdefault("capabilities", Capabilities(bounding=names, effective=names, permitted=names))
    return Process(args=list(args), env=["PATH=/bin"], **fields)


def running(runtime: Any, **launch: Any) -> tuple[Handle, Any]:
    spec = runtime.spec("sleep", "100")
    handle = runtime.create(spec, **launch)
    handle.start()
    return handle, spec


def run_exec(runtime: Any, handle: Handle, spec: Any, asked: Process, **fields: Any) -> tuple[str, int]:
    child = runtime.exec(handle, spec, asked, attach=True, **fields)
    child.start()
    assert child.attached
    output = read_all(child.attached)
    return output, child.wait(60).code


def test_it_shares_every_namespace_and_the_root(runtime: Any) -> None:
    handle, spec = running(runtime)
    kinds = "pid mnt ipc uts net cgroup"
    script = f"hostname; for n in {kinds}; do readlink /proc/1/ns/$n; readlink /proc/self/ns/$n; done; ls /etc; exit 4"
    output, code = run_exec(runtime, handle, spec, process("sh", "-c", script))
    lines = output.splitlines()
    assert code == 4
    assert lines[0] == "box"
    assert lines[1:13:2] == lines[2:14:2]
    assert lines[-1] == "passwd"
    assert os.readlink("/proc/self/ns/mnt") not in lines


def test_it_has_its_own_user_directory_and_privileges(runtime: Any) -> None:
    handle, spec = running(runtime)
    asked = process(
        "sh",
        "-c",
        "id -u; pwd; grep CapEff /proc/self/status",
        user=User(uid=1000, gid=1000),
        cwd="/home",
        capabilities=Capabilities(bounding=["CAP_KILL"]),
    )
    output, _ = run_exec(runtime, handle, spec, asked)
    assert output.split() == ["1000", "/home", "CapEff:", "0000000000000000"]


def test_it_joins_the_containers_cgroups(runtime: Any) -> None:
    group = runtime.group()
    handle, spec = running(runtime, cgroup=group)
    asked = runtime.exec(handle, spec, process("sleep", "50"), cgroup=group)
    asked.start()
    assert set(group.pids()) == {handle.pid, asked.pid}
    group.kill_all()
    assert asked.wait(60).signal == 9
    assert handle.wait(60).signal == 9


def test_its_terminal_is_one_of_the_containers(runtime: Any) -> None:
    handle, spec = running(runtime)
    child = runtime.exec(handle, spec, process("sh", terminal=True), attach=True, stdin=True)
    child.start()
    assert child.attached
    child.attached.write(b"tty\n")
    read_until(child.attached, "/dev/pts/0")
    child.attached.resize(11, 22)
    child.attached.write(b"stty size; exit 9\n")
    assert "11 22" in read_all(child.attached)
    assert child.wait(60).code == 9


def test_its_filter_is_loaded(runtime: Any, tmp_path: Any) -> None:
    handle, spec = running(runtime)
    program = seccomp.of_profile(tmp_path, defaults.CAPABILITIES)
    output, _ = run_exec(runtime, handle, spec, process("grep", "Seccomp:", "/proc/self/status"), seccomp=program)
    assert output.split()[1] == "2"


def test_an_unknown_program_is_not_found_and_the_container_lives(runtime: Any) -> None:
    handle, spec = running(runtime)
    with pytest.raises(NotFound):
        run_exec(runtime, handle, spec, process("no-such"))
    assert run_exec(runtime, handle, spec, process("true"))[1] == 0


def test_it_ends_with_the_container(runtime: Any) -> None:
    handle, spec = running(runtime)
    child = runtime.exec(handle, spec, process("sleep", "100"))
    child.start()
    handle.signal(9)
    assert child.wait(60).signal == 9


def test_a_dead_container_takes_none(runtime: Any) -> None:
    handle, spec = running(runtime)
    handle.signal(9)
    handle.wait(60)
    with pytest.raises(FailedPrecondition):
        run_exec(runtime, handle, spec, process("true"))


def test_a_container_that_shares_the_hosts_pid_namespace_is_joined_too(runtime: Any) -> None:
    spec = runtime.spec("sleep", "100", namespaces=("mount", "uts", "ipc", "network"))
    handle = runtime.create(spec)
    handle.start()
    output, _ = run_exec(runtime, handle, spec, process("sh", "-c", "hostname; readlink /proc/self/ns/pid"))
    assert output.split() == ["box", os.readlink("/proc/self/ns/pid")]
