"""Past escapes, each against a container of ours. The names tell which."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import jubako
from jubako.errors import FailedPrecondition, InvalidArgument, JubakoError
from jubako.runtime import attach, defaults, seccomp
from jubako.spec import oci_runtime
from jubako.spec.oci_runtime import Capabilities, Mount, Process, User

from .conftest import read_until

pytestmark = pytest.mark.root

EXECUTOR = Path(jubako.__file__).parent / "_bin" / "executor"


def lower(runtime: Any, name: str) -> tuple[Path, list[Mount]]:
    """A further layer on top of busybox, for an image with something nasty in it."""
    layer = runtime.directory(name)
    rootfs = runtime.overlay()
    rootfs[0].options.insert(0, f"lowerdir+={layer}")
    return layer, rootfs


def test_cve_2019_5736_the_executor_can_not_be_written_through_proc_exe(runtime: Any) -> None:
    before = hashlib.sha256(EXECUTOR.read_bytes()).digest()
    handle = runtime.create(runtime.spec("sleep", "100"))
    handle.start()
    with pytest.raises(OSError, match=r"Read-only file system|Text file busy|not permitted"):
        os.open(f"/proc/{handle._monitor}/exe", os.O_WRONLY)
    held = os.open(f"/proc/{handle._monitor}/exe", os.O_RDONLY)
    script = "while :; do for p in /proc/[0-9]*; do echo overwritten > $p/exe; done; done 2>/dev/null"
    spec = runtime.spec("x")
    attack = runtime.exec(handle, spec, Process(args=["sh", "-c", script], env=["PATH=/bin"]), stdio="null")
    attack.start()
    for number in range(20):
        run_dir = runtime.directory(f"victim{number}")
        asked = Process(args=["/proc/self/exe", "a", "b", "c"], env=[])
        victim = runtime.exec(handle, spec, asked, run_dir=run_dir, stdio="null")
        victim.start()
        assert victim.wait(60).code == 64  # the executor itself, called in a way it does not understand
        victim.acknowledge()
    # Who holds the file opens it again when nobody executes it any more.
    attack.abandon()
    handle.abandon()
    with pytest.raises(OSError, match=r"Read-only file system|Text file busy|not permitted"):
        os.open(f"/proc/self/fd/{held}", os.O_WRONLY)
    assert os.fstatvfs(held).f_flag & os.ST_RDONLY  # also where a monitor of another test keeps it busy
    os.close(held)
    assert hashlib.sha256(EXECUTOR.read_bytes()).digest() == before


def test_cve_2024_21626_no_directory_is_reached_through_a_leaked_fd(runtime: Any) -> None:
    entered = []
    for number in range(3, 40):
        with contextlib.suppress(JubakoError):
            output, _ = runtime.run("readlink", "/proc/self/cwd", process={"cwd": f"/proc/self/fd/{number}"})
            entered.append(output)
    # The fd that opens the last component is there while it is resolved; what it names lies within the root.
    assert entered in ([], ["/proc/1/fd\n"])


def test_cve_2024_21626_a_linked_directory_is_not_followed_to_a_leaked_fd(runtime: Any) -> None:
    layer, rootfs = lower(runtime, "layer")
    (layer / "cwd").symlink_to("/proc/self/fd/8")
    with pytest.raises(JubakoError, match="working directory"):
        runtime.run("ls", process={"cwd": "/cwd"}, rootfs=rootfs)


def test_only_the_three_streams_are_open(runtime: Any) -> None:
    handle = runtime.create(runtime.spec("sleep", "100"))
    handle.start()
    assert sorted(os.listdir(f"/proc/{handle.pid}/fd")) == ["0", "1", "2"]


def test_cve_2019_16884_writes_to_proc_do_not_go_to_a_volume_over_it(runtime: Any, tmp_path: Path) -> None:
    fake = tmp_path / "proc"
    (fake / "sys" / "net" / "ipv4").mkdir(parents=True)
    (fake / "sys" / "net" / "ipv4" / "ip_forward").write_text("untouched")
    spec = runtime.spec("true")
    spec.mounts.append(Mount(destination="/proc", type="bind", source=str(fake), options=["rbind"]))
    spec.linux.sysctl = {"net.ipv4.ip_forward": "1"}
    spec.process.oom_score_adj = 100
    handle = runtime.create(spec)
    handle.start()
    handle.wait(60)
    assert (fake / "sys" / "net" / "ipv4" / "ip_forward").read_text() == "untouched"
    assert not (fake / "1").exists()


@pytest.mark.parametrize("upwards", ["", "../../../../../.."], ids=["absolute", "relative"])
def test_cve_2019_19921_and_2023_27561_proc_that_is_a_link_stays_in_the_root(runtime: Any, upwards: str) -> None:
    layer, rootfs = lower(runtime, "layer")
    (layer / "proc").symlink_to(f"{upwards}/tmp/elsewhere")
    spec = runtime.spec("sh", "-c", "cat /tmp/elsewhere/sys/net/ipv4/ip_forward; ls -d /tmp/elsewhere/version")
    spec.linux.sysctl = {"net.ipv4.ip_forward": "1"}
    output, _ = runtime.run_spec(spec, rootfs=rootfs)
    assert output.split() == ["1", "/tmp/elsewhere/version"]
    assert not os.path.exists("/tmp/elsewhere")


@pytest.mark.parametrize("upwards", ["", "../../../../../../.."], ids=["absolute", "relative"])
def test_cve_2021_30465_mount_targets_behind_links_stay_in_the_root(runtime: Any, tmp_path: Path, upwards: str) -> None:
    layer, rootfs = lower(runtime, "layer")
    (tmp_path / "victim").mkdir()
    (layer / "out").symlink_to(f"{upwards}{tmp_path}/victim")
    (tmp_path / "source").write_text("content")
    spec = runtime.spec("cat", f"{tmp_path}/victim/made/file")
    spec.mounts += [
        Mount(destination="/out/made/file", type="bind", source=str(tmp_path / "source"), options=["bind"]),
        Mount(destination="/out/tmpfs", type="tmpfs", source="tmpfs"),
    ]
    output, ended = runtime.run_spec(spec, rootfs=rootfs)
    assert (output, ended.code) == ("content", 0)
    assert list((tmp_path / "victim").iterdir()) == []


def test_a_dev_that_is_a_link_stays_in_the_root(runtime: Any) -> None:
    layer, rootfs = lower(runtime, "layer")
    (layer / "dev").symlink_to("/etc")
    before = sorted(os.listdir("/etc"))
    output, _ = runtime.run("ls", "/etc", rootfs=rootfs)
    assert "null" in output.split()
    assert sorted(os.listdir("/etc")) == before


@pytest.mark.parametrize("target", ["/proc/sysrq-trigger", "/etc/passwd", "../etc/passwd"])
def test_cve_2025_52565_a_console_link_is_refused(runtime: Any, target: str) -> None:
    layer, rootfs = lower(runtime, "layer")
    (layer / "dev" / "pts").mkdir(parents=True)
    (layer / "dev" / "console").symlink_to(target)
    spec = runtime.spec("true", terminal=True)
    spec.mounts = [m for m in spec.mounts if m.destination in ("/proc", "/dev/pts")]
    handle = runtime.create(spec, rootfs=rootfs)
    with pytest.raises(JubakoError, match="open a terminal /dev/console"):
        handle.start()


def test_cve_2025_31133_masks_are_the_real_null_device(runtime: Any) -> None:
    layer, rootfs = lower(runtime, "layer")
    (layer / "dev").mkdir()
    (layer / "dev" / "null").symlink_to("/proc/sys/kernel/core_pattern")
    spec = runtime.spec(
        "sh",
        "-c",
        "stat -c '%F %t:%T' /proc/keys; ls -A /sys/firmware | wc -l; touch /sys/firmware/x 2>/dev/null || echo ro",
    )
    spec.mounts = [m for m in spec.mounts if m.destination in ("/proc", "/sys")]
    output, _ = runtime.run_spec(spec, rootfs=rootfs)
    assert output.splitlines()[0] == "character special file 1:3"
    assert output.splitlines()[1] == "0"
    assert "ro" in output.splitlines()  # what touch says comes over another pipe


def test_cve_2025_31133_a_null_device_that_is_another_file_is_refused(runtime: Any, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_bytes(oci_runtime.encode(runtime.spec("true")))
    program = (
        "import sys; from pathlib import Path\n"
        "from jubako.runtime import executor; from jubako.spec import oci_runtime\n"
        "spec = oci_runtime.decode(Path(sys.argv[1]).read_bytes())\n"
        "executor.create(executor.Launch(spec=spec, run_dir=sys.argv[2])).start()\n"
    )
    # In a mount namespace of its own, with something else over /dev/null.
    script = 'mount --bind /etc/hostname /dev/null && exec "$@" </dev/zero'
    done = subprocess.run(
        [
            "unshare",
            "-m",
            "sh",
            "-c",
            script,
            "sh",
            sys.executable,
            "-c",
            program,
            str(config),
            str(runtime.directory("r")),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
        check=False,
    )
    assert "failed to mask /proc/" in done.stderr
    assert "no such device" in done.stderr


def test_masked_and_read_only_paths_are(runtime: Any) -> None:
    script = """
    cat /proc/keys /proc/timer_list | wc -c; echo 1 > /proc/sys/vm/swappiness || echo refused; ls /proc/acpi | wc -l
    """
    output, _ = runtime.run("sh", "-c", script)
    assert [line for line in output.split() if line in ("0", "refused")] == ["0", "refused", "0"]


def test_cve_2022_24769_the_inheritable_set_is_empty(runtime: Any) -> None:
    names = defaults.CAPABILITIES
    for user in (User(), User(uid=1000, gid=1000)):
        capabilities = Capabilities(
            bounding=names, permitted=names if not user.uid else [], effective=names if not user.uid else []
        )
        output, _ = runtime.run(
            "grep", "^Cap", "/proc/self/status", process={"user": user, "capabilities": capabilities}
        )
        sets = dict(line.split(":\t") for line in output.splitlines())
        assert sets["CapInh"] == sets["CapAmb"] == "0" * 16
        assert sets["CapBnd"] == "00000000a80425fb"
        assert sets["CapEff"] == sets["CapPrm"] == ("0" * 16 if user.uid else "00000000a80425fb")


def test_ambient_capabilities_reach_an_ordinary_user_when_asked(runtime: Any) -> None:
    names = ["CAP_NET_BIND_SERVICE"]
    capabilities = Capabilities(bounding=names, permitted=names, effective=names, inheritable=names, ambient=names)
    process = {"user": User(uid=1000, gid=1000), "capabilities": capabilities}
    output, _ = runtime.run("grep", "CapEff", "/proc/self/status", process=process)
    assert output.split()[1] == "0000000000000400"


def test_cve_2022_0492_and_2023_25809_control_groups_can_not_be_written_or_mounted(
    runtime: Any, tmp_path: Path
) -> None:
    script = """
    for f in $(find /sys/fs/cgroup -name cgroup.procs -o -name release_agent); do echo 0 > $f && echo wrote $f; done
    mkdir /tmp/c; mount -t cgroup -o memory none /tmp/c && echo mounted
    unshare -UrmC sh -c 'mount -t cgroup -o memory none /tmp/c && echo mounted in a user namespace'
    cat /proc/self/cgroup | grep -v ':/$' ; echo end
    """
    program = seccomp.of_profile(tmp_path, defaults.CAPABILITIES)
    output, _ = runtime.run("sh", "-c", script, cgroup=runtime.group(), seccomp=program)
    lines = [line for line in output.splitlines() if "denied" not in line and "permitted" not in line]
    assert not [line for line in lines if "mounted" in line or "wrote" in line]


@pytest.mark.parametrize(
    "name", ["kernel.core_pattern", "vm.swappiness", "../core_pattern", "net..x", "net/../kernel/x", "fs.file-max"]
)
def test_cve_2022_0811_parameters_of_the_host_are_refused(runtime: Any, name: str) -> None:
    spec = runtime.spec("true")
    spec.linux.sysctl = {name: "1"}
    with pytest.raises(InvalidArgument, match="sysctl"):
        runtime.create(spec)


def test_cve_2022_0811_a_value_is_one_value(runtime: Any) -> None:
    spec = runtime.spec("true")
    spec.linux.sysctl = {"kernel.shm_rmid_forced": "1+kernel.core_pattern=|/x"}
    handle = runtime.create(spec)
    with pytest.raises(InvalidArgument, match="failed to set the sysctl"):
        handle.start()


def test_a_shared_namespaces_parameters_are_refused(runtime: Any) -> None:
    spec = runtime.spec("true", namespaces=("mount", "pid"))
    spec.linux.sysctl = {"net.ipv4.ip_forward": "1"}
    with pytest.raises(InvalidArgument, match="no network namespace"):
        runtime.create(spec)


def test_cve_2020_15257_no_abstract_socket_is_made(runtime: Any) -> None:
    def abstract() -> set[str]:
        return {line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines() if " @" in line}

    before = abstract()
    handle = runtime.create(runtime.spec("sleep", "100"), attach=True, stdin=True)
    handle.start()
    assert abstract() <= before


def test_another_user_is_turned_away_from_the_attach_socket(runtime: Any) -> None:
    run_dir = runtime.directory("run")
    handle = runtime.create(runtime.spec("cat"), run_dir=run_dir, stdin=True)
    handle.start()
    # Even if somebody opened the doors to it.
    for path in [run_dir, *run_dir.parents][:-2]:
        os.chmod(path, 0o755)
    os.chmod(run_dir / "attach.sock", 0o666)
    program = (
        "import os, socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
        "os.setuid(65534); os.chdir(sys.argv[1]); s.connect('attach.sock'); s.settimeout(5); print(s.recv(10))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(run_dir)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "b''" or "Reset" in done.stderr
    with attach.connect(run_dir) as client:
        client.write(b"still here")
        assert client.read(10).data == b"still here"


def test_the_hosts_mounts_are_as_before(runtime: Any) -> None:
    before = Path("/proc/self/mountinfo").read_text()
    runtime.run("true")
    handle = runtime.create(runtime.spec("sleep", "100"))
    handle.start()
    assert Path("/proc/self/mountinfo").read_text() == before


def test_the_default_filter_refuses_what_dockers_does(runtime: Any, tmp_path: Path) -> None:
    program = seccomp.of_profile(tmp_path, defaults.CAPABILITIES)
    script = """
    exec 2>&1
    unshare -m true; echo $?; unshare -U true; echo $?; mount -t tmpfs x /tmp; echo $?; swapon /x; echo $?
    chroot / true; echo $?; grep Seccomp: /proc/self/status
    """
    output, _ = runtime.run("sh", "-c", script, seccomp=program)
    numbers = [line for line in output.splitlines() if line.isdecimal()]
    assert numbers[:2] == ["1", "1"]
    assert numbers[2] != "0"
    assert numbers[-1] == "0"
    assert output.split()[-1] == "2"


def test_no_new_privileges_is_set_before_the_filter(runtime: Any, tmp_path: Path) -> None:
    program = seccomp.of_profile(tmp_path, defaults.CAPABILITIES)
    process = {"no_new_privileges": True, "user": User(uid=1000, gid=1000), "capabilities": Capabilities()}
    output, _ = runtime.run("grep", "-E", "NoNewPrivs|Seccomp:", "/proc/self/status", process=process, seccomp=program)
    assert output.split() == ["NoNewPrivs:", "1", "Seccomp:", "2"]


def test_a_terminal_in_a_container_that_replaced_its_devpts_is_refused(runtime: Any) -> None:
    names = ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"]
    script = "umount /dev/pts && mkfifo /dev/pts/ptmx && echo ready; sleep 100"
    capabilities = Capabilities(bounding=names, effective=names, permitted=names)
    handle = runtime.create(runtime.spec("sh", "-c", script, capabilities=capabilities), attach=True)
    handle.start()
    read_until(handle.attached, "ready")
    child = runtime.exec(handle, runtime.spec("x"), Process(args=["sh"], env=["PATH=/bin"], terminal=True))
    with pytest.raises(FailedPrecondition, match="terminal"):
        child.start()
