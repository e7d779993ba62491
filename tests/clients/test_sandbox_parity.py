"""What a process finds inside: docker and jubako give it the same privileges, mounts, devices and parameters.

Differences that are meant are named where they are taken out: jubako masks what later versions of docker mask, gives
a container a cgroup namespace of its own, and leaves IPv6 on the loopback interface.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.root]

LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
OPTIONS = {
    "default": [],
    "user": ["-u", "1000"],
    "user and group": ["-u", "5:6"],
    "named user": ["-u", "www-data"],
    "more groups": ["-u", "www-data:7", "--group-add", "9", "--group-add", "daemon"],
    "no capability": ["--cap-drop", "ALL"],
    "one capability": ["--cap-drop", "ALL", "--cap-add", "NET_ADMIN"],
    "one more": ["--cap-add", "SYS_ADMIN", "--cap-drop", "CAP_CHOWN"],
    "capabilities of a user": ["-u", "1000", "--cap-add", "NET_RAW"],
    "no new privileges": ["--security-opt", "no-new-privileges"],
    "no filter": ["--security-opt", "seccomp=unconfined"],
    "unmasked": ["--security-opt", "systempaths=unconfined"],
    "terminal": ["-t"],
    "read-only": ["--read-only", "--tmpfs", "/t:size=1m,mode=700"],
    "host network": ["--network", "host"],
    "host processes": ["--pid", "host"],
}
STATUS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Uid", "Gid", "Groups")
NEWER_MASKS = {"/proc/interrupts", "/sys/devices/virtual/powercap"}


@pytest.fixture(params=OPTIONS.values(), ids=OPTIONS.keys())
def options(request):
    network = [] if "--network" in request.param else ["--network", "none"]
    return [*request.param, *network, *LIMITS]


def both(jubako, docker, options, *command):
    """The lines that the command prints in each, jubako's first."""
    return [party("run", "--rm", *options, "busybox", *command).splitlines() for party in (jubako, docker)]


def test_process_status(jubako, docker, options):
    def chosen(lines):
        fields = dict(line.split(":", 1) for line in lines)
        return {name: fields[name].split() for name in STATUS}

    ours, theirs = map(chosen, both(jubako, docker, options, "cat", "/proc/self/status"))
    assert ours == theirs


def test_mounts(jubako, docker, options):
    ours, theirs = both(jubako, docker, options, "cat", "/proc/self/mountinfo")
    assert mounts(ours) == mounts(theirs)


def mounts(lines):
    """{place: (type, flags, options of the filesystem)}."""
    found = {}
    for line in lines:
        place, flags, *rest = line.split()[4:]
        kind, _, options = rest[rest.index("-") + 1 :]
        if place in NEWER_MASKS or place.startswith("/sys/fs/cgroup"):
            continue
        if place.startswith("/proc/") and re.search(r" /null /proc/", line):
            found[place] = ("null",)
        elif kind == "tmpfs" and place.startswith(("/proc/", "/sys/")):
            found[place] = ("empty", flags)
        elif kind in ("tmpfs", "devpts", "mqueue"):
            found[place] = (kind, set(flags.split(",")), set(options.split(",")))
        else:
            found[place] = (kind, set(flags.split(",")))
    return found


def test_what_is_hidden_reads_as_nothing(jubako, docker):
    hidden = "/proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/sched_debug"
    script = (
        f"for f in {hidden}; do test -e $f && wc -c < $f; done; ls -A /proc/acpi /proc/scsi /sys/firmware 2>&1;"
        "for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /proc/irq/x /proc/bus/x /sys/x /sys/fs/cgroup/x; do"
        " (echo x > $f) 2>&1; mkdir $f/d 2>&1; done; true"
    )
    ours, theirs = both(jubako, docker, [], "sh", "-c", script)
    # docker leaves the directory above the hierarchies writable.
    assert [line for line in ours if "cgroup" not in line] == [line for line in theirs if "cgroup" not in line]


@pytest.mark.parametrize("more", [[], ["-t"], ["-h", "name", "-e", "HOME=/x", "-e", "A=b c"], ["-u", "1000"]])
def test_environment(jubako, docker, more):
    ours, theirs = both(jubako, docker, more, "env")
    common = [[re.sub("HOSTNAME=[0-9a-f]{12}$", "HOSTNAME=id", line) for line in lines] for lines in (ours, theirs)]
    assert sorted(common[0]) == sorted(common[1])


@pytest.mark.parametrize("more", [[], ["--ulimit", "core=0", "--ulimit", "nofile=100:200"]])
def test_limits(jubako, docker, more):
    ours, theirs = both(jubako, docker, [*LIMITS, *more], "cat", "/proc/self/limits")
    assert ours == theirs


@pytest.mark.parametrize("more", [[], ["-t"], ["--device", "/dev/kmsg:/dev/log0:r"]])
def test_devices(jubako, docker, more):
    script = "cd /dev; for f in . * pts/*; do stat -c '%n %F %t:%T %a %u:%g %N' $f; done"
    ours, theirs = both(jubako, docker, more, "sh", "-c", script)
    assert ours == theirs


def test_device_access(jubako, docker):
    script = (
        "mknod /d c 1 11 && head -c1 /d; mknod /e b 7 0 && head -c1 /e; mknod /n c 1 3 && echo x >/n && echo written"
    )
    ours, theirs = both(jubako, docker, [], "sh", "-c", f"({script}) 2>&1; true")
    assert ours == theirs
    assert ours[-1] == "written"


@pytest.mark.parametrize("more", [[], ["--sysctl", "net.core.somaxconn=99", "--sysctl", "kernel.shmmax=12345"]])
def test_kernel_parameters(jubako, docker, more):
    """Of the namespaces that a container has; the host's own ones are the same anyway."""

    def own(lines):
        found = dict(line.partition(" = ")[::2] for line in lines)
        namespaced = ("net.", "kernel.shm", "kernel.sem", "kernel.msg", "kernel.domainname", "fs.mqueue.")
        return {k: v for k, v in found.items() if k.startswith(namespaced) and ".ipv6." not in k}

    ours, theirs = map(own, both(jubako, docker, more, "sh", "-c", "sysctl -a 2>/dev/null; true"))
    assert ours == theirs
    assert ours


@pytest.mark.parametrize("more", [[], ["-h", "name"], ["-h", "name.domain", "--add-host", "there:10.1.2.3"]])
def test_names(jubako, docker, more):
    script = "hostname; cat /etc/hostname /etc/hosts"

    def common(lines):
        text = "\n".join(lines).replace("fe00::0", "fe00::").replace("ff00::0", "ff00::")
        return re.sub(r"\b[0-9a-f]{12}\b", "id", re.sub(r"(?m)^(172|10)\.(?!1\.2\.3)[0-9.]+", "ADDRESS", text))

    ours, theirs = map(common, both(jubako, docker, more, "sh", "-c", script))
    assert ours == theirs


def test_resolver(jubako, docker):
    more = ["--dns", "10.9.8.7", "--dns-search", "a.test", "--dns-option", "ndots:3"]
    ours, theirs = both(jubako, docker, more, "cat", "/etc/resolv.conf")
    assert sorted(ours) == sorted(theirs)


def test_any_user_may_bind_a_low_port(jubako, docker):
    script = "nc -l -p 80 -w 1 & sleep 0.2; netstat -ltn | grep -c :80; wait"
    ours, theirs = both(jubako, docker, ["-u", "1000"], "sh", "-c", f"{script}; true")
    assert (ours, theirs) == (["1"], ["1"])


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """A static program that makes system calls and prints what came of each."""
    if not shutil.which("gcc"):
        pytest.skip("needs gcc")
    directory = tmp_path_factory.mktemp("calls")
    directory.chmod(0o755)
    source = Path(__file__).parent / "system_calls.c"
    subprocess.run(["gcc", "-O1", "-static", "-o", str(directory / "calls"), str(source)], check=True)
    return directory


# What moby's profile refuses since 20.10 (io_uring, vsock) and allows since then (reading other processes where ptrace
# is safe, naming handles).
NEWER_RULES = {"io_uring_setup", "socket vsock", "process_vm_readv", "process_vm_writev", "name_to_handle_at"}
FILTERS = {
    "default": [],
    "user": ["-u", "1000"],
    "administrator": ["--cap-add", "SYS_ADMIN"],
    "tracer": ["--cap-add", "SYS_PTRACE", "--cap-add", "SYSLOG", "--cap-add", "SYS_TIME"],
    "no capability": ["--cap-drop", "ALL"],
    "no new privileges": ["--security-opt", "no-new-privileges"],
    "unconfined": ["--security-opt", "seccomp=unconfined"],
}


@pytest.mark.parametrize("more", FILTERS.values(), ids=FILTERS.keys())
def test_system_calls_are_refused_alike(jubako, docker, calls, more):
    options = [*more, "--network", "none", "-v", f"{calls}:/calls:ro"]
    ours, theirs = (dict(line.split(": ") for line in lines) for lines in both(jubako, docker, options, "/calls/calls"))
    assert len(ours) > 70
    assert {name for name in ours if ours[name] != theirs[name]} <= NEWER_RULES
    if "seccomp=unconfined" not in more:
        assert ours["io_uring_setup"] == ours["socket vsock"] == "EPERM"
