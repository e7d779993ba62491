"""RUN --security, --network=host and --device: only what the caller allows, and then all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from jubako.build import CommandFailed, DockerfileError
from jubako.errors import InvalidArgument

from .conftest import Site

pytestmark = pytest.mark.root

DEVICE = """
cdiVersion: "0.6.0"
kind: v.com/thing
devices:
  - name: one
    containerEdits:
      env: [THING=one]
      deviceNodes: [{path: /dev/thing, hostPath: /dev/zero}]
      mounts: [{hostPath: HERE, containerPath: /opt/thing, options: [ro, rbind]}]
"""


@pytest.fixture
def things(tmp_path: Path) -> Path:
    directory = tmp_path / "cdi"
    directory.mkdir()
    (directory / "thing.yaml").write_text(DEVICE.replace("HERE", str(directory)))
    return directory


@pytest.mark.parametrize(
    ("flag", "wanted"),
    [
        ("--security=insecure", "security.insecure"),
        ("--network=host", "network.host"),
        ("--device=v.com/thing=one", "device=v.com/thing=one"),
    ],
)
def test_what_was_not_allowed_is_refused_before_anything_runs(site: Site, things: Path, flag: str, wanted: str) -> None:
    with pytest.raises(DockerfileError, match=f"{wanted} is not allowed") as caught:
        site.build(f"FROM base\nRUN echo ran >/x\nRUN {flag} true\n", device_directories=[things])
    assert caught.value.line == 3
    assert caught.value.hint == f"allow it with --allow {wanted}"
    assert "ran" not in site.output


def test_an_insecure_command_has_every_privilege(site: Site) -> None:
    site.build(
        "FROM base\n"
        "RUN --security=insecure busybox grep -E 'Cap(Prm|Eff|Inh)|Seccomp:' /proc/self/status"
        " && touch /sys/fs/cgroup && busybox mount -t tmpfs none /tmp"
        " && ! busybox grep ' /proc/' /proc/self/mountinfo && touch /tmp/x\n",
        allow=["security.insecure"],
    )
    own = dict(line.split(":\t") for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    assert f"CapPrm:\t{own['CapPrm']}" in site.output
    assert "CapInh:\t0000000000000000" in site.output
    assert "Seccomp:\t0" in site.output


def test_a_sandboxed_command_beside_it_has_none(site: Site) -> None:
    with pytest.raises(CommandFailed):
        site.build("FROM base\nRUN --security=sandbox busybox mount -t tmpfs none /tmp\n", allow=["security.insecure"])


def test_the_mode_of_security_counts_in_the_key(site: Site) -> None:
    site.build("FROM base\nRUN --security=insecure echo 1 >/x\n", allow=["security.insecure"])
    site.build("FROM base\nRUN --security=sandbox echo 1 >/x\n")
    assert site.cached() == []


@pytest.mark.usefixtures("own_network")
def test_the_hosts_network_needs_a_word_of_the_caller(site: Site) -> None:
    dockerfile = (
        "FROM base\nRUN --network=host readlink /proc/self/ns/net >/ns || busybox readlink /proc/self/ns/net >/ns\n"
    )
    own = str(Path("/proc/thread-self/ns/net").readlink())
    result = site.build(dockerfile, allow=["network.host"])
    assert site.read(result, "ns").strip() == own
    result = site.build(dockerfile, network="host", no_cache=True)
    assert site.read(result, "ns").strip() == own


def test_a_device_brings_its_node_environment_and_mounts(site: Site, things: Path) -> None:
    result = site.build(
        "FROM base\nRUN --device=v.com/thing,required head -c 3 /dev/thing | wc -c >/n"
        " && ls /opt/thing >>/n && echo $THING >>/n\n",
        device_directories=[things],
        allow=["device"],
    )
    assert site.read(result, "n").split() == ["3", "thing.yaml", "one"]
    assert "opt" not in site.names(result, "")


def test_a_device_that_is_not_there_matters_only_when_required(site: Site, things: Path) -> None:
    (things / "broken.yaml").write_text("kind: [")
    site.build("FROM base\nRUN --device=v.com/none test ! -e /dev/thing\n", device_directories=[things])
    with pytest.raises(DockerfileError, match=r'required device "v\.com/none" is not registered') as caught:
        site.build("FROM base\nRUN --device=v.com/none,required true\n", device_directories=[things])
    assert "broken.yaml" in (caught.value.hint or "")
    with pytest.raises(DockerfileError, match='invalid device "none"'):
        site.build("FROM base\nRUN --device=none true\n", device_directories=[things])


def test_an_unknown_entitlement_is_an_error(site: Site) -> None:
    with pytest.raises(InvalidArgument, match=r"unknown entitlement security\.none"):
        site.build("FROM base\n", allow=["security.none"])
