"""What scripts read of containers and images: the same fields with the same values as docker's."""

from __future__ import annotations

import json
import re

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.root]

LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
RUN = [
    "run", "-d", "--name", "inspected", *LIMITS, "-e", "A=b c", "-l", "x=y", "-w", "/tmp", "-h", "host",
    "-v", "data:/data", "-v", "/tmp:/host:ro", "--tmpfs", "/t", "-p", "127.0.0.1:48080:80", "-p", "48081:81/udp",
    "--expose", "82", "-m", "64m", "--cpus", "0.5", "--pids-limit", "50", "--restart", "on-failure:3",
    "--device", "/dev/null:/dev/other:r", "--cap-drop", "CHOWN", "--stop-signal", "SIGINT", "--init=false",
    "-u", "0:0", "--cap-add", "NET_ADMIN",
    "--add-host", "there:10.1.2.3", "--dns", "10.9.8.7", "--entrypoint", "sleep", "busybox", "1000",
]  # fmt: skip
COLUMNS = ("Names", "Image", "Command", "Ports", "Mounts", "Labels")
EMPTY = (None, [], {}, "", 0, False)
"""docker wrote one or the other in the course of its versions."""


@pytest.fixture(scope="module")
def parties(state, docker):
    parties = {"ours": state, "theirs": docker}
    # One after the other: they publish the same ports.
    found = {}
    for name, party in parties.items():
        party(*RUN)
        found[name] = json.loads(party("inspect", "--size", "inspected"))[0]
        found[f"{name} ports"] = sorted(party("port", "inspected").splitlines())
        found[f"{name} port"] = party("port", "inspected", "81/udp").splitlines()
        found[f"{name} ps"] = party(
            "ps", "--format", "{{.Names}}|{{.Image}}|{{.Command}}|{{.Ports}}|{{.Mounts}}|{{.Labels}}"
        )
        found[f"{name} networks"] = json.loads(
            party("inspect", "-f", "{{json .NetworkSettings.Networks}}", "inspected")
        )
        party("kill", "inspected")
        party("wait", "inspected")
        found[f"{name} ended"] = json.loads(party("inspect", "-f", "{{json .State}}", "inspected"))
        party("rm", "-f", "-v", "inspected")
        party("volume", "rm", "data")
    return found


def plain(value):
    if value == "default":
        return "bridge"  # what a network that was not chosen is called since 26.0
    return None if value in EMPTY else sorted(value, key=str) if isinstance(value, list) else value


STATE = ("Status", "Running", "Paused", "Restarting", "OOMKilled", "Dead", "ExitCode", "Error")
CONFIG = (
    "Hostname Domainname User AttachStdin AttachStdout AttachStderr ExposedPorts Tty OpenStdin StdinOnce Env Cmd Image "
    "WorkingDir Entrypoint OnBuild Labels StopSignal"
).split()
HOST = (
    "Binds NetworkMode PortBindings RestartPolicy AutoRemove VolumeDriver VolumesFrom CapAdd CapDrop Dns DnsOptions "
    "DnsSearch ExtraHosts GroupAdd Links OomScoreAdj PidMode Privileged PublishAllPorts ReadonlyRootfs SecurityOpt "
    "UTSMode UsernsMode ShmSize Memory MemorySwap MemoryReservation NanoCpus CpuShares CpuPeriod CpuQuota CpusetCpus "
    "PidsLimit OomKillDisable Devices Tmpfs Init Ulimits Cgroup CgroupParent BlkioWeight Links DeviceCgroupRules"
).split()
TOP = ("Path", "Args", "Image", "Name", "RestartCount", "Platform", "Driver")


@pytest.mark.parametrize(("section", "fields"), [("", TOP), ("State", STATE), ("Config", CONFIG), ("HostConfig", HOST)])
def test_fields_of_a_running_container(parties, section, fields):
    ours, theirs = (parties[name][section] if section else parties[name] for name in ("ours", "theirs"))
    assert {f: plain(ours.get(f)) for f in fields} == {f: plain(theirs.get(f)) for f in fields}


def test_there_is_every_field_that_docker_has(parties):
    ours, theirs = parties["ours"], parties["theirs"]
    for section in (lambda d: d["HostConfig"], lambda d: d["NetworkSettings"]["Networks"]["bridge"]):
        assert section(theirs).keys() - section(ours).keys() <= {"KernelMemory", "KernelMemoryTCP"}  # gone since
    assert theirs["HostConfig"]["Ulimits"]
    assert theirs["HostConfig"]["Devices"]
    assert ours["SizeRw"] >= theirs["SizeRw"] == 0
    assert ours["SizeRootFs"] > ours["SizeRw"]


def test_fields_that_differ_by_nature_have_one_form(parties):
    for field, pattern in {
        "Id": "[0-9a-f]{64}",
        "Created": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z",
        "ResolvConfPath": "/.*/resolv.conf",
        "HostsPath": "/.*/hosts",
        "HostnamePath": "/.*/hostname",
        "LogPath": "/.*log",
    }.items():
        for name in ("ours", "theirs"):
            assert re.fullmatch(pattern, parties[name][field]), (name, field)
    for name in ("ours", "theirs"):
        state = parties[name]["State"]
        assert state["Pid"] > 1
        assert re.fullmatch(r"\d{4}-.*Z", state["StartedAt"])
        assert state["FinishedAt"] == "0001-01-01T00:00:00Z"


def test_an_ended_container(parties):
    ours, theirs = parties["ours ended"], parties["theirs ended"]
    assert {f: ours[f] for f in (*STATE, "Pid")} == {f: theirs[f] for f in (*STATE, "Pid")}


def test_mounts(parties):
    def common(name):
        return [
            {k: v for k, v in mount.items() if k not in ("Source", "Mode")}
            for mount in sorted(parties[name]["Mounts"], key=lambda m: m["Destination"])
            if mount["Type"] != "tmpfs"
        ]

    assert common("ours") == common("theirs")


def is_ipv4(place: str) -> bool:
    return "[::]" not in place and ":::" not in place


def test_ports_and_networks(parties):
    """docker publishes on [::] too, where we do not yet."""
    published = parties["theirs"]["NetworkSettings"]["Ports"]
    theirs = {port: places and [p for p in places if p["HostIp"] != "::"] for port, places in published.items()}
    assert parties["ours"]["NetworkSettings"]["Ports"] == theirs
    for name in ("port", "ports"):
        assert parties[f"ours {name}"] == list(filter(is_ipv4, parties[f"theirs {name}"]))
    ours, theirs = (parties[name]["NetworkSettings"]["Networks"] for name in ("ours", "theirs"))
    assert list(ours) == list(theirs) == ["bridge"]
    for field in ("IPAddress", "Gateway", "MacAddress", "NetworkID", "EndpointID", "IPPrefixLen"):
        assert type(ours["bridge"][field]) is type(theirs["bridge"][field]), field
        assert ours["bridge"][field], field
    for field in ("IPAddress", "Gateway", "MacAddress", "IPPrefixLen"):
        assert parties["ours"]["NetworkSettings"][field] == ours["bridge"][field]


def test_ps(parties):
    def fields(name):
        *others, ports, mounts, labels = parties[f"{name} ps"].strip().split("|")
        return others, set(filter(is_ipv4, ports.split(", "))), sorted(mounts.split(",")), labels

    assert fields("ours") == fields("theirs")


def test_images(state, docker):
    for party in (state, docker):
        listed = party("images", "--format", "{{.Repository}}|{{.Tag}}|{{.ID}}", "busybox").strip()
        assert re.fullmatch(r"busybox\|latest\|[0-9a-f]{12}", listed)
    ours, theirs = (json.loads(party("image", "inspect", "busybox"))[0] for party in (state, docker))
    for field in ("Id", "RepoTags", "Architecture", "Os", "RootFS", "Created"):
        assert plain(ours.get(field)) == plain(theirs.get(field)), field
    for field in ("Env", "Cmd", "Entrypoint", "WorkingDir", "User", "Labels", "ExposedPorts", "Volumes"):
        assert plain(ours["Config"].get(field)) == plain(theirs["Config"].get(field)), field


@pytest.mark.parametrize(
    ("command", "code"),
    [("exit 3", 3), ("kill -KILL $$", 137), ("kill -TERM $$", 143), ("exec /nosuch", 127), ("exec /etc", 126)],
)
def test_exit_codes(state, docker, command, code):
    # A first process ignores signals that it does not handle, so a child dies of them.
    line = ["run", "--rm", "--network", "none", "busybox", "sh", "-c", f"sh -c '{command}'; exit $?"]
    assert state.run(*line).returncode == docker.run(*line).returncode == code


def test_logs(state, docker):
    script = (
        "echo out; echo err >&2; printf 'no newline';"
        " head -c 40000 /dev/zero | tr '\\0' x; echo; printf '\\303\\251\\n'"
    )
    found = []
    for party in (state, docker):
        party("run", "--name", "logged", "--network", "none", "busybox", "sh", "-c", script)
        done = party.run("logs", "logged")
        tail = party.run("logs", "--tail", "1", "logged")
        stamped = party.run("logs", "-t", "--tail", "2", "logged").stdout.split(b"\n")
        found.append((done.stdout, done.stderr, tail.stdout, [line.partition(b" ")[2] for line in stamped]))
        party("rm", "logged")
    assert found[0] == found[1]
