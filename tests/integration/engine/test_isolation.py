"""What a container can not see or do, tried from inside with the real kernel."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.waiting import until

pytestmark = pytest.mark.root


def inspect(jubako, name):
    return json.loads(jubako("inspect", name))[0]


def test_container_sees_only_its_own_processes(jubako):
    seen = jubako("run", "--rm", "--network", "none", "busybox", "sh", "-c", "ls -d /proc/[0-9]*").split()
    assert set(seen) <= {"/proc/1", "/proc/2", "/proc/3"}


def test_container_sees_none_of_the_hosts_files(jubako, tmp_path):
    (tmp_path / "secret").write_text("host only")
    done = jubako.run("run", "--rm", "--network", "none", "busybox", "cat", str(tmp_path / "secret"))
    assert done.returncode == 1
    assert b"No such file" in done.stderr


def test_containers_do_not_see_each_others_shared_memory_or_files(jubako):
    jubako("run", "-d", "--name", "one", "--network", "none", "busybox", "sh", "-c", "echo x >/dev/shm/x; sleep 60")
    seen = jubako("run", "--rm", "--network", "none", "busybox", "sh", "-c", "ls /dev/shm; ls /proc/1/root/dev/shm")
    assert seen.split() == []


def test_process_1_of_the_container_is_its_command_and_not_the_hosts(jubako):
    assert jubako("run", "--rm", "--network", "none", "busybox", "cat", "/proc/1/comm") == "cat\n"


def test_memory_limit_kills_the_right_process_and_inspect_says_oom_killed(jubako):
    # tail keeps its whole input in memory when there is no newline in it.
    done = jubako.run(
        "run",
        "--name",
        "hungry",
        "--network",
        "none",
        "-m",
        "16m",
        "--memory-swap",
        "16m",
        "busybox",
        "tail",
        "/dev/zero",
    )
    assert done.returncode == 137
    state = inspect(jubako, "hungry")["State"]
    assert state["OOMKilled"] is True
    assert state["ExitCode"] == 137
    os.kill(os.getpid(), 0)


def test_a_fork_bomb_is_held_by_the_process_limit(jubako):
    script = "exec 2>&1; i=0; while [ $i -lt 200 ]; do sleep 5 & i=$((i+1)); echo made; done; wait"
    jubako("run", "-d", "--name", "bomb", "--network", "none", "--pids-limit", "20", "busybox", "sh", "-c", script)
    until(lambda: "can't fork" in jubako("logs", "bomb"))
    assert jubako("logs", "bomb").count("made") == 19


def test_a_cpu_limit_is_a_quota_in_the_containers_cgroup(jubako):
    jubako("run", "-d", "--name", "slow", "--network", "none", "--cpus", "0.5", "busybox", "sleep", "60")
    identifier = inspect(jubako, "slow")["Id"]
    places = [Path("/sys/fs/cgroup/cpu/jubako"), Path("/sys/fs/cgroup/jubako")]
    group = next(base / identifier for base in places if (base / identifier).is_dir())
    if (group / "cpu.max").exists():
        assert (group / "cpu.max").read_text().split() == ["50000", "100000"]
    else:
        assert (group / "cpu.cfs_quota_us").read_text().strip() == "50000"


def test_a_read_only_root_refuses_writes_and_its_volumes_take_them(jubako):
    script = "touch /x 2>/dev/null && echo root; touch /data/x && echo volume; touch /tmp/x && echo tmpfs"
    seen = jubako(
        "run",
        "--rm",
        "--network",
        "none",
        "--read-only",
        "-v",
        "/data",
        "--tmpfs",
        "/tmp",
        "busybox",
        "sh",
        "-c",
        script,
    )
    assert seen.split() == ["volume", "tmpfs"]


def test_masked_paths_are_empty_and_proc_sys_is_read_only(jubako):
    script = (
        "cat /proc/keys | wc -c; ls /sys/firmware | wc -l; echo 1 2>/dev/null >/proc/sys/kernel/sysrq || echo refused"
    )
    seen = jubako("run", "--rm", "--network", "none", "busybox", "sh", "-c", script)
    assert seen.split() == ["0", "0", "refused"]


def test_devices_outside_the_default_set_can_not_be_opened(jubako):
    script = "mknod /dev/vda b 254 0 && head -c 1 /dev/vda >/dev/null 2>&1 && echo opened || echo refused"
    assert jubako("run", "--rm", "--network", "none", "busybox", "sh", "-c", script) == "refused\n"


def test_non_root_user_has_no_effective_capabilities(jubako):
    text = jubako("run", "--rm", "--network", "none", "-u", "1000:1000", "busybox", "cat", "/proc/self/status")
    status = dict(line.split(":\t", 1) for line in text.splitlines())
    assert int(status["CapEff"], 16) == 0
    assert status["Uid"].split() == ["1000"] * 4


def test_no_file_descriptor_of_the_host_leaks_into_the_container(jubako):
    assert jubako("run", "--rm", "--network", "none", "busybox", "ls", "/proc/self/fd").split() == ["0", "1", "2", "3"]


def test_working_directory_that_is_an_inherited_descriptor_is_refused_cve_2024_21626(jubako):
    for number in range(3, 12):
        done = jubako.run(
            "run",
            "--rm",
            "--network",
            "none",
            "-w",
            f"/proc/self/fd/{number}",
            "busybox",
            "cat",
            "/etc/shadow",
            "../../../../etc/shadow",
        )
        assert done.returncode != 0
        assert b"root:" not in done.stdout


@pytest.mark.parametrize("user", ["4294967295", "4294967296", "-1", "99999999999999999999", "nobody-here"])
def test_user_that_is_no_user_is_refused(jubako, user):
    done = jubako.run("run", "--rm", "--network", "none", f"--user={user}", "busybox", "id")
    assert done.returncode == 125
    assert user.encode() in done.stderr
    assert jubako.containers() == []


def test_host_gateway_is_where_the_containers_network_has_the_host(jubako):
    for options in ([], ["--network", "none"]):
        text = jubako("run", "--rm", *options, "--add-host", "up:host-gateway", "busybox", "cat", "/etc/hosts")
        address = next(line.split()[0] for line in text.splitlines() if line.endswith("\tup"))
        gateway = json.loads(jubako("network", "inspect", "bridge"))[0]["IPAM"]["Config"][0]["Gateway"]
        assert address == gateway
    text = jubako("run", "--rm", "--network", "host", "--add-host", "up:host-gateway", "busybox", "cat", "/etc/hosts")
    assert "127.0.0.1\tup\n" in text


def test_the_hosts_root_as_a_volume_is_the_hosts(jubako, tmp_path):
    (tmp_path / "mark").write_text("here\n")
    for options in (["-v", "/:/host"], ["-v", "/:/host:ro"], ["--mount", "type=bind,source=/,target=/host"]):
        assert jubako("run", "--rm", *options, "busybox", "cat", f"/host{tmp_path}/mark") == "here\n"
