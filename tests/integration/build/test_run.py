"""RUN: what the command sees, what of it ends in the layer, and how failure is told."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from jubako.build import BuildCache, CommandFailed, DockerfileError, build
from jubako.linux import cgroup

from .conftest import Site

pytestmark = pytest.mark.root


def test_command_runs_in_the_image_and_its_changes_are_one_layer(site: Site) -> None:
    result = site.build("FROM base\nRUN echo hello >/greeting && rm /etc/group\n")
    assert site.read(result, "greeting") == "hello\n"
    assert site.names(result, "etc") == ["passwd"]
    assert len(site.image(result).diff_ids) == 2


def test_layer_holds_only_what_the_command_changed(site: Site) -> None:
    """No resolv.conf, hosts, /proc, /sys or /dev: the image lacks them all, the container has them."""
    result = site.build(
        "FROM base\nRUN test -d /proc/self && test -c /dev/null && test -s /etc/resolv.conf && touch /x\n"
    )
    layer = site.snapshots.layer_path(site.image(result).diff_ids[-1])
    assert os.listdir(layer) == ["x"]


def test_files_that_the_command_leaves_in_a_mount_points_directory_stay(site: Site) -> None:
    result = site.build("FROM base\nRUN echo mine >/etc/mine\n")
    assert site.names(result, "etc") == ["group", "mine", "passwd"]


def test_command_that_changes_nothing_makes_no_layer(site: Site) -> None:
    result = site.build("FROM base\nRUN true\n")
    assert len(site.image(result).diff_ids) == 1
    assert (site.image(result).config.history or [])[-1].empty_layer


def test_shell_and_exec_form(site: Site) -> None:
    with pytest.raises(CommandFailed):
        site.build(
            'FROM base\nRUN ["echo", "$HOME literally"]\nSHELL ["/bin/sh", "-ec"]\nRUN echo "is $HOME"; false; true\n'
        )
    assert "$HOME literally" in site.output
    assert " is /root\n" in site.output


def test_environment_is_args_and_env_and_env_wins(site: Site) -> None:
    site.build(
        "FROM base\nARG A=arg\nARG B=arg\nARG C\nENV B=env\nRUN echo A=$A B=$B C=${C-unset} P=$PATH\n",
        build_args={"A": "given"},
    )
    assert "A=given B=env C=unset P=/bin" in site.output


def test_user_group_and_home_are_the_images(site: Site) -> None:
    site.build("FROM base\nUSER app\nRUN id && echo home=$HOME\nUSER app:extra\nRUN id -g\nUSER 12:34\nRUN id\n")
    assert "uid=1000(app) gid=1001(app) groups=1001(app),1002(extra)" in site.output
    assert "home=/home/app" in site.output
    assert " 1002" in site.output
    assert "uid=12 gid=34" in site.output


def test_command_runs_in_the_working_directory(site: Site) -> None:
    site.build("FROM base\nWORKDIR /some/where\nRUN pwd\n")
    assert " /some/where\n" in site.output


def test_heredoc_scripts(site: Site) -> None:
    result = site.build(
        "FROM base\nRUN <<EOF\necho one >/one\necho $HOME >/home.txt\nEOF\n"
        "RUN <<SCRIPT\n#!/bin/busybox sh\necho script >/two\nSCRIPT\n"
        "RUN cat <<A >/three && cat <<'B' >/four\n$HOME\nA\n$HOME\nB\n"
    )
    assert site.read(result, "one") == "one\n"
    assert site.read(result, "two") == "script\n"
    assert site.read(result, "four") == "$HOME\n"
    assert site.read(result, "three") == site.read(result, "home.txt")
    assert "dev" not in site.names(result, "")


def test_failing_command_is_told_with_its_place_and_code(site: Site) -> None:
    with pytest.raises(CommandFailed) as caught:
        site.build("FROM base\nRUN echo before && \\\n    exit 7\n")
    message = caught.value.message
    assert 'process "/bin/sh -c echo before &&     exit 7" did not complete successfully: exit code: 7' in message
    assert message.startswith("Dockerfile:2:1: ")
    assert "2 | RUN echo before" in message
    assert caught.value.exit_code == 7
    assert " before\n" in site.output
    assert "ERROR: process" in site.output


def test_missing_command_is_code_127(site: Site) -> None:
    with pytest.raises(CommandFailed) as caught:
        site.build('FROM base\nRUN ["no-such-program"]\n')
    assert caught.value.exit_code == 127
    assert "no-such-program" in caught.value.message


def test_failure_leaves_nothing_but_finished_steps(site: Site) -> None:
    with pytest.raises(CommandFailed):
        site.build("FROM base\nRUN echo 1 >/one\nRUN echo 2 >/two && false\n")
    assert site.snapshots.keys() == []
    assert len(BuildCache(site.store).entries()) == 1
    assert os.listdir(site.root / "leases") in ([], [".lock"])
    assert not any((site.run_root / "build").iterdir())
    assert not [name for name in cgroup.manager().names() if name.startswith("build-")]
    site.build("FROM base\nRUN echo 1 >/one\nRUN true\n")
    assert site.cached() == ["RUN echo 1 >/one"]


def test_failure_of_one_stage_stops_the_other(site: Site) -> None:
    with pytest.raises(CommandFailed) as caught:
        site.build(
            "FROM base AS slow\nRUN sleep 300\nFROM base AS bad\nRUN sleep 0.2; exit 3\n"
            "FROM scratch\nCOPY --from=slow /etc /a\nCOPY --from=bad /etc /b\n",
            workers=2,
        )
    assert caught.value.exit_code == 3
    assert "CANCELED" in site.output


def test_interrupt_stops_the_command_and_leaves_nothing(site: Site) -> None:
    site.file("Dockerfile", "FROM base\nRUN echo 1 >/one\nRUN echo running; sleep 300\n")

    class Interrupting:
        def write(self, text: str) -> int:
            if " running" in text:
                import _thread

                _thread.interrupt_main()
            return len(text)

        def writelines(self, lines: object) -> None:
            for line in lines:  # type: ignore[attr-defined]
                self.write(line)

        def flush(self) -> None:
            pass

    from jubako.build import PlainProgress

    with pytest.raises(KeyboardInterrupt):
        build(site.drivers, site.context, network="none", progress=PlainProgress(Interrupting()))  # type: ignore[arg-type]
    assert threading.active_count() == 1
    assert site.snapshots.keys() == []
    assert not any((site.run_root / "build").iterdir())
    assert len(BuildCache(site.store).entries()) == 1


def test_network_none_has_only_loopback(site: Site) -> None:
    site.build("FROM base\nRUN ip link | wc -l >/n && ip link\n", network="none")
    assert "eth0" not in site.output
    assert "lo:" in site.output


def test_default_network_is_a_bridge_and_gone_afterwards(site: Site, own_network: None) -> None:
    site.build("FROM base\nRUN ip addr show eth0 && cat /etc/hosts\n", network="default")
    assert "inet 10." in site.output
    assert [end for network in site.networks.list() for end in site.networks.endpoints(network)] == []
    assert not [name for name in os.listdir("/sys/class/net") if name.startswith("veth")]


def test_capabilities_are_dockers_defaults(site: Site) -> None:
    site.build("FROM base\nRUN busybox grep -E 'Cap(Prm|Bnd|Inh)|Seccomp:' /proc/self/status\n")
    assert "CapPrm:\t00000000a80425fb" in site.output
    assert "CapBnd:\t00000000a80425fb" in site.output
    assert "CapInh:\t0000000000000000" in site.output
    assert "Seccomp:\t2" in site.output


def test_proxy_arguments_reach_the_command_but_neither_history_nor_key(site: Site) -> None:
    dockerfile = 'FROM base\nRUN test -n "$HTTP_PROXY" && echo done >/done\n'
    result = site.build(dockerfile, build_args={"HTTP_PROXY": "http://secret:1"})
    assert "secret" not in str(site.image(result).config)
    site.build(dockerfile, build_args={"HTTP_PROXY": "http://other:2"})
    assert len(site.cached()) == 1
    entries = site.store.blobs
    assert not [digest for digest in entries if b"http://secret" in entries.path(digest).read_bytes()]
    assert b"http://secret" not in b"".join(path.read_bytes() for path in Path(site.root).glob("jubako.db*"))


def test_unknown_user_is_an_error_at_the_run(site: Site) -> None:
    with pytest.raises(DockerfileError, match="unable to find user nobody") as caught:
        site.build("FROM base\nUSER nobody\nRUN true\n")
    assert caught.value.line == 3


def test_output_without_a_newline_and_after_the_end_is_shown(site: Site) -> None:
    site.build("FROM base\nRUN busybox printf 'no newline'\nRUN busybox seq 1 20000\n")
    assert " no newline\n" in site.output
    assert " 20000\n" in site.output


@pytest.mark.usefixtures("own_network")
def test_commands_side_by_side_each_have_their_address(site: Site) -> None:
    stage = "FROM base AS s{0}\nRUN ip -o -4 addr show eth0 >/address && sleep 0.2 && echo {0}\n"
    copies = "".join(f"COPY --from=s{number} /address /{number}\n" for number in range(6))
    result = site.build(
        "".join(stage.format(number) for number in range(6)) + "FROM scratch\n" + copies, network="default", workers=6
    )
    addresses = {site.read(result, str(number)).split()[3] for number in range(6)}
    assert len(addresses) == 6
    assert not [name for name in os.listdir("/sys/class/net") if name.startswith("veth")]
