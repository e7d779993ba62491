"""Rows of config.json, each seen from inside the container."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from .oci import Oci

pytestmark = pytest.mark.root


def test_a_time_namespace_has_its_offsets_in_start_and_exec(oci: Oci) -> None:
    def change(config: dict[str, Any]) -> None:
        config["linux"]["namespaces"].append({"type": "time"})
        config["linux"]["timeOffsets"] = {"boottime": {"secs": 864000000}, "monotonic": {"secs": 5, "nanosecs": 6}}

    oci.configure("sh", "-c", "cat /proc/uptime /proc/self/timens_offsets")
    oci.edit(change)
    lines = oci.run().splitlines()
    assert float(lines[0].split()[0]) > 864000000
    assert [line.split() for line in lines[1:]] == [["monotonic", "5", "6"], ["boottime", "864000000", "0"]]
    oci.configure("sleep", "100")
    oci.create("one")
    oci("start", "one")
    assert float(oci("exec", "one", "cat", "/proc/uptime").stdout.split()[0]) > 864000000


def _in_a_user_namespace(oci: Oci, root: Path) -> None:
    shutil.copytree((oci.bundle / "rootfs").resolve(), root, symlinks=True)
    maps = [{"containerID": 0, "hostID": 100000, "size": 65536}]

    def change(config: dict[str, Any]) -> None:
        config["linux"]["namespaces"].append({"type": "user"})
        config["linux"].update(uidMappings=maps, gidMappings=maps)

    oci.edit(change)
    oci.change(root={"path": str(root)})


def test_clocks_and_oom_score_of_a_container_with_a_user_namespace(oci: Oci, tmp_path: Path) -> None:
    _in_a_user_namespace(oci, tmp_path / "root")
    oci.configure("cat", "/proc/self/oom_score_adj", "/proc/self/timens_offsets", oomScoreAdj=321)
    oci.edit(lambda config: config["linux"]["namespaces"].append({"type": "time"}))
    oci.linux(timeOffsets={"monotonic": {"secs": 5}})
    assert oci.run().split() == ["321", "monotonic", "5", "0", "boottime", "0", "0"]


def test_oom_score_and_mounts_of_one_that_joins_a_user_namespace(oci: Oci, tmp_path: Path) -> None:
    _in_a_user_namespace(oci, tmp_path / "root")
    oci.configure("sleep", "60")
    oci.create("one")
    pid = json.loads(oci("state", "one").stdout)["pid"]
    for directory in ("data", "root/data"):
        (tmp_path / directory).mkdir()

    def join(config: dict[str, Any]) -> None:
        spaces = [space for space in config["linux"]["namespaces"] if space["type"] != "user"]
        config["linux"]["namespaces"] = [*spaces, {"type": "user", "path": f"/proc/{pid}/ns/user"}]
        del config["linux"]["uidMappings"], config["linux"]["gidMappings"]

    oci.edit(join)
    oci.configure("sh", "-c", "cat /proc/self/oom_score_adj; stat -c %u /data", oomScoreAdj=321)
    oci.mount(tmp_path / "data", "/data", "bind", "idmap")
    done = oci("run", "-b", str(oci.bundle), "two")
    assert (done.stdout, done.stderr) == ("321\n0\n", "")


def test_time_offsets_without_a_time_namespace_are_refused(oci: Oci) -> None:
    oci.edit(lambda config: config["linux"].update(timeOffsets={"boottime": {"secs": 1}}))
    assert "timeOffsets" in oci("create", "-b", str(oci.bundle), "one").stderr


def test_preserved_fds_are_the_programs(oci: Oci, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello\n")
    oci.configure("sh", "-c", "ls /proc/self/fd; cat <&4")
    through = ["sh", "-c", f'exec 3<{tmp_path}/text 4<{tmp_path}/text; exec "$@"', "sh"]
    assert {"3", "4", "hello"} <= set(oci.run("--preserve-fds", "2", through=through).split())


def test_sockets_of_a_service_manager_are_the_programs(oci: Oci, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello\n")
    through = ["sh", "-c", f'exec 3<{tmp_path}/text; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh"]
    oci.configure("sh", "-c", "echo $LISTEN_PID $LISTEN_FDS; cat <&3")
    assert oci.run(through=through) == "1 1\nhello\n"
    oci.configure("sleep", "100")
    oci.create("one")
    oci("start", "one")
    shown = oci.under(through, "exec", "one", "sh", "-c", "echo $LISTEN_FDS; cat <&3").stdout
    assert shown == "1\nhello\n"


def test_fds_that_are_not_open_can_not_be_preserved(oci: Oci) -> None:
    done = oci("create", "-b", str(oci.bundle), "--preserve-fds", "50", "one")
    assert (done.returncode, "preserved-fd" in done.stderr) == (1, True)


def test_tmpcopyup_takes_content_modes_owners_and_links_along(oci: Oci, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(oci.bundle / "rootfs", root, symlinks=True)
    (oci.bundle / "rootfs").unlink()
    (oci.bundle / "rootfs").symlink_to(root)
    data = root / "data"
    (data / "deep" / "er").mkdir(parents=True)
    (data / "deep" / "er" / "file").write_text("hello")
    os.chown(data / "deep" / "er" / "file", 7, 8)
    (data / "deep" / "er" / "file").chmod(0o4755)
    (data / "link").symlink_to("deep/er/file")
    data.chmod(0o1775)
    oci.mount("tmpfs", "/data", "tmpcopyup", "nosuid", "size=1m", type="tmpfs")
    oci.configure(
        "sh", "-c", "stat -c '%a %u %g' /data/deep/er/file; cat /data/link; stat -c ' %a' /data; rm -r /data/deep"
    )
    assert oci.run() == "4755 7 8\nhello 1775\n"
    assert (data / "deep" / "er" / "file").exists()


def test_a_mount_over_a_read_only_tmpfs_is_what_it_asks_to_be(oci: Oci, tmp_path: Path) -> None:
    oci.mount("tmpfs", "/data/inner", "ro", type="tmpfs")
    oci.mount(tmp_path, "/data/inner/", "bind")
    oci.mount("tmpfs", "/cache", "ro", type="tmpfs")
    oci.mount(tmp_path, "/cache/volume", "bind")
    oci.configure("sh", "-c", "touch /data/inner/a /cache/volume/b && ! touch /cache/c")
    assert "Read-only file system" in oci("run", "-b", str(oci.bundle), "one").stderr
    assert (tmp_path / "a").exists()
    assert (tmp_path / "b").exists()


def test_an_idmapped_bind_mount_shows_other_owners(oci: Oci, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "file").touch()
    os.chown(data / "file", 1000, 1000)
    maps = [{"containerID": 0, "hostID": 5000, "size": 2000}]
    oci.mount(data, "/data", "bind", "idmap", uidMappings=maps, gidMappings=maps)
    oci.configure(
        "sh", "-c", "stat -c '%u %g' /data/file; touch /data/new && echo no || true", user={"uid": 0, "gid": 0}
    )
    assert oci.run().split()[:2] == ["6000", "6000"]
    oci.edit(lambda config: config["mounts"][-1].update(options=["bind", "idmap"], uidMappings=[], gidMappings=[]))
    assert "idmap needs mappings" in oci("create", "-b", str(oci.bundle), "one").stderr


def test_binds_into_a_user_namespace_need_no_way_for_its_root(oci: Oci, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    (closed / "data" / "file").write_text("hello")
    closed.chmod(0o700)
    maps = [{"containerID": 0, "hostID": 100000, "size": 65536}]

    def change(config: dict[str, Any]) -> None:
        config["linux"]["namespaces"].append({"type": "user"})
        config["linux"].update(uidMappings=maps, gidMappings=maps)

    oci.edit(change)
    oci.mount(closed / "data", "/data", "bind", "idmap", "ro")
    oci.configure("sh", "-c", "cat /data/file; stat -c ' %u' /data/file; cat /proc/self/uid_map")
    assert oci.run().split() == ["hello", "0", "0", "100000", "65536"]


def test_scheduler_io_priority_and_personality(oci: Oci) -> None:
    oci.edit(lambda config: config["linux"].update(personality={"domain": "LINUX32"}))
    oci.configure(
        "sh",
        "-c",
        "uname -m; ionice -p $$; cut -d' ' -f19,41 /proc/self/stat",
        scheduler={"policy": "SCHED_BATCH", "nice": 7},
        ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 6},
    )
    machine, io, numbers = oci.run().splitlines()
    assert machine in ("i686", "armv8l", "armv7l")
    assert io == "best-effort: prio 6"
    assert numbers == "7 3"


@pytest.mark.parametrize(
    ("process", "words"),
    [
        ({"scheduler": {"policy": "SCHED_NONE"}}, "process.scheduler.policy"),
        ({"scheduler": {"policy": "SCHED_BATCH", "flags": ["X"]}}, "process.scheduler.flags"),
        ({"ioPriority": {"class": "HIGH"}}, "process.ioPriority.class"),
        ({"ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8}}, "process.ioPriority.priority"),
    ],
)
def test_values_that_mean_nothing_are_refused_by_name(oci: Oci, process: dict[str, Any], words: str) -> None:
    oci.configure("true", **process)
    assert words in oci("create", "-b", str(oci.bundle), "one").stderr


def test_an_exec_runs_on_the_processors_that_it_asks_for(oci: Oci, tmp_path: Path) -> None:
    oci.create("one")
    oci("start", "one")
    processor = max(os.sched_getaffinity(0))
    process = {
        "args": ["grep", "Cpus_allowed_list", "/proc/self/status"],
        "cwd": "/",
        "env": ["PATH=/bin"],
        "execCPUAffinity": {"initial": "0", "final": str(processor)},
    }
    (tmp_path / "process.json").write_text(json.dumps(process))
    assert oci("exec", "--process", str(tmp_path / "process.json"), "one").stdout.split()[1] == str(processor)
    process["execCPUAffinity"] = {"final": "x"}
    (tmp_path / "process.json").write_text(json.dumps(process))
    assert "execCPUAffinity.final" in oci("exec", "--process", str(tmp_path / "process.json"), "one").stderr


def test_the_root_is_changed_without_a_pivot(oci: Oci) -> None:
    oci.configure("sh", "-c", "ls /; ls /../../bin/busybox; wc -l < /proc/self/mountinfo")
    assert "/../../bin/busybox" in oci.run("--no-pivot")


@pytest.mark.parametrize(("kind", "mark"), [("shared", "shared:"), ("rslave", ""), ("private", "")])
def test_the_roots_propagation(oci: Oci, kind: str, mark: str) -> None:
    oci.edit(lambda config: config["linux"].update(rootfsPropagation=kind))
    oci.configure("sh", "-c", "awk '$5 == \"/\"' /proc/self/mountinfo")
    line = oci.run()
    assert ("shared:" in line) == bool(mark)


def test_intel_rdt_is_refused_by_name(oci: Oci) -> None:
    oci.edit(lambda config: config["linux"].update(intelRdt={"closID": "x"}))
    assert "linux.intelRdt" in oci("create", "-b", str(oci.bundle), "one").stderr


def test_default_devices_are_there_without_a_mount_of_dev(oci: Oci, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(oci.bundle / "rootfs", root, symlinks=True)
    (oci.bundle / "rootfs").unlink()
    (oci.bundle / "rootfs").symlink_to(root)
    oci.edit(
        lambda config: config.update(mounts=[m for m in config["mounts"] if not m["destination"].startswith("/dev")])
    )
    oci.configure("sh", "-c", "stat -c '%t:%T %a' /dev/null /dev/urandom; readlink /dev/fd")
    assert oci.run().splitlines() == ["1:3 666", "1:9 666", "/proc/self/fd"]


def test_a_read_only_dev_has_its_devices_and_mounts(oci: Oci) -> None:
    oci.edit(lambda config: [m["options"].append("ro") for m in config["mounts"] if m["destination"] == "/dev"])
    oci.configure("sh", "-c", "echo x > /dev/null; ls -d /dev/pts/ptmx; touch /dev/new && echo writable; true")
    assert oci.run() == "/dev/pts/ptmx\n"


def test_without_a_pivot_no_bare_proc_can_be_mounted(oci: Oci) -> None:
    oci.configure("unshare", "-Urmpf", "mount", "-t", "proc", "none", "/proc")
    assert oci("run", "--no-pivot", "-b", str(oci.bundle), "one").returncode != 0
