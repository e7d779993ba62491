"""The same bundle with the same resources under runc and under jubako-oci: their groups' control files are the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jubako.linux import cgroup

pytestmark = pytest.mark.root

Change = tuple[str, ...]

RUNC = ["runc"]
OURS = [str(Path(sys.executable).parent / "jubako-oci")]
# What moves while two containers sleep, or is a command and no setting.
MOVING = (
    *("usage", "stat", "cgroup.", "tasks", "pressure", "current", "peak", "kmem.slabinfo", "events", "io_serv"),
    *("reclaim", "force_empty", "event_control", "prioidx", "numa_stat", "stat.local"),
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle")
    for name in ("bin", "proc", "sys", "dev"):
        (path / "rootfs" / name).mkdir(parents=True)
    (path / "rootfs/bin/sleep").write_bytes(Path("/bin/busybox").read_bytes())
    (path / "rootfs/bin/sleep").chmod(0o755)
    subprocess.run(["runc", "spec"], cwd=path, check=True)
    config = json.loads((path / "config.json").read_text())
    config["process"] |= {"terminal": False, "args": ["sleep", "100"]}
    config["process"]["capabilities"].pop(
        "ambient", None
    )  # of names that are not inheritable; it is not what is tested
    (path / "config.json").write_text(json.dumps(config))
    return path


class Runner:
    """Containers of both runtimes, each in a group beneath jubako/ that is removed at the end."""

    def __init__(self, bundle: Path, base: Path) -> None:
        self.bundle, self.base = bundle, base

    def command(self, runtime: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
        root = self.base / Path(runtime[0]).name
        with (self.base / "out").open("w+") as out, (self.base / "err").open("w+") as err:
            done = subprocess.run(
                [*runtime, "--root", str(root), *arguments],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=60, check=False,
            )  # fmt: skip
        out_text, err_text = (self.base / "out").read_text(), (self.base / "err").read_text()
        return subprocess.CompletedProcess(done.args, done.returncode, out_text, err_text)

    def name(self, runtime: list[str]) -> str:
        return f"test-{os.getpid()}-{Path(runtime[0]).name}"

    def start(self, runtime: list[str], resources: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        config = json.loads((self.bundle / "config.json").read_text())
        config["linux"]["cgroupsPath"] = f"/{cgroup.PARENT}/{self.name(runtime)}"
        config["linux"]["resources"] = {"devices": [{"allow": False, "access": "rwm"}], **resources}
        (self.bundle / "config.json").write_text(json.dumps(config))
        return self.command(runtime, "run", "-d", "-b", str(self.bundle), self.name(runtime))

    def settings(self, runtime: list[str]) -> dict[str, str]:
        """`controller/file` -> text of every setting in the container's groups."""
        found = cgroup.find_hierarchies(Path("/proc/self/mountinfo").read_text())
        roots = {**found.v1, "unified": found.unified}
        texts: dict[str, str] = {}
        for kind, root in roots.items():
            directory = Path(root) / cgroup.PARENT / self.name(runtime)
            for file in sorted(directory.glob("*")) if root else []:
                if not any(word in file.name for word in MOVING):
                    texts[f"{kind}/{file.name}"] = read(file)
        return texts

    def close(self) -> None:
        for runtime in (OURS, RUNC):
            self.command(runtime, "delete", "--force", self.name(runtime))


def read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError as error:
        return str(error.errno)


@pytest.fixture
def runner(bundle: Path, tmp_path: Path) -> Iterator[Runner]:
    made = Runner(bundle, tmp_path)
    yield made
    made.close()


def difference(runner: Runner) -> dict[str, tuple[str | None, str | None]]:
    """setting -> (ours, runc's), where they are not equal and nothing explains it."""
    ours, theirs = runner.settings(OURS), runner.settings(RUNC)
    assert theirs
    for texts in (ours, theirs):
        if "devices/devices.list" in texts:  # in what order does not count; runc 1.1 lets everybody have /dev/net/tun
            rules = set(texts["devices/devices.list"].splitlines()) - {"c 10:200 rwm"}
            texts["devices/devices.list"] = "\n".join(sorted(rules))
    # The unified hierarchy's freezer does it, and a cpuset that nobody asked for is the parent's.
    absent = ["freezer/"] + ([] if "cpuset/cpuset.cpus" in ours else ["cpuset/"])
    pairs = {key: (ours.get(key), theirs.get(key)) for key in ours.keys() | theirs.keys()}
    return {
        key: pair
        for key, pair in pairs.items()
        if pair[0] != pair[1] and not (pair[0] is None and key.startswith(tuple(absent)))
    }


def disk() -> dict[str, int]:
    """Some block device's numbers."""
    major, minor = next(iter(sorted(Path("/sys/block").glob("[!l]*/dev")))).read_text().split(":")
    return {"major": int(major), "minor": int(minor)}


ROWS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "memory": {"memory": {"limit": 64 << 20, "swap": 128 << 20, "reservation": 32 << 20}},
    "unlimited memory": {"memory": {"limit": -1}},
    "zeros": {"memory": {"limit": 0, "swap": 0}, "cpu": {"shares": 0, "quota": 0}, "pids": {"limit": 0}},
    "unlimited pids": {"pids": {"limit": -1}, "cpu": {"quota": -1}},
    "shares": {"cpu": {"shares": 512}},
    "bandwidth": {"cpu": {"quota": 30000, "period": 60000}},
    "period alone": {"cpu": {"period": 50000}},
    "cpuset": {"cpu": {"cpus": "0", "mems": "0"}},
    "pids": {"pids": {"limit": 33}},
    "weight": {"blockIO": {"weight": 300}},
    "throttles": {
        "blockIO": {
            "throttleReadBpsDevice": [{**disk(), "rate": 1 << 20}],
            "throttleWriteBpsDevice": [{**disk(), "rate": 2 << 20}],
            "throttleReadIOPSDevice": [{**disk(), "rate": 100}],
            "throttleWriteIOPSDevice": [{**disk(), "rate": 200}],
        }
    },
    "devices": {
        "devices": [
            {"allow": False, "access": "rwm"},
            {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"},
            {"allow": True, "type": "b", "major": 7, "access": "r"},
            {"allow": True, "type": "c", "major": 4, "minor": -1, "access": "rwm"},
            {"allow": False, "type": "c", "major": 4, "minor": -1, "access": "w"},
        ]
    },
}


@pytest.mark.parametrize("row", ROWS)
def test_a_group_is_set_up_as_runc_does(runner: Runner, row: str) -> None:
    for runtime in (OURS, RUNC):
        done = runner.start(runtime, ROWS[row])
        assert done.returncode == 0, done.stderr
    assert difference(runner) == {}


CHANGES: dict[str, list[Change]] = {
    "memory grows and shrinks": [
        ("--memory", "64m", "--memory-swap", "64m"),
        ("--memory", "256m", "--memory-swap", "300m"),
        ("--memory", "32m", "--memory-swap", "40m"),
        ("--memory", "36m"),
        ("--memory-reservation", "16m"),
        ("--memory-swap", "-1"),
        ("--memory", "-1"),
    ],
    "processors": [
        ("--cpu-quota", "30000", "--cpu-period", "60000"),
        ("--cpu-period", "50000"),
        ("--cpu-quota", "-1"),
        ("--cpu-share", "200", "--cpuset-cpus", "0", "--cpuset-mems", "0"),
    ],
    "others": [("--pids-limit", "20"), ("--blkio-weight", "200"), ("--pids-limit", "-1"), ("--kernel-memory", "5m")],
}


@pytest.mark.parametrize("name", CHANGES)
def test_updates_change_what_runc_changes(runner: Runner, name: str) -> None:
    for runtime in (OURS, RUNC):
        assert runner.start(runtime, {}).returncode == 0
    for change in CHANGES[name]:
        done = [runner.command(runtime, "update", *change, runner.name(runtime)) for runtime in (OURS, RUNC)]
        assert [one.returncode for one in done] == [0, 0], (change, [one.stderr for one in done])
        assert difference(runner) == {}, change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--cpuset-cpus", "4000"), "cpuset.cpus"),
        (("--memory", "64x"), "invalid value for memory"),
        (("--cpu-quota", "many"), "invalid value for cpu-quota"),
        (("--cpu-share", "-1"), "invalid value for cpu-share"),
        (("--memory", "64m", "--memory-swap", "32m"), "memory"),
        (("--l3-cache-schema", "L3:0=f"), "Intel RDT/CAT: l3 cache schema is not enabled"),
        (("--mem-bw-schema", "MB:0=20"), "Intel RDT/MBA: memory bandwidth schema is not enabled"),
        (("-r", "/no/such/file"), "no such file"),
    ],
)
def test_what_runc_refuses_is_refused(runner: Runner, change: Change, words: str) -> None:
    for runtime in (OURS, RUNC):
        assert runner.start(runtime, {}).returncode == 0
        done = runner.command(runtime, "update", *change, runner.name(runtime))
        assert done.returncode == 1
        assert words.lower() in done.stderr.lower()


def shape(value: object) -> object:
    """Field names and types. What is 0 is left out; each counter that a group has is there."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value).__name__


# Present when more than 0, which differs from run to run.
COUNTS = {"percpu_kernel", "percpu_user", "percpu", "total", "cache", "usage", "max", "failcnt", "hugetlb"}


def always(document: Any) -> Any:
    """Without the fields that are there only when they have counted something."""
    if isinstance(document, dict):
        return {key: always(inner) for key, inner in document.items() if key not in COUNTS or isinstance(inner, dict)}
    return document


def test_statistics_have_runcs_fields(runner: Runner) -> None:
    found = []
    for runtime in (OURS, RUNC):
        assert runner.start(runtime, {"pids": {"limit": 33}, "memory": {"limit": 64 << 20}}).returncode == 0
        done = runner.command(runtime, "events", "--stats", runner.name(runtime))
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        document["data"].pop("hugetlb")  # runc looks for v1's controller alone
        document["data"].pop("blkio")  # the program may have been read from the disk, or not
        found.append(shape(always(document)))
    assert found[0] == found[1]
