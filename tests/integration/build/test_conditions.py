"""What every RUN of a build is given: hosts, limits, /dev/shm, a cgroup; and what is told when one fails."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from jubako.build import CommandFailed
from jubako.errors import InvalidArgument
from jubako.linux import cgroup
from jubako.runtime.attach import STDOUT, Attached

from .conftest import Site

pytestmark = pytest.mark.root


def test_hosts_are_those_of_the_caller(site: Site) -> None:
    dockerfile = "FROM base\nRUN cat /etc/hosts\n"
    site.build(dockerfile, extra_hosts=["one:10.0.0.1", "two=[fd00::2]"])
    assert "10.0.0.1\tone" in site.output
    assert "fd00::2\ttwo" in site.output
    site.build(dockerfile, extra_hosts=["one:10.0.0.9"])
    assert site.cached() == []
    with pytest.raises(InvalidArgument, match="bad format for add-host"):
        site.build(dockerfile, extra_hosts=["one"])


@pytest.mark.usefixtures("own_network")
def test_host_gateway_is_where_the_bridge_has_the_host(site: Site) -> None:
    dockerfile = "FROM base\nRUN cat /etc/hosts && busybox ip route\n"
    site.build(dockerfile, extra_hosts=["host:host-gateway"], network="default")
    gateway = site.networks.get("bridge").gateway
    assert f"{gateway}\thost" in site.output
    assert f"default via {gateway}" in site.output
    site.build(dockerfile, extra_hosts=["host:host-gateway"], network="host")
    assert "127.0.0.1\thost\n" in site.output


def test_ulimits_and_the_size_of_shm_are_those_of_the_caller(site: Site) -> None:
    dockerfile = "FROM base\nRUN ulimit -Sn; ulimit -Hn; busybox df -k /dev/shm\n"
    site.build(dockerfile, ulimits=["nofile=100:200"], shm_bytes=3 << 20)
    lines = [line.split(" ", 2)[-1] for line in site.output.splitlines()]
    assert lines.index("100") + 1 == lines.index("200")
    assert any(line.split()[1:2] == ["3072"] for line in lines)
    site.build(dockerfile)
    assert site.cached() == []
    assert any("65536" in line for line in site.output.splitlines())
    with pytest.raises(InvalidArgument, match="invalid ulimit argument"):
        site.build(dockerfile, ulimits=["files=1"])


def test_the_cgroup_stands_beneath_the_parent_and_is_gone(site: Site) -> None:
    name = f"build-test-{os.getpid()}"
    seen: list[str] = []
    with pytest.raises(CommandFailed):
        site.build(
            "FROM base\nRUN echo 1 >/one\nRUN false\n",
            cgroup_parent=f"/{name}/deeper/",
            debug=lambda error, channel: seen.extend(cgroup.manager().names()),
        )
    assert name in seen
    assert not [each for each in seen if each.startswith("build-") and each != name]
    assert name not in cgroup.manager().names()
    # Where the group stands changes nothing of what a command does.
    site.build("FROM base\nRUN echo 1 >/one\n")
    assert len(site.cached()) == 1
    with pytest.raises(InvalidArgument, match="invalid cgroup parent"):
        site.build("FROM base\n", cgroup_parent="../x")


def test_a_failure_tells_the_last_output_and_how_to_get_a_shell(site: Site) -> None:
    with pytest.raises(CommandFailed) as caught:
        site.build(
            "FROM base\nRUN for i in $(busybox seq 30); do echo line $i; done; busybox printf 'a\\tb\\033[2J'; exit 3\n"
        )
    lines = caught.value.message.splitlines()
    assert lines[lines.index("last output:") + 1 :] == [*(f"  line {n}" for n in range(22, 31)), "  a       b [2J"]
    assert caught.value.hint == "build with --debug on a terminal for a shell at this point"


def test_a_failure_without_output_tells_none(site: Site) -> None:
    with pytest.raises(CommandFailed) as caught:
        site.build("FROM base\nRUN false\n")
    assert "last output" not in caught.value.message


def test_a_shell_opens_where_the_command_failed(site: Site) -> None:
    """In its root as it left it, as its user, with its mounts and environment; on the thread of the caller."""
    seen: list[str] = []

    def sit(error: CommandFailed, channel: Attached) -> None:
        assert threading.current_thread() is threading.main_thread()
        assert error.exit_code == 9
        channel.write(b"echo $((40+2)) $A $(cat /left) $(cat /run/secrets/s) $(id -u) $(pwd); exit\n")
        while (frame := channel.read()) is not None:
            seen.extend([frame.data.decode()] if frame.kind == STDOUT else [])

    with pytest.raises(CommandFailed):
        site.build(
            "FROM base\nENV A=a\nWORKDIR /w\n"
            "RUN --mount=type=secret,id=s echo rest >/left; exit 9\n"
            "FROM base AS other\nRUN echo other >/x\n"
            "FROM scratch\nCOPY --from=0 /left /\nCOPY --from=other /x /\n",
            secrets={"s": b"secret"},
            debug=sit,
        )
    assert "42 a rest secret 0 /w" in "".join(seen)
    assert site.snapshots.keys() == []
    assert not any((site.run_root / "build").iterdir())


def test_a_shell_that_the_image_lacks_is_said_beside_the_failure(site: Site) -> None:
    def never(error: CommandFailed, channel: Attached) -> None:
        raise AssertionError

    site.file("true", Path("/bin/busybox" if Path("/bin/busybox").exists() else "/usr/bin/busybox").read_bytes(), 0o755)
    with pytest.raises(CommandFailed, match="/busybox false"):
        site.build('FROM scratch\nCOPY true /busybox\nRUN ["/busybox", "false"]\n', debug=never)
    assert '[Warning] no shell where it failed: process "/bin/sh"' in site.output
    assert site.snapshots.keys() == []
