"""`jubako-oci` as a caller sees it."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
from tests.waiting import until

from jubako.linux import cgroup

from .oci import Oci, group_name

pytestmark = pytest.mark.root


def test_run_returns_the_programs_output_and_code(oci: Oci) -> None:
    oci.configure("sh", "-c", "echo hello; exit 3")
    done = oci("run", "-b", str(oci.bundle), "one")
    assert (done.returncode, done.stdout) == (3, "hello\n")
    assert oci("state", "one").returncode == 1


def test_the_life_of_a_container(oci: Oci) -> None:
    oci.configure("sh", "-c", "echo started; sleep 100")
    oci.create("one")
    assert oci.status("one") == "created"
    assert oci("start", "one").returncode == 0
    assert oci.status("one") == "running"
    assert oci("kill", "one", "KILL").returncode == 0
    deadline = time.monotonic() + 5
    while oci.status("one") != "stopped" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert oci("delete", "one").returncode == 0
    assert "does not exist" in oci("state", "one").stderr


def test_transitions_that_the_specification_forbids_are_errors(oci: Oci) -> None:
    oci.create("one")
    assert "already exists" in oci("create", "-b", str(oci.bundle), "one").stderr
    assert "that is not stopped: created" in oci("delete", "one").stderr
    oci("start", "one")
    assert oci("start", "one").returncode == 1
    assert oci.status("one") == "running"
    oci("kill", "one", "9")
    until(lambda: oci.status("one") == "stopped")
    assert "not running" in oci("kill", "one").stderr
    assert oci("delete", "one").returncode == 0
    assert oci("delete", "one").returncode == 1
    assert oci("delete", "--force", "one").returncode == 0


def test_the_pid_file_names_a_process_that_is_nobodys_of_ours(oci: Oci, tmp_path: Path) -> None:
    done = oci("create", "-b", str(oci.bundle), "--pid-file", str(tmp_path / "pid"), "one")
    assert done.returncode == 0
    status = Path(f"/proc/{(tmp_path / 'pid').read_text()}/status").read_text()
    parent = int(status.partition("PPid:")[2].split()[0])
    assert "jubako" not in Path(f"/proc/{parent}/comm").read_text()


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("nothing-like-it", "executable file not found in $PATH"),
        ("/nothing", "stat /nothing: no such file or directory"),
        ("/etc/passwd", "permission denied"),
        ("/etc", "permission denied"),
    ],
)
def test_a_program_that_can_not_run_is_told_at_create(oci: Oci, tmp_path: Path, program: str, reason: str) -> None:
    oci.configure(program)
    done = oci("create", "-b", str(oci.bundle), "one")
    assert (done.returncode, done.stderr) == (1, f'jubako-oci: exec: "{program}": {reason}\n')
    assert os.listdir(tmp_path / "state") == []
    assert oci("run", "-b", str(oci.bundle), "one").stderr == done.stderr


def test_a_failed_create_leaves_nothing(oci: Oci, tmp_path: Path) -> None:
    config = json.loads((oci.bundle / "config.json").read_text())
    config["mounts"].append({"destination": "/x", "type": "bind", "source": "/nowhere", "options": ["rbind"]})
    (oci.bundle / "config.json").write_text(json.dumps(config))
    done = oci("create", "-b", str(oci.bundle), "one")
    assert done.returncode == 1
    assert "failed to bind /nowhere" in done.stderr
    assert os.listdir(tmp_path / "state") == []
    assert group_name("one") not in cgroup.manager().names()


def test_exec_runs_in_the_container(oci: Oci) -> None:
    oci.create("one")
    oci("start", "one")
    done = oci(
        "exec",
        "--user",
        "1000:5",
        "--env",
        "A=b",
        "--cwd",
        "/tmp",
        "one",
        "sh",
        "-c",
        "id -u; echo $A; pwd; hostname; exit 9",
    )
    assert (done.returncode, done.stdout.split()) == (9, ["1000", "b", "/tmp", "jubako"])
    assert oci("exec", "-d", "one", "sh", "-c", "sleep 50").returncode == 0
    assert "sleep 50" in oci("exec", "one", "ps").stdout
    assert oci("exec", "one", "nothing").returncode != 0


def test_a_signal_ends_a_container_that_has_not_started(oci: Oci) -> None:
    oci.create("one")
    assert oci("kill", "one", "WINCH").returncode == 0
    assert oci.status("one") == "created"
    assert oci("kill", "one", "TERM").returncode == 0
    oci.wait_for("one", "stopped")
    assert oci("delete", "one").returncode == 0


def test_a_container_in_the_user_namespace_of_another(oci: Oci) -> None:
    ids = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    kinds = json.loads((oci.bundle / "config.json").read_text())["linux"]["namespaces"]
    oci.linux(namespaces=[*kinds, {"type": "user"}], uidMappings=ids, gidMappings=ids)
    oci.create("two")
    pid = json.loads(oci("state", "two").stdout)["pid"]
    oci.linux(namespaces=[*kinds, {"type": "user", "path": f"/proc/{pid}/ns/user"}], uidMappings=[], gidMappings=[])
    oci.configure("sh", "-c", "id -u; cat /proc/self/uid_map; touch /dev/shm/x && stat -c %u /dev/shm/x")
    assert oci("run", "-b", str(oci.bundle), "one").stdout.split() == ["0", "0", "100000", "65536", "0"]


def test_a_process_of_exec_has_the_score_it_was_given(oci: Oci, tmp_path: Path) -> None:
    oci.create("one")
    oci("start", "one")
    process = {"args": ["cat", "/proc/self/oom_score_adj"], "cwd": "/", "env": ["PATH=/bin"], "oomScoreAdj": 321}
    (tmp_path / "process.json").write_text(json.dumps(process))
    assert oci("exec", "-p", str(tmp_path / "process.json"), "one").stdout == "321\n"


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "x y", "é"])
def test_ids_that_are_no_names_are_refused(oci: Oci, name: str) -> None:
    assert oci("create", "-b", str(oci.bundle), name).returncode == 1


def test_list_and_log_are_machine_readable(oci: Oci, tmp_path: Path) -> None:
    oci.create("two")
    found = json.loads(oci("list", "--format", "json").stdout)
    assert [(one["id"], one["status"]) for one in found] == [("two", "created")]
    assert oci("list", "-q").stdout == "two\n"
    log = tmp_path / "log.json"
    oci("--log", str(log), "--log-format", "json", "state", "none")
    entry = json.loads(log.read_text())
    assert (entry["level"], entry["msg"]) == ("error", "container does not exist: none")


def test_a_half_made_container_is_deleted_by_force(oci: Oci, tmp_path: Path) -> None:
    (tmp_path / "state" / "one").mkdir(parents=True)
    assert oci("delete", "--force", "one").returncode == 0
    assert os.listdir(tmp_path / "state") == []


@pytest.mark.parametrize("uid", ["4294967296", "4294967295", "-1", '"0"', "1e3"])
def test_a_user_that_is_no_user_is_refused_where_it_stands(oci: Oci, uid: str) -> None:
    """4294967296 is 0 to whoever cuts it to 32 bits."""
    config = oci.bundle / "config.json"
    config.write_text(re.sub(r'"user": \{[^}]*\}', f'"user": {{"uid": {uid}}}', config.read_text()))
    done = oci("create", "-b", str(oci.bundle), "one")
    assert done.returncode == 1
    assert "$.process.user.uid" in done.stderr


@pytest.mark.parametrize(
    "user", ["4294967296", "4294967295", "-1", "0x0", "1:4294967296", "1:-1", "+0", "\N{ARABIC-INDIC DIGIT ZERO}"]
)
def test_exec_as_a_user_that_is_no_user_is_refused(oci: Oci, user: str) -> None:
    oci.create("one")
    done = oci("exec", f"--user={user}", "one", "id")
    assert (done.returncode != 0, done.stdout) == (True, "")
    assert user in done.stderr
    process = oci.base / "process.json"
    process.write_text('{"args": ["id"], "cwd": "/", "user": {"uid": 4294967296}}')
    done = oci("exec", "--process", str(process), "one")
    assert done.returncode != 0
    assert "$.user.uid" in done.stderr


def test_cve_2022_29162_exec_makes_no_capability_inheritable(oci: Oci) -> None:
    oci.create("one")
    done = oci(
        "exec", "--cap", "CAP_NET_ADMIN", "--user", "0", "one", "grep", "-E", "CapInh|CapEff", "/proc/self/status"
    )
    sets = dict(line.split(":\t") for line in done.stdout.splitlines())
    assert int(sets["CapEff"], 16) >> 12 & 1
    assert sets["CapInh"] == "0" * 16


def test_what_waits_for_its_start_ends_by_the_signal_of_anybody(oci: Oci) -> None:
    oci.create("one")
    os.kill(json.loads(oci("state", "one").stdout)["pid"], signal.SIGTERM)
    oci.wait_for("one", "stopped")
    assert oci("delete", "one").returncode == 0


def test_exec_with_a_capability_that_the_container_inherits_has_it_ambient(oci: Oci) -> None:
    some = ["CAP_KILL", "CAP_SYSLOG"]
    sets = {"bounding": some, "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"], "inheritable": some}
    oci.configure("sleep", "60", capabilities=sets)
    oci.create("one")
    shown = oci("exec", "--cap", "CAP_SYSLOG", "one", "grep", "-E", "CapInh|CapAmb", "/proc/self/status").stdout
    assert shown == "CapInh:\t0000000400000020\nCapAmb:\t0000000400000000\n"
    assert oci("exec", "one", "grep", "CapAmb", "/proc/self/status").stdout == "CapAmb:\t0000000000000000\n"


def test_cve_2024_21626_exec_does_not_work_in_a_directory_of_the_hosts(oci: Oci) -> None:
    oci.create("one")
    for number in range(3, 30):
        done = oci(
            "exec", "--cwd", f"/proc/self/fd/{number}", "one", "sh", "-c", "pwd -P; cat ../../../../etc/hostname"
        )
        assert done.returncode != 0 or done.stdout in ("/proc/1/fd\n", "/\n")
