"""Limits, written to a directory that stands for a group: what they become, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from jubako.errors import InvalidArgument, JubakoError
from jubako.linux.cgroup import device_rules, v1_limits, v1_usage, v2_limits, v2_usage
from jubako.spec.oci_runtime import DeviceRule, Resources


def resources(**rows: Any) -> Resources:
    return msgspec.convert(rows, Resources)


def group(path: Path, **files: str) -> Path:
    """A directory with files of these texts."""
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def written(path: Path, present: dict[str, str], expected: dict[str, str], **rows: Any) -> None:
    """Apply `rows` to a v2 group with these files: what is expected is written over the beginning of the texts."""
    v2_limits.apply(str(group(path, **present)), resources(**rows))
    texts = {name: expected.get(name, "") + old[len(expected.get(name, "")) :] for name, old in present.items()}
    assert {file.name: file.read_text() for file in path.iterdir()} == texts


UNLIMITED = {"memory.max": "max\n", "memory.swap.max": "max\n", "memory.low": "0\n"}
LIMITED = {"memory.max": "1000\n", "memory.swap.max": "500\n", "memory.current": "800\n"}


@pytest.mark.parametrize(
    ("present", "memory", "expected"),
    [
        (UNLIMITED, {"limit": 1000}, {"memory.max": "1000"}),
        (UNLIMITED, {"limit": 1000, "swap": 1500}, {"memory.max": "1000", "memory.swap.max": "500"}),
        (UNLIMITED, {"limit": 1000, "swap": 1000}, {"memory.max": "1000", "memory.swap.max": "0"}),
        (UNLIMITED, {"limit": 1000, "swap": -1}, {"memory.max": "1000", "memory.swap.max": "max"}),
        (UNLIMITED, {"reservation": -1}, {"memory.low": "max"}),
        (LIMITED, {"limit": 900}, {"memory.max": "900", "memory.swap.max": "600"}),
        (LIMITED, {"swap": 1200}, {"memory.swap.max": "200"}),
        (LIMITED, {"limit": -1}, {"memory.max": "max", "memory.swap.max": "max"}),
        (LIMITED, {"limit": 850, "checkBeforeUpdate": True}, {"memory.max": "850", "memory.swap.max": "650"}),
        ({"memory.max": "max"}, {"limit": 7, "swap": 7}, {"memory.max": "7"}),
    ],
)
def test_v2_counts_swap_alone_and_keeps_the_sum(
    tmp_path: Path, present: dict[str, str], memory: dict[str, Any], expected: dict[str, str]
) -> None:
    written(tmp_path, present, expected, memory=memory)


@pytest.mark.parametrize(
    ("present", "rows", "message"),
    [
        (UNLIMITED, {"memory": {"swap": 5}}, "unable to set swap limit without memory limit"),
        (LIMITED, {"memory": {"limit": 2000}}, "memory+swap limit should be >= memory limit"),
        (LIMITED, {"memory": {"limit": 700, "checkBeforeUpdate": True}}, "rejecting memory limit 700 <= usage 800"),
        (
            LIMITED,
            {"memory": {"limit": 900, "swap": 790, "checkBeforeUpdate": True}},
            "rejecting memory+swap limit 790 <= usage 800",
        ),
        ({"memory.max": "max"}, {"memory": {"limit": 7, "swap": 9}}, "cannot set memory.swap"),
        ({}, {"memory": {"swappiness": 5}}, "cannot set memory.swappiness"),
        ({}, {"memory": {"disableOOMKiller": True}}, "cannot set memory.disableOOMKiller"),
        ({}, {"memory": {"useHierarchy": False}}, "cannot set memory.useHierarchy"),
        ({}, {"cpu": {"realtimeRuntime": 5}}, "cannot set cpu.realtimeRuntime"),
        ({}, {"blockIO": {"leafWeight": 5}}, "cannot set blockIO.leafWeight"),
        ({}, {"network": {"classID": 5}}, "cannot set network.classID"),
        ({}, {"network": {"priorities": [{"name": "lo", "priority": 1}]}}, "cannot set network.priorities"),
        ({"cgroup.controllers": "cpu"}, {"pids": {"limit": 5}}, "pids.limit: the pids controller is not available"),
        ({"cgroup.controllers": "cpu"}, {"rdma": {"m": {"hcaHandles": 1}}}, "the rdma controller is not available"),
        ({"cgroup.controllers": "cpu"}, {"unified": {"misc.max": "1"}}, "the misc controller is not available"),
        ({"cgroup.controllers": "cpu"}, {"unified": {"cpu.nothing": "1"}}, "this kernel has no cpu.nothing"),
        ({}, {"unified": {"a/b.c": "1"}}, 'unified resource "a/b.c" must be a file name'),
        ({}, {"unified": {"procs": "1"}}, "CONTROLLER.PARAMETER"),
    ],
)
def test_v2_refuses_what_it_has_no_equal_for(
    tmp_path: Path, present: dict[str, str], rows: dict[str, Any], message: str
) -> None:
    with pytest.raises(JubakoError) as refused:
        v2_limits.apply(str(group(tmp_path, **present)), resources(**rows))
    assert message in refused.value.message


@pytest.mark.parametrize(
    ("present", "rows", "expected"),
    [
        ({"cpu.max": "5000 100000"}, {"cpu": {"period": 50000}}, {"cpu.max": "5000 50000"}),
        ({"cpu.max": "5000 70000"}, {"cpu": {"quota": 6000}}, {"cpu.max": "6000 70000"}),
        ({"cpu.max": "5000 70000"}, {"cpu": {"quota": -1}}, {"cpu.max": "max 70000"}),
        ({"cpu.weight": "100"}, {"cpu": {"shares": 1024}}, {"cpu.weight": "39"}),
        ({"io.weight": ""}, {"blockIO": {"weight": 1000}}, {"io.weight": "10000"}),
        ({"io.weight": "", "io.bfq.weight": ""}, {"blockIO": {"weight": 400}}, {"io.bfq.weight": "400"}),
        (
            {"io.weight": ""},
            {"blockIO": {"weightDevice": [{"major": 8, "minor": 0, "weight": 10}]}},
            {"io.weight": "8:0 1"},
        ),
        (
            {"io.max": ""},
            {"blockIO": {"throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": 0}]}},
            {"io.max": "8:0 wiops=max"},
        ),
        (
            {"rdma.max": ""},
            {"rdma": {"m": {"hcaHandles": 3, "hcaObjects": 9}}},
            {"rdma.max": "m hca_handle=3 hca_object=9"},
        ),
        ({"pids.max": "max"}, {"pids": {"limit": 0}}, {}),
        ({"unknown.file": ""}, {"unified": {"unknown.file": "5"}}, {"unknown.file": "5"}),
        (
            {"hugetlb.2MB.max": "", "hugetlb.2MB.rsvd.max": ""},
            {"hugepageLimits": [{"pageSize": "2MB", "limit": 9}]},
            {"hugetlb.2MB.max": "9", "hugetlb.2MB.rsvd.max": "9"},
        ),
    ],
)
def test_v2_files(tmp_path: Path, present: dict[str, str], rows: dict[str, Any], expected: dict[str, str]) -> None:
    written(tmp_path, present, expected, **rows)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("memory", {"memory": {"limit": 5}}),
        ("cpu", {"cpu": {"shares": 5}}),
        ("cpuset", {"cpu": {"cpus": "0"}}),
        ("pids", {"pids": {"limit": 5}}),
        ("blkio", {"blockIO": {"weight": 5}}),
        ("hugetlb", {"hugepageLimits": [{"pageSize": "2MB", "limit": 5}]}),
        ("net_cls", {"network": {"classID": 5}}),
        ("net_prio", {"network": {"priorities": [{"name": "lo", "priority": 1}]}}),
        ("rdma", {"rdma": {"m": {"hcaObjects": 5}}}),
    ],
)
def test_v1_names_the_controller_that_is_missing(kind: str, rows: dict[str, Any]) -> None:
    with pytest.raises(JubakoError, match=f"the {kind} controller is not available"):
        v1_limits.apply({}, resources(**rows))


def test_v1_writes_the_rare_rows(tmp_path: Path) -> None:
    names = ["hugetlb.1GB.limit_in_bytes", "hugetlb.1GB.rsvd.limit_in_bytes", "net_cls.classid", "net_prio.ifpriomap"]
    names += ["rdma.max", "blkio.weight", "blkio.leaf_weight", "blkio.weight_device", "blkio.leaf_weight_device"]
    group(tmp_path, **dict.fromkeys(names, ""))
    rows = resources(
        hugepageLimits=[{"pageSize": "1GB", "limit": 1 << 30}],
        network={"classID": 0x100001, "priorities": [{"name": "eth0", "priority": 5}]},
        rdma={"m": {"hcaHandles": 3}},
        blockIO={
            "weight": 100,
            "leafWeight": 200,
            "weightDevice": [{"major": 8, "minor": 0, "weight": 300, "leafWeight": 400}],
        },
    )
    v1_limits.apply(dict.fromkeys(("hugetlb", "net_cls", "net_prio", "rdma", "blkio"), str(tmp_path)), rows)
    texts = ["1073741824", "1073741824", "1048577", "eth0 5", "m hca_handle=3", "100", "200", "8:0 300", "8:0 400"]
    assert [(tmp_path / name).read_text() for name in names] == texts


def test_unified_is_refused_on_v1() -> None:
    with pytest.raises(InvalidArgument, match="cannot use unified on cgroup v1"):
        v1_limits.apply({}, resources(unified={"memory.high": "5"}))


def rule(text: str) -> DeviceRule:
    allow, kind, major, minor, access = text.split()
    numbers = [None if number == "*" else int(number) for number in (major, minor)]
    return DeviceRule(allow=allow == "+", type=kind, major=numbers[0], minor=numbers[1], access=access)


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        (["+ a * * rwm"], ["a"]),
        (["+ a -1 -1 rwm"], ["a"]),
        (["+ a 1 3 rwm"], ["b 1:3 rwm", "c 1:3 rwm"]),
        (["+ a * * r"], ["b *:* r", "c *:* r"]),
        (["+ u 4 1 rw"], ["c 4:1 rw"]),
        (["- a * * rwm", "+ c 1 3 r", "+ c 1 5 r", "+ c 1 3 wr"], ["a", "c 1:3 rw", "c 1:5 r"]),
        (["+ c 1 3 r", "- c 1 3 m", "+ c 1 3 w"], ["c 1:3 r", "c 1:3 m", "c 1:3 w"]),
    ],
)
def test_device_rules_are_made_unambiguous(given: list[str], lines: list[str]) -> None:
    assert [device_rules.line(single) for single in device_rules.checked(map(rule, given))] == lines


@pytest.mark.parametrize(
    "given",
    [
        ["- a * * rwm", "+ c * * rwm", "- c 1 3 w"],
        ["- a * * rwm", "+ c 1 * rw", "- c 1 3 r"],
        ["- a * * rwm", "+ c 1 3 rw", "- c 1 * r"],
        ["+ a * * rwm", "- c 1 * rw", "+ c 1 3 r"],
    ],
)
def test_holes_that_v1_would_ignore_are_found(given: list[str]) -> None:
    with pytest.raises(InvalidArgument, match="devices: "):
        device_rules.check_holes(device_rules.checked(map(rule, given)))


@pytest.mark.parametrize(
    "given",
    [
        ["- a * * rwm", "+ c * * m", "- c 1 3 rw"],
        ["- a * * rwm", "+ c 1 3 rw", "- c 1 3 rw", "- c 1 * rw"],
        ["- a * * rwm", "+ b * * rwm", "- c 1 3 rw"],
        ["+ a * * rwm", "- b 8 0 rwm", "+ b * * m"],
    ],
)
def test_what_v1_can_keep_is_no_hole(given: list[str]) -> None:
    device_rules.check_holes(device_rules.checked(map(rule, given)))


def test_v2_use_is_told_as_v1s(tmp_path: Path) -> None:
    files = {
        "cpu.stat": "usage_usec 7\nuser_usec 4\nsystem_usec 3\nnr_periods 9\nnr_throttled 2\nthrottled_usec 5\n",
        "memory.current": "100\n",
        "memory.max": "1000\n",
        "memory.swap.current": "20\n",
        "memory.swap.max": "500\n",
        "memory.stat": "anon 60\nfile 40\n",
        "memory.pressure": "some avg10=1.50 avg60=0.00 avg300=0.00 total=8\n",
        "pids.current": "2\n",
        "pids.max": "max\n",
        "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n",
        "hugetlb.2MB.max": "max\n",
        "hugetlb.2MB.rsvd.max": "max\n",
        "hugetlb.2MB.current": "4096\n",
        "hugetlb.2MB.events": "max 6\n",
    }
    use = msgspec.json.decode(msgspec.json.encode(v2_usage.usage(str(group(tmp_path, **files)))))
    assert use["cpu"] == {
        "usage": {"total": 7000, "kernel": 3000, "user": 4000},
        "throttling": {"periods": 9, "throttledPeriods": 2, "throttledTime": 5000},
    }
    assert use["memory"]["usage"] == {"limit": 1000, "usage": 100, "failcnt": 0}
    assert use["memory"]["swap"] == {"limit": 1500, "usage": 120, "failcnt": 0}
    assert use["memory"]["cache"] == 40
    assert use["memory"]["psi"]["some"] == {"avg10": 1.5, "avg60": 0.0, "avg300": 0.0, "total": 8}
    assert use["pids"] == {"current": 2}
    assert use["blkio"]["ioServiceBytesRecursive"] == [
        {"major": 8, "op": "Read", "value": 10},
        {"major": 8, "op": "Write", "value": 20},
    ]
    assert use["hugetlb"] == {"2MB": {"usage": 4096, "failcnt": 6}}
    assert "psi" not in use["cpu"]


def test_v1_tells_the_schedulers_counts_before_those_of_throttling(tmp_path: Path) -> None:
    throttled = {"blkio.throttle.io_serviced_recursive": "8:0 Read 5\n8:0 Total 5\nTotal 5\n"}
    group(tmp_path, **{"blkio.bfq.io_serviced_recursive": "Total 0\n", **throttled})
    blkio = v1_usage.usage({"blkio": str(tmp_path)}).blkio
    assert [(entry.op, entry.value) for entry in blkio.io_serviced_recursive] == [("Read", 5), ("Total", 5)]
    group(tmp_path, **{"blkio.bfq.sectors_recursive": "8:0 7\nTotal 7\n"})
    blkio = v1_usage.usage({"blkio": str(tmp_path)}).blkio
    assert [(entry.major, entry.op, entry.value) for entry in blkio.sectors_recursive] == [(8, "", 7)]
    assert blkio.io_serviced_recursive == []
