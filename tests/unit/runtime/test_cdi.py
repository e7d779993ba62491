"""Devices of the Container Device Interface: names, files, and what they change."""

from __future__ import annotations

from pathlib import Path

import pytest

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.runtime.cdi import Devices
from jubako.runtime.cdi_edits import inject
from jubako.spec.oci_runtime import Process, Spec, User

FILE = """
cdiVersion: "0.6.0"
kind: v.com/gpu
annotations: {org.mobyproject.buildkit.device.autoallow: "true"}
containerEdits:
  env: [ALL=1]
devices:
  - name: "0"
    containerEdits:
      env: [ONE=0, PATH=/gpu]
      deviceNodes: [{path: /dev/gpu, hostPath: /dev/null, permissions: rw, fileMode: 384}]
      mounts: [{hostPath: /usr/lib/gpu, containerPath: /lib/gpu, options: [ro, rbind]}]
      additionalGids: [0, 44]
  - name: "1"
    annotations: {org.mobyproject.buildkit.device.class: big}
    containerEdits: {deviceNodes: [{path: /dev/gpu1, type: c, major: 195, minor: 1}]}
  - name: hooked
    containerEdits: {hooks: [{hookName: createContainer, path: /bin/x}]}
"""


def devices(tmp_path: Path, *texts: str) -> Devices:
    """Each text in a directory of its own."""
    directories = []
    for number, text in enumerate(texts):
        directory = tmp_path / str(number)
        directory.mkdir()
        (directory / "device.yaml").write_text(text)
        directories.append(directory)
    return Devices([*directories, tmp_path / "none"])


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("v.com/gpu=0", ["0"]),
        ("v.com/gpu", ["0"]),
        ("v.com/gpu=*", ["0", "1", "hooked"]),
        ("v.com/gpu=big", ["1"]),
        ("v.com/gpu=2", []),
        ("v.com/other", []),
    ],
)
def test_names(tmp_path: Path, name: str, found: list[str]) -> None:
    assert [device.name for device in devices(tmp_path, FILE).find(name)] == [f"v.com/gpu={each}" for each in found]


@pytest.mark.parametrize("name", ["", "gpu", "v.com/", "/gpu=0", "../x=0", "v.com/gpu/x=0"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid device"):
        devices(tmp_path, FILE).find(name)


def test_the_later_directory_counts_and_in_one_directory_neither(tmp_path: Path) -> None:
    other = FILE.replace("ONE=0", "ONE=other")
    found = devices(tmp_path, FILE, other)
    assert found.find("v.com/gpu=0")[0].edits[1].env[0] == "ONE=other"
    (tmp_path / "1" / "twice.json").write_text(
        '{"cdiVersion": "0.6.0", "kind": "v.com/gpu", "devices": [{"name": "0", "containerEdits": {}}]}'
    )
    assert Devices([tmp_path / "0", tmp_path / "1"]).find("v.com/gpu=0") == []


def test_a_broken_file_hides_no_other_and_is_named(tmp_path: Path) -> None:
    found = devices(tmp_path, FILE, "kind: [", "kind: no kind\ncdiVersion: '1'\n", "[1]")
    assert len(found.find("v.com/gpu=*")) == 3
    assert [text.partition(": ")[0] for text in found.broken] == [f"{tmp_path}/{n}/device.yaml" for n in (1, 2, 3)]


def test_edits_of_the_file_and_of_the_device_change_the_container(tmp_path: Path) -> None:
    spec = Spec(process=Process(env=["PATH=/bin", "X=1"], user=User(additional_gids=[7])))
    inject(spec, devices(tmp_path, FILE).find("v.com/gpu=*")[:2])
    assert spec.process
    assert spec.process.env == ["X=1", "ONE=0", "PATH=/gpu", "ALL=1"]
    assert spec.process.user.additional_gids == [7, 44]
    (mount,) = spec.mounts
    assert (mount.source, mount.destination, mount.type, mount.options) == (
        "/usr/lib/gpu",
        "/lib/gpu",
        "bind",
        ["ro", "rbind"],
    )
    assert spec.linux
    assert spec.linux.resources
    nodes = [(node.path, node.type, node.major, node.minor, node.file_mode) for node in spec.linux.devices]
    assert nodes == [("/dev/gpu", "c", 1, 3, 0o600), ("/dev/gpu1", "c", 195, 1, None)]
    rules = [(rule.allow, rule.major, rule.minor, rule.access) for rule in spec.linux.resources.devices]
    assert rules == [(True, 1, 3, "rw"), (True, 195, 1, "rwm")]


def test_a_device_that_needs_hooks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FailedPrecondition, match=r"v\.com/gpu=hooked"):
        inject(Spec(), devices(tmp_path, FILE).find("v.com/gpu=hooked"))


def test_whoever_wrote_the_file_may_allow_a_device_to_all(tmp_path: Path) -> None:
    assert devices(tmp_path, FILE).find("v.com/gpu=0")[0].allowed
    other = tmp_path / "other"
    other.mkdir()
    assert not devices(other, FILE.replace('"true"', '"false"')).find("v.com/gpu=0")[0].allowed
