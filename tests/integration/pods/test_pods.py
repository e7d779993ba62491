"""Containers in a pod: what they share, what they have for themselves, and what is left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from tests.waiting import until

from jubako.engine import CreateOptions
from jubako.engine.pods.record import PodOptions
from jubako.errors import AlreadyExists, Conflict, InvalidArgument, NotFound
from jubako.linux import cgroup

from ... import isolated
from ...remains import published

pytestmark = pytest.mark.root


def in_pod(jubako, *command, pod="web"):
    return jubako("run", "--rm", "--pod", pod, "busybox", *command)


def pod_of(engine, **options):
    return engine.pods.create(PodOptions(**options))


def member(engine, pod, *command, **options):
    record = engine.containers.create(CreateOptions(image="busybox", command=[*command], pod=pod.id, **options))
    engine.containers.start(record.id)
    return record


def test_containers_of_a_pod_talk_over_loopback_and_see_one_host_name(jubako):
    jubako("pod", "create", "--name", "web", "--network", "none")
    script = "echo hello >/tmp/index.html; exec httpd -f -p 80 -h /tmp"
    jubako("run", "-d", "--pod", "web", "--name", "server", "busybox", "sh", "-c", script)
    until(lambda: jubako.run("run", "--rm", "--pod", "web", "busybox", "wget", "-qO-", "localhost").returncode == 0)
    assert in_pod(jubako, "wget", "-qO-", "http://127.0.0.1/") == "hello\n"
    assert in_pod(jubako, "hostname") == jubako("exec", "server", "hostname") == "web\n"


def test_containers_of_a_pod_share_memory_but_no_files_and_no_processes(jubako):
    jubako("pod", "create", "--name", "web", "--network", "none", "--shm-size", "1m")
    in_pod(jubako, "sh", "-c", "echo shared >/dev/shm/x; echo own >/tmp/x")
    assert in_pod(jubako, "sh", "-c", "cat /dev/shm/x; ls /tmp; ls -d /proc/[0-9]*").split()[:2] == [
        "shared",
        "/proc/1",
    ]
    filled = jubako.run(
        "run", "--rm", "--pod", "web", "busybox", "dd", "if=/dev/zero", "of=/dev/shm/y", "bs=1M", "count=2"
    )
    assert b"No space left" in filled.stderr


def test_published_port_of_a_pod_reaches_whichever_container_listens(jubako):
    jubako("pod", "create", "--name", "web", "-p", "127.0.0.1:18311:80")
    for answer in ("one", "two"):
        script = f"echo {answer} >/tmp/index.html; exec httpd -f -p 80 -h /tmp"
        jubako("run", "-d", "--pod", "web", "--name", answer, "busybox", "sh", "-c", script)
        until(lambda: answers("http://127.0.0.1:18311/"))
        assert answers("http://127.0.0.1:18311/") == f"{answer}\n"
        jubako("rm", "-f", answer)
    refused = jubako.run("pod", "create", "--name", "other", "-p", "18311:80")
    assert refused.returncode == 0
    taken = jubako.run("pod", "start", "other")
    assert taken.returncode == 1
    assert b"18311" in taken.stderr
    jubako("pod", "stop", "-t", "0", "web")
    jubako("pod", "start", "other")


def answers(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.read().decode()
    except OSError:
        return ""


def test_pod_has_the_resolver_and_hosts_that_were_asked_for(jubako):
    asked = (
        "--dns",
        "10.9.8.7",
        "--dns-search",
        "ns.svc.local",
        "--dns-option",
        "ndots:5",
        "--add-host",
        "db:10.1.1.1",
    )
    jubako("pod", "create", "--name", "web", "--hostname", "front", *asked)
    resolver = in_pod(jubako, "cat", "/etc/resolv.conf")
    assert resolver == "nameserver 10.9.8.7\nsearch ns.svc.local\noptions ndots:5\n"
    hosts = in_pod(jubako, "cat", "/etc/hosts")
    assert "10.1.1.1\tdb\n" in hosts
    assert hosts.splitlines()[-1].split()[1] == "front"
    assert in_pod(jubako, "sh", "-c", "hostname; echo $HOSTNAME") == "front\nfront\n"


def test_sysctls_of_the_pod_hold_in_its_containers_and_none_of_the_hosts_is_accepted(jubako):
    jubako("pod", "create", "--name", "web", "--network", "none", "--sysctl", "net.core.somaxconn=77")
    assert in_pod(jubako, "cat", "/proc/sys/net/core/somaxconn") == "77\n"
    assert Path("/proc/sys/net/core/somaxconn").read_text() != "77\n"
    done = jubako.run("pod", "create", "--sysctl", "vm.swappiness=1")
    assert done.returncode != 0
    assert b"vm.swappiness" in done.stderr


def test_no_process_stays_for_a_pod(engine, jubako):
    pod = pod_of(engine, name="web")
    engine.pods.start("web")
    pins = {kind: jubako.run_root / "pods" / pod.id / kind for kind in ("net", "ipc", "uts")}
    kept = {f"{kind}:[{os.stat(pin).st_ino}]" for kind, pin in pins.items()}
    assert not kept & isolated.namespaces()
    assert not cgroup.manager().open(f"pod{pod.id}").pids()


def test_pod_outlives_every_process_and_its_address_stays(engine, jubako):
    pod = pod_of(engine, name="web")
    first = member(engine, pod, "sleep", "1000")
    address = engine.pods.address("web")
    os.kill(engine.containers.get(first.id).pid, signal.SIGKILL)
    engine.containers.wait(first.id)
    assert in_pod(jubako, "ip", "-4", "addr", "show", "eth0").count(address) == 1


def test_limits_of_the_pod_hold_for_all_its_containers_together(engine):
    pod = pod_of(engine, name="web", network="none", memory=24 << 20, memory_swap=24 << 20)
    hungry = member(engine, pod, "tail", "/dev/zero", memory=64 << 20)
    assert engine.containers.wait(hungry.id) == 137
    # The group is still there for the next one, with its limits.
    assert engine.containers.wait(member(engine, pod, "tail", "/dev/zero").id) == 137
    assert engine.containers.wait(member(engine, pod, "true").id) == 0


def test_groups_of_containers_lie_in_the_pods_and_all_go_with_it(engine):
    pod = pod_of(engine, name="web", network="none", pids_limit=50)
    record = member(engine, pod, "sleep", "1000")
    assert engine.containers.get(record.id).cgroup == f"pod{pod.id}/{record.id}"
    assert cgroup.manager().open(f"pod{pod.id}").pids()
    engine.pods.remove("web", force=True)
    assert f"pod{pod.id}" not in cgroup.manager().names()


def test_stopped_pod_gives_back_port_and_address_and_starts_again_with_its_containers(jubako):
    jubako("pod", "create", "--name", "web", "-p", "127.0.0.1:18312:80")
    jubako("run", "-d", "--pod", "web", "--name", "server", "busybox", "sleep", "1000")
    jubako("pod", "stop", "-t", "0", "web")
    assert published() == []
    assert jubako("pod", "ps", "--format", "{{.Status}}") == "Exited\n"
    assert jubako("ps", "-a", "--format", "{{.State}}") == "exited\n"
    jubako("pod", "start", "web")
    assert jubako("pod", "ps", "--format", "{{.Status}} {{.NumberOfContainers}}") == "Running 1\n"
    assert jubako("ps", "--format", "{{.Names}}") == "server\n"


def test_starting_a_container_makes_its_stopped_pod_ready(engine):
    pod = pod_of(engine, name="web", network="none")
    record = member(engine, pod, "true")
    engine.pods.stop("web", 0)
    engine.containers.start(record.id)
    assert engine.pods.get("web").phase == "ready"


def test_stop_ends_all_containers_at_once_and_none_is_restarted(engine):
    pod = pod_of(engine, name="web", network="none")
    script = "trap 'sleep 1; exit 0' TERM; while :; do sleep 0.1; done"
    records = [member(engine, pod, "sh", "-c", script, restart="always") for _ in range(3)]
    start = time.monotonic()
    engine.pods.stop("web", 10)
    assert time.monotonic() - start < 2.9
    assert {engine.containers.get(record.id).phase for record in records} == {"exited"}


def test_pod_with_a_running_container_is_removed_only_by_force(engine):
    pod = pod_of(engine, name="web", network="none")
    record = member(engine, pod, "sleep", "1000")
    with pytest.raises(Conflict, match="running containers"):
        engine.pods.remove("web")
    engine.pods.remove("web", force=True)
    with pytest.raises(NotFound):
        engine.containers.get(record.id)


def test_attempts_of_a_member_are_kept_with_their_logs(engine):
    pod = pod_of(engine, name="web", network="none")
    for number in range(3):
        record = member(engine, pod, "sh", "-c", f"echo attempt {number}; exit {number}", member="app")
        engine.containers.wait(record.id)
    newest, previous, first = engine.pods.attempts("web", "app")
    assert [newest.name, previous.name, first.name] == ["web-app-2", "web-app-1", "web-app-0"]
    assert [line.log for line in engine.containers.logs(previous.id)] == ["attempt 1\n"]
    assert (previous.exit_code, previous.reason) == (1, "Error")
    assert (first.exit_code, first.reason) == (0, "Completed")
    assert first.started_ns < first.finished_ns <= previous.started_ns


def test_container_killed_for_memory_says_so_as_its_reason(engine):
    pod = pod_of(engine, network="none")
    record = member(engine, pod, "tail", "/dev/zero", memory=16 << 20, memory_swap=16 << 20)
    engine.containers.wait(record.id)
    assert engine.containers.get(record.id).reason == "OOMKilled"


def test_containers_that_share_a_pid_namespace_see_each_other_and_outlive_each_other(engine, jubako):
    pod = pod_of(engine, name="web", network="none", share=["net", "ipc", "uts", "pid"])
    first, second = member(engine, pod, "sleep", "1001"), member(engine, pod, "sleep", "1002")
    seen = in_pod(jubako, "ps", "-o", "pid,args")
    assert "1 /init" in seen
    assert "sleep 1001" in seen
    assert "sleep 1002" in seen
    engine.containers.kill(first.id)
    assert engine.containers.get(second.id).phase == "running"
    # Process 1 reaps what a container leaves behind.
    in_pod(jubako, "sh", "-c", "(sleep 0.1 &)")
    assert "defunct" not in in_pod(jubako, "ps")


def test_container_with_ptrace_gets_nothing_of_the_host_through_process_1(engine, jubako):
    pod_of(engine, name="web", network="none", share=["pid", "net"])
    script = "ls -a /proc/1/root /proc/1/fd; grep -E 'Cap|Uid|NoNew' /proc/1/status; echo >>/proc/1/exe"
    done = jubako.run("run", "--rm", "--pod", "web", "--cap-add", "SYS_PTRACE", "busybox", "sh", "-c", script)
    said = done.stdout.decode().split()
    assert "etc" not in said
    assert {said[said.index(name) + 1] for name in ("CapPrm:", "CapBnd:", "CapEff:")} == {"0" * 16}
    assert said[said.index("Uid:") + 1] == "65534"
    assert done.returncode != 0


def test_pod_whose_process_1_was_killed_has_ended_and_starts_again(engine, jubako):
    pod = pod_of(engine, name="web", network="none", share=["pid", "net"])
    record = member(engine, pod, "sleep", "1000")
    state = json.loads((jubako.run_root / "pods" / pod.id / "init/state").read_text())
    os.kill(state["pid"], signal.SIGKILL)
    engine.containers.wait(record.id)
    until(lambda: engine.pods.get("web").phase == "stopped")
    engine.containers.start(record.id)
    assert engine.pods.get("web").phase == "ready"


def test_host_network_pod_has_the_hosts_interfaces_and_no_pins(engine):
    pod = pod_of(engine, name="web", network="host", share=["net"])
    record = member(engine, pod, "sleep", "1000")
    pid = engine.containers.get(record.id).pid
    assert os.readlink(f"/proc/{pid}/ns/net") == os.readlink("/proc/self/ns/net")


def test_host_uts_pod_has_the_hosts_name(engine):
    pod = pod_of(engine, name="web", network="host", share=["net"], host=["uts"])
    record = member(engine, pod, "hostname")
    engine.containers.wait(record.id)
    assert [line.log for line in engine.containers.logs(record.id)] == [os.uname().nodename + "\n"]


def test_pods_on_a_network_of_their_own_know_each_other_by_name(jubako):
    jubako("network", "create", "mesh")
    try:
        for name in ("web", "db"):
            jubako("pod", "create", "--name", name, "--network", "mesh")
            jubako("pod", "start", name)
        assert in_pod(jubako, "ping", "-c", "1", "-W", "3", "db").count("1 packets received") == 1
        refused = jubako.run("network", "rm", "mesh")
        assert b"has active endpoints" in refused.stderr
        members = json.loads(jubako("network", "inspect", "mesh"))[0]["Containers"].values()
        assert {member["Name"] for member in members} == {"web", "db"}
        jubako("pod", "rm", "-f", "web", "db")
    finally:
        jubako("network", "rm", "mesh")


def test_pod_whose_pins_are_gone_as_after_a_reboot_is_found_stopped_and_starts_again(engine, jubako):
    pod = pod_of(engine, name="web", publish=["127.0.0.1:18313:80"])
    record = member(engine, pod, "sleep", "1000", restart="always")
    run_dir = jubako.run_root / "pods" / pod.id
    for name in ("net", "ipc", "uts", "shm"):
        subprocess.run(["umount", str(run_dir / name)], check=True)
    assert engine.pods.get("web").phase == "stopped"
    assert engine.containers.get(record.id).phase == "exited"
    assert published() == []
    engine.containers.start(record.id)
    assert engine.pods.get("web").phase == "ready"


def test_what_belongs_to_the_pod_is_refused_of_a_container_in_it(engine):
    pod = pod_of(engine, name="web", network="none")
    with pytest.raises(InvalidArgument, match="publish is set for the pod"):
        engine.containers.create(CreateOptions(image="busybox", pod=pod.id, publish=["80:80"]))


@pytest.mark.parametrize(
    "options", [{"share": ["mount"]}, {"network": "container:x"}, {"network": "none", "publish": ["80"]}, {"memory": 1}]
)
def test_pod_that_cannot_be_is_refused(engine, options):
    with pytest.raises(InvalidArgument):
        engine.pods.create(PodOptions(**options))
    with pytest.raises(NotFound):
        engine.pods.create(PodOptions(network="nowhere"))
    assert engine.pods.list() == []


def test_name_of_a_pod_is_taken_once(engine):
    pod_of(engine, name="web")
    with pytest.raises(AlreadyExists, match="already in use"):
        pod_of(engine, name="web")


def test_run_makes_a_new_pod_with_the_ports_of_its_container(jubako):
    jubako("run", "-d", "--pod", "new:web", "-p", "127.0.0.1:18314:80", "--name", "server", "busybox", "sleep", "1000")
    ports = json.loads(jubako("pod", "inspect", "web"))[0]["Network"]["Ports"]
    assert ports == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18314"}]}
    assert jubako("ps", "--filter", "pod=web", "--format", "{{.Names}}") == "server\n"
