"""`jubako-oci --systemd-cgroup`, where systemd is PID 1 and cgroup v2 is all there is (`./dev vm`)."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jubako.linux import systemd

from ...systemd_user import ROOT, in_service, in_session, needs_systemd, own_slice, user
from .oci import Oci

pytestmark = pytest.mark.root
SCOPE = ROOT / "jubako.slice/jubako-tests.slice/pre-one.scope"


class SystemdOci(Oci):
    """Every call with the option, and a group of systemd's own name."""

    def command(self, *arguments: str) -> list[str]:
        program, *rest = super().command(*arguments)
        return [program, "--systemd-cgroup", *rest]

    def group(self, container: str) -> str:
        return f"jubako-tests.slice:pre:{container}"


@pytest.fixture
def systemd_oci(tmp_path: Path, image: Path) -> Iterator[SystemdOci]:
    made = SystemdOci(tmp_path, image)
    made.configure("sleep", "100")
    yield made
    made("delete", "--force", "one")


def shown(unit: str, *names: str) -> dict[str, str]:
    """Properties of a unit, as systemctl tells them."""
    done = subprocess.run(
        ["systemctl", "show", unit, f"-p{','.join(names)}"], capture_output=True, check=True, text=True
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


@needs_systemd
def test_the_container_alone_is_in_a_delegated_scope_of_its_slice(systemd_oci: SystemdOci) -> None:
    systemd_oci.create("one")
    pid = json.loads(systemd_oci("state", "one").stdout)["pid"]
    assert (SCOPE / "cgroup.procs").read_text().split() == [str(pid)]
    wanted = {"Slice": "jubako-tests.slice", "Delegate": "yes", "ActiveState": "active"}
    assert shown("pre-one.scope", *wanted) == wanted


@needs_systemd
def test_limits_are_the_units_and_outlive_a_reload(systemd_oci: SystemdOci) -> None:
    resources = {
        "memory": {"limit": 64 << 20, "swap": 64 << 20},
        "cpu": {"shares": 512, "quota": 50000, "period": 100000, "cpus": "0"},
        "pids": {"limit": 42},
    }
    systemd_oci.linux(resources=resources)
    systemd_oci.create("one")
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    files = {"memory.max": str(64 << 20), "pids.max": "42", "cpu.max": "50000 100000", "cpuset.cpus": "0"}
    assert {name: (SCOPE / name).read_text().strip() for name in files} == files
    names = {"MemoryMax": str(64 << 20), "TasksMax": "42", "CPUQuotaPerSecUSec": "500ms", "AllowedCPUs": "0"}
    assert shown("pre-one.scope", *names) == names


@needs_systemd
def test_update_changes_unit_and_group(systemd_oci: SystemdOci) -> None:
    systemd_oci.create("one")
    assert systemd_oci("update", "--pids-limit", "17", "one").returncode == 0
    assert (SCOPE / "pids.max").read_text() == "17\n"
    assert shown("pre-one.scope", "TasksMax") == {"TasksMax": "17"}


@needs_systemd
def test_devices_that_are_not_allowed_can_not_be_opened_after_a_reload_either(systemd_oci: SystemdOci) -> None:
    systemd_oci.linux(resources={"devices": [{"allow": False}]})
    systemd_oci.create("one")
    systemd_oci("start", "one")
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    assert systemd_oci("exec", "one", "head", "-c1", "/dev/zero").stdout == "\0"
    refused = systemd_oci("exec", "one", "sh", "-c", "mknod /dev/kmsg c 1 11 && cat /dev/kmsg")
    assert "Operation not permitted" in refused.stderr
    assert shown("pre-one.scope", "DevicePolicy") == {"DevicePolicy": "strict"}


@needs_systemd
def test_delete_waits_until_the_unit_is_gone(systemd_oci: SystemdOci) -> None:
    for _ in range(2):
        systemd_oci.create("one")
        assert systemd_oci("delete", "--force", "one").returncode == 0
        assert not SCOPE.exists()
        assert shown("pre-one.scope", "LoadState") == {"LoadState": "not-found"}


@needs_systemd
def test_a_failed_create_leaves_no_unit(systemd_oci: SystemdOci) -> None:
    systemd_oci.mount(Path("/nowhere"), "/x")
    assert systemd_oci("create", "-b", str(systemd_oci.bundle), "one").returncode == 1
    assert shown("pre-one.scope", "LoadState") == {"LoadState": "not-found"}


@needs_systemd
def test_exec_pause_and_the_other_commands_find_the_scope(systemd_oci: SystemdOci) -> None:
    systemd_oci.create("one")
    systemd_oci("start", "one")
    assert systemd_oci("exec", "one", "cat", "/proc/self/cgroup").stdout == "0::/\n"
    assert systemd_oci("pause", "one").returncode == 0
    assert systemd_oci.status("one") == "paused"
    assert systemd_oci("resume", "one").returncode == 0
    assert len(json.loads(systemd_oci("ps", "--format", "json", "one").stdout)) == 1


@needs_systemd
def test_a_path_that_is_no_unit_is_refused(systemd_oci: SystemdOci) -> None:
    systemd_oci.group = lambda container: "/some/where"  # type: ignore[method-assign]
    done = systemd_oci("create", "-b", str(systemd_oci.bundle), "one")
    assert 'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups' in done.stderr


@needs_systemd
@pytest.mark.parametrize("place", [in_service, in_session])
def test_an_ordinary_user_has_its_own_systemd_make_the_scope(
    oci: Oci, place: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    home = Path(user().pw_dir, "test")
    shutil.copytree((oci.bundle / "rootfs").resolve(), home / "rootfs", symlinks=True)

    def runtime(*arguments: str) -> str:
        done = place(*oci.command()[:1], "--root", str(home / "state"), "--systemd-cgroup", *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    try:
        subprocess.run(["chown", "-R", f"{user().pw_uid}:{user().pw_gid}", home], check=True)
        runtime("spec", "--rootless", "-b", str(home))
        config = json.loads((home / "config.json").read_text())
        config["process"].update(args=["sleep", "100"], terminal=False)
        config["linux"].update(cgroupsPath="user.slice:pre:one", resources={"memory": {"limit": 64 << 20}})
        (home / "config.json").write_text(json.dumps(config))
        runtime("create", "-b", str(home), "one")
        scope = own_slice() / "pre-one.scope"
        pid = json.loads(runtime("state", "one"))["pid"]
        assert (scope / "cgroup.procs").read_text().split() == [str(pid)]
        assert (scope / "memory.max").read_text() == f"{64 << 20}\n"
        runtime("start", "one")
        assert runtime("exec", "one", "cat", "/proc/self/cgroup") == "0::/\n"
        runtime("delete", "--force", "one")
        assert not scope.exists()
    finally:
        runtime("delete", "--force", "one")
        shutil.rmtree(home)


@pytest.mark.skipif(systemd.runs(), reason="systemd runs here")
def test_without_systemd_the_option_is_refused_by_name(oci: Oci) -> None:
    program, *rest = oci.command("run", "-b", str(oci.bundle), "one")
    done = subprocess.run([program, "--systemd-cgroup", *rest], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "--systemd-cgroup" in done.stderr
    assert list(oci.base.glob("state/*")) == []
