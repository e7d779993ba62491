"""What `jubako-oci` makes of a bundle, and what it says of one that is wrong."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from .oci import Oci

pytestmark = pytest.mark.root


def printed(oci: Oci, *args: str, **process: Any) -> str:
    """Standard output of a container of `args`."""
    oci.configure(*args, **process)
    done = oci("run", "-b", str(oci.bundle), "one")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n  "a": 1,\n  b}', "object keys must be strings (line 3, column 3)"),
        ("[]", "Expected `object`, got `array`"),
        ("", "truncated"),
        ('{"process": 3}', "Expected `object | null`, got `int` - at `$.process`"),
        ('{"process": {"args": [1]}}', "Expected `str`, got `int` - at `$.process.args[0]`"),
        ("{}", "process property must not be empty"),
        ('{"process": {"args": ["x"]}}', "root must be specified"),
        ('{"process": {"args": ["x"]}, "root": {"path": "none"}}', "/none: no such file or directory"),
        ('{"process": {"args": ["x"]}, "root": {"path": "config.json"}}', "config.json: not a directory"),
        ('{"process": {}, "root": {"path": "rootfs"}}', "process.args must not be empty"),
        ('{"process": {"args": ["x"], "env": ["A"]}, "root": {"path": "rootfs"}}', 'invalid environment variable: "A"'),
        ('{"process": {"args": ["x"], "env": ["=A"]}, "root": {"path": "rootfs"}}', "name can't be empty"),
        ('{"ociVersion": "2.0.0", "process": {}}', "ociVersion 2.0.0 is not supported"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_named(oci: Oci, tmp_path: Path, text: str, said: str) -> None:
    oci.own_groups = False
    (oci.bundle / "config.json").write_text(text)
    done = oci("create", "-b", str(oci.bundle), "one")
    assert done.returncode == 1
    assert f"{oci.bundle}/config.json: " in done.stderr
    assert said in done.stderr
    assert not os.path.exists(tmp_path / "state" / "one")


def test_a_bundle_without_configuration_is_named(oci: Oci) -> None:
    done = oci("create", "-b", "/no/such/bundle", "one")
    assert "JSON specification file /no/such/bundle/config.json not found" in done.stderr


def test_what_would_reach_the_host_or_do_nothing_is_refused(oci: Oci, image: Path) -> None:
    config = json.loads((oci.bundle / "config.json").read_text())
    linux, process = config["linux"], config["process"]
    shared = [namespace for namespace in linux["namespaces"] if namespace["type"] != "uts"]
    twice = [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}] * 2
    for said, parts in {
        "linux.namespaces names a type twice": {"linux": {**linux, "namespaces": [*linux["namespaces"], shared[0]]}},
        "unable to set hostname without a private UTS namespace": {"linux": {**linux, "namespaces": shared}},
        "rootfsPropagation=odd is not supported": {"linux": {**linux, "rootfsPropagation": "odd"}},
        "process.rlimits names a limit twice": {"process": {**process, "rlimits": twice}},
        "sysctl 'kernel.hostname' is not allowed": {"linux": {**linux, "sysctl": {"kernel.hostname": "x"}}},
    }.items():
        (oci.bundle / "config.json").write_text(json.dumps({**config, **parts}))
        assert said in oci("create", "-b", str(oci.bundle), "one").stderr


def test_proc_is_not_mounted_where_an_image_leads_to(oci: Oci, tmp_path: Path) -> None:
    (tmp_path / "rootfs").mkdir()
    (tmp_path / "rootfs" / "proc").symlink_to("/elsewhere")
    oci.change(root={"path": str(tmp_path / "rootfs")})
    assert (
        'filesystem "proc" must be mounted on ordinary directory' in oci("create", "-b", str(oci.bundle), "one").stderr
    )


def test_exec_keeps_what_it_is_not_told_of_the_user(oci: Oci) -> None:
    oci.configure("sleep", "100", user={"uid": 0, "gid": 3, "umask": 0o27, "additionalGids": [8]})
    oci.create("one")
    oci("start", "one")
    shown = oci("exec", "-u", "5", "-g", "9", "one", "sh", "-c", "id -u; id -G; umask").stdout
    assert shown.splitlines() == ["5", "3 8 9", "0027"]
    assert oci("exec", "-u", "5:6", "one", "id", "-G").stdout == "6 8\n"


def test_state_shows_what_runc_shows(oci: Oci) -> None:
    oci.change(annotations={"a.b": "c"})
    oci.create("one")
    state = json.loads(oci("state", "one").stdout)
    assert set(state) == {
        "ociVersion",
        "id",
        "pid",
        "status",
        "bundle",
        "rootfs",
        "created",
        "owner",
        "annotations",
    }
    assert (state["rootfs"], state["annotations"]) == (f"{oci.bundle}/rootfs", {"a.b": "c"})


def test_null_is_as_good_as_absent(oci: Oci) -> None:
    """Programs in Go write null for a list that they have not got."""
    config = json.loads((oci.bundle / "config.json").read_text())
    config["process"].update(args=["echo", "ran"], terminal=False, rlimits=None, env=None)
    config.update(hooks=None, annotations=None)
    config["linux"].update(devices=None, sysctl=None)
    config["process"]["env"] = ["PATH=/bin"]
    (oci.bundle / "config.json").write_text(json.dumps(config))
    assert oci("run", "-b", str(oci.bundle), "one").stdout == "ran\n"


def test_a_variable_is_set_once_to_its_last_value(oci: Oci) -> None:
    env = ["PATH=/bin", "A=1", "A=2", "B=x\ny", "HOME=/a", "HOME="]
    assert printed(oci, "env", env=env).splitlines() == ["PATH=/bin", "A=2", "B=x", "y", "HOME=/root"]


def test_home_is_that_of_the_user_unless_it_is_given(oci: Oci) -> None:
    assert printed(oci, "sh", "-c", "echo $HOME", user={"uid": 1000, "gid": 0}) == "/home\n"
    assert printed(oci, "sh", "-c", "echo $HOME", user={"uid": 4711, "gid": 0}) == "/\n"
    assert printed(oci, "sh", "-c", "echo $HOME", env=["PATH=/bin", "HOME=/x"]) == "/x\n"


def test_home_is_looked_up_in_the_passwd_file_that_is_mounted(oci: Oci, tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("eve:x:7:7::/srv:/bin/sh\n")
    oci.mount(tmp_path / "passwd", "/etc/passwd")
    assert printed(oci, "sh", "-c", "echo $HOME", user={"uid": 7, "gid": 7}) == "/srv\n"


def test_ptmx_is_the_containers_own_whatever_the_devices_say(oci: Oci) -> None:
    linux = json.loads((oci.bundle / "config.json").read_text())["linux"]
    linux["devices"] = [{"path": "/dev/ptmx", "type": "c", "major": 5, "minor": 2}]
    oci.change(linux=linux)
    assert printed(oci, "readlink", "/dev/ptmx") == "pts/ptmx\n"


def test_capabilities_that_can_not_be_given_are_warned_of(oci: Oci) -> None:
    some = ["CAP_KILL", "CAP_NOVEL"]
    sets = {"bounding": some, "effective": some, "permitted": some, "ambient": some}
    assert "CapPrm:\t0000000000000020" in printed(oci, "cat", "/proc/self/status", capabilities=sets)
    done = oci("run", "-b", str(oci.bundle), "one")
    assert "CapAmb:\t0000000000000000" in done.stdout
    assert "ignoring unknown or unavailable capabilities: CAP_NOVEL" in done.stderr


def test_a_file_is_mounted_where_a_link_to_nothing_leads(oci: Oci, tmp_path: Path) -> None:
    """As /etc/resolv.conf of images that had systemd-resolved."""
    root = tmp_path / "root"
    shutil.copytree((oci.bundle / "rootfs").resolve(), root, symlinks=True)
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/resolv.conf").symlink_to("../run/resolve/stub.conf")
    (root / "etc/hosts").symlink_to("/run/link")
    (root / "etc/loop").symlink_to("loop")
    (root / "run").mkdir(exist_ok=True)
    (root / "run/link").symlink_to("hosts")
    (tmp_path / "file").write_text("mounted\n")
    oci.change(root={"path": str(root)})
    oci.configure("cat", "/run/resolve/stub.conf", "/run/hosts")
    for name in ("resolv.conf", "hosts"):
        oci.mount(tmp_path / "file", f"/etc/{name}", "bind")
    assert oci.run() == "mounted\n" * 2
    assert [path.read_text() for path in (root / "run/resolve/stub.conf", root / "run/hosts")] == ["", ""]
    oci.mount(tmp_path / "file", "/etc/loop", "bind")
    done = oci("run", "-b", str(oci.bundle), "one")
    assert "failed to bind /etc/loop: too many levels of symbolic links" in done.stderr


def test_an_interpreter_that_is_not_there_is_told_from_a_program_that_is_not(oci: Oci, tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/nothing\n")
    (tmp_path / "script").chmod(0o755)
    oci.mount(tmp_path / "script", "/bin/script", "bind")
    oci.configure("/bin/script")
    assert "exec /bin/script: no such file or directory\n" in oci("run", "-b", str(oci.bundle), "one").stderr
    oci.configure("sleep", "60")
    oci.create("one")
    done = oci("exec", "one", "script")
    assert (done.returncode, "exec script: no such file or directory\n" in done.stderr) == (255, True)
    assert 'exec: "/nothing": stat /nothing: no such file or directory' in oci("exec", "one", "/nothing").stderr


def test_a_foreground_terminal_ends_lines_as_the_program_does(oci: Oci) -> None:
    oci.configure("sh", "-c", "echo one; echo two", terminal=True)
    assert oci.run() == "one\ntwo\n"
    oci.configure("sleep", "60")
    oci.create("one")
    assert oci("exec", "-t", "one", "echo", "three").stdout == "three\n"


def test_the_processors_of_the_caller_are_not_the_containers(oci: Oci) -> None:
    ours = sorted(os.sched_getaffinity(0))
    oci.configure("grep", "Cpus_allowed:", "/proc/self/status")
    wide = oci.run()
    one = ["taskset", "-c", str(ours[0])]
    assert oci.run(through=one) == wide
    oci.configure("sleep", "60")
    oci.create("one")
    assert oci.under(one, "exec", "one", "grep", "Cpus_allowed:", "/proc/self/status").stdout == wide


def test_exec_as_another_user_has_that_users_home(oci: Oci, tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root:x:0:0::/root:/bin/sh\neve:x:7:7::/srv:/bin/sh\n")
    oci.mount(tmp_path / "passwd", "/etc/passwd")
    oci.configure("sleep", "60")
    oci.create("one")
    homes = [oci("exec", "--user", user, "one", "sh", "-c", "echo $HOME").stdout for user in ("0", "7", "1000")]
    assert homes == ["/root\n", "/srv\n", "/\n"]
    assert oci("exec", "--user", "7", "--env", "HOME=/x", "one", "sh", "-c", "echo $HOME").stdout == "/x\n"


@pytest.mark.parametrize("command", ["create", "run", "exec"])
def test_who_asks_gets_a_pidfd(oci: Oci, tmp_path: Path, command: str) -> None:
    oci.configure("sleep", "60")
    path = str(tmp_path / "pidfd")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.settimeout(30)
        if command == "exec":
            oci.create("one")
            given = oci("exec", "-d", "--pidfd-socket", path, "--pid-file", f"{path}.pid", "one", "sleep", "60")
        else:
            more = ["-d"] if command == "run" else []
            given = oci(
                command, *more, "-b", str(oci.bundle), "--pidfd-socket", path, "--pid-file", f"{path}.pid", "one"
            )
        assert given.returncode == 0, given.stderr
        connection, _ = listener.accept()
        with connection:
            _, fds, _, _ = socket.recv_fds(connection, 64, 1)
    shown = Path(f"/proc/self/fdinfo/{fds[0]}").read_text()
    os.close(fds[0])
    assert f"Pid:\t{Path(path + '.pid').read_text()}\n" in shown
    missing = oci("exec", "--pidfd-socket", str(tmp_path / "none"), "one", "true")
    assert "pidfd socket" in missing.stderr


def test_the_example_names_the_user(oci: Oci) -> None:
    """What edits it looks for them."""
    (oci.bundle / "config.json").unlink()
    assert oci("spec", "-b", str(oci.bundle)).returncode == 0
    assert json.loads((oci.bundle / "config.json").read_text())["process"]["user"] == {"uid": 0, "gid": 0}


def test_an_ambient_capability_that_can_not_be_raised_is_warned_of(oci: Oci) -> None:
    sets = {kind: ["CAP_KILL"] for kind in ("bounding", "effective", "permitted", "inheritable")}
    oci.configure("grep", "CapAmb", "/proc/self/status", capabilities={**sets, "ambient": ["CAP_KILL", "CAP_CHOWN"]})
    done = oci("run", "-b", str(oci.bundle), "one")
    assert done.stdout == "CapAmb:\t0000000000000020\n"
    assert "can't raise ambient capability CAP_CHOWN: " in done.stderr
    assert "CAP_KILL" not in done.stderr


def test_no_signal_is_ignored_or_blocked(oci: Oci) -> None:
    status = printed(oci, "cat", "/proc/self/status")
    for line in ("SigBlk", "SigIgn", "SigCgt"):
        assert f"{line}:\t0000000000000000" in status


def test_mounts_show_their_source(oci: Oci) -> None:
    mounts = json.loads((oci.bundle / "config.json").read_text())["mounts"]
    mounts.append({"destination": "/tmp", "type": "tmpfs", "source": "scratch", "options": ["nosuid"]})
    oci.change(mounts=mounts)
    assert "scratch /tmp tmpfs rw,nosuid,relatime" in printed(oci, "cat", "/proc/mounts")


def test_exec_wants_a_working_directory_that_is_there(oci: Oci) -> None:
    oci.create("one")
    oci("start", "one")
    done = oci("exec", "--cwd", "/nothing", "one", "true")
    assert done.returncode == 255
    assert "/nothing: no such file or directory" in done.stderr
    assert "must be an absolute path" in oci("exec", "--cwd", "x", "one", "true").stderr
