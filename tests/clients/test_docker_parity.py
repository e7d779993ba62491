"""The same command lines given to docker and to jubako: output, messages and exit codes are compared.

What must differ is put on one form first: identifiers, times, the program's name, and the words that tell of a daemon.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.root]

Outcome = tuple[int, str, str]
"""Exit code, standard output, standard error."""

LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]


class Both:
    """Runs one command line with each program and returns what came of it on common ground."""

    def __init__(self, docker: Sequence[str], jubako: Sequence[str], env: dict[str, str]) -> None:
        self.docker, self.jubako, self.env = list(docker), list(jubako), env

    def __call__(self, line: str, *, input: bytes = b"") -> tuple[Outcome, Outcome]:
        return tuple(self.one(program, line, input) for program in (self.docker, self.jubako))  # type: ignore[return-value]

    def one(self, program: Sequence[str], line: str, input: bytes = b"") -> Outcome:
        done = subprocess.run(
            [*program, *shlex.split(line)], capture_output=True, input=input, env=self.env, timeout=60
        )
        return done.returncode, common(done.stdout.decode()), common(done.stderr.decode())

    def quietly(self, line: str) -> None:
        self(line)


def common(text: str) -> str:
    text = text.replace("Error response from daemon: ", "Error: ").replace("docker: Error: ", "jubako: ")
    text = re.sub(r"\bdocker\b", "jubako", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "ID", text)
    # The fourth column of ps -ef is what share of a processor a process took so far: a young one's start counts.
    text = re.sub(r"^(root +)\d+( +)\d+( +)\d+ ", r"\1PID\2PID\3C ", text, flags=re.MULTILINE)
    text = re.sub(r"^\d+( +sleep)", r"PID\1", text, flags=re.MULTILINE)
    text = re.sub(r"\b[0-9a-f]{12}\b", "SHORT-ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000 UTC)", "TIME", text)
    text = re.sub(r"\b\d\d:\d\d(:\d\d)?\b", "TIME", text)  # of a day, or of a processor
    text = re.sub(r"(Less than a second|About a minute|\d+ (second|minute)s?)( ago)?", "AGE", text)
    return re.sub(r"\b(CREATED|STATUS)  +", r"\1  ", text)  # as wide as the longest age


@pytest.fixture(scope="module")
def both(docker, state, tmp_path_factory) -> Iterator[Both]:  # type: ignore[no-untyped-def]
    archive = tmp_path_factory.mktemp("parity") / "busybox.tar"
    state("save", "-o", str(archive), "busybox")
    docker("load", "-i", str(archive))
    pair = Both(docker.argv, state.argv, {**os.environ, "JUBAKO_KEEPER_IDLE": "20"})
    for line in ("builder prune -af", "volume prune -f", "image prune -f"):
        pair.quietly(line)  # what tests before this one left
    for program in (pair.docker, pair.jubako):
        names = pair.one(program, "images --format {{.Repository}}:{{.Tag}}")[1].split()
        for name in set(names) - {"busybox:latest"}:
            pair.one(program, f"rmi -f {name}")
    limits = shlex.join(LIMITS)
    pair.quietly(f"run -d --name running {limits} --label a=b busybox sleep 1000")
    pair.quietly(f"run --name ended {limits} busybox sh -c 'echo out; echo err >&2; exit 3'")
    pair.quietly("create --name created busybox true")
    yield pair
    pair.quietly("rm -f running ended created")


SAME = [
    # Usage.
    "ps --nosuch", "run -zx busybox", "rm", "ps extra", "foo", "container foo", "rename a", "port", "exec running",
    "run -m", "run --memory=zz busybox", "stop --timeout=zz x", "ps -f foo", "run --rm=x busybox", "inspect",
    "run --cpus=x busybox", "cp a", "kill", "logs", "tag a", "rmi", "wait", "top", "-x", "volume rm",
    # What is not there.
    "rm nosuch", "rm -f nosuch", "stop nosuch", "start nosuch", "logs nosuch", "exec nosuch true", "wait nosuch",
    "inspect nosuch", "container inspect nosuch", "rename nosuch other", "pause nosuch", "top nosuch", "port nosuch",
    "stats --no-stream nosuch", "attach nosuch", "update -m 10m nosuch", "diff nosuch", "rmi nosuch",
    "tag nosuch other", "history nosuch", "network inspect nosuch", "volume rm -f nosuch", "run --pull never nosuch:1",
    "cp nosuch:/a b", "cp running:/nosuch b", "cp a b", "cp running:/a running:/b", "load -i /nosuch",
    # Lists.
    "ps", "ps -aq", "ps -n 1", "ps -l", "ps -a --filter name=run", "ps -a --filter status=created", "ps --no-trunc",
    "ps --filter label=a", "ps -a --format '{{.Names}}: {{.Status}}'",
    "ps -a --format 'table {{.ID}}\\t{{.Names}}\\t{{.Label \"a\"}}'", "ps --format '{{.Nope}}'", "ps --format '{{.ID'",
    "ps -q --format '{{.Names}}'", "images -q", "images --format '{{.Repository}}:{{.Tag}}'",
    "images --filter dangling=true", "images nosuch", "network ls", "volume ls",
    "network ls --format '{{.Name}} {{.Driver}}'", "system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'",
    "ps -a --filter name=^/running$ -q", "ps -aq --filter name=^running$", "ps -aq --filter name=^run$",
    "ps -aq --filter name=[", "ps -aq --filter exited=x", "ps -aq --filter exited=3", "ps -aq --filter publish=x",
    "ps -aq --filter is-task=true", "ps -aq --filter is-task=false", "ps -l -n 3 -q",
    "network ls -q --filter name=^bridge$", "network ls --filter type=x", "network ls -q --filter dangling=false",
    "volume ls -q --filter name=^nosuch", "network rm -f nosuch",
    "volume prune -f --filter label=nosuch", "network prune -f --filter label=nosuch",
    "container prune -f --filter label=nosuch",
    # One container.
    "rename running running", "diff created", "restart -s KILL -t 3 running",
    "logs --details ended", "history --format '{{.CreatedAt}}' -H=false busybox", "top running --foo",
    "top running pid",
    "logs ended", "logs -t ended", "logs --since 1h ended", "logs --since x ended", "port running", "wait ended",
    "stop ended", "start running", "rename ended ''", "update running", "top running", "top running -o pid,comm",
    "exec running sh -c 'echo hi; exit 5'", "exec -e A=b -w /tmp running sh -c 'echo $A; pwd'", "exec -d running true",
    "exec -u 1000:1000 running id -u", "exec -i running cat",
    "inspect -f '{{.Name}} {{.State.Status}} {{.State.ExitCode}} {{.Config.Labels}}' running ended",
    "inspect -f '{{json .Config.Cmd}} {{.HostConfig.CapAdd}} {{.State.Health}}' running",
    "inspect -f '{{index .Config.Labels \"a\"}} {{.Config.Labels.nope}}' running", "inspect -f '{{.Nope}}' running",
    "inspect -f '{{.Name' running", "inspect -f '{{range .Args}}{{.}} {{end}}' running nosuch",
    # Running.
    "run --rm busybox echo hi", "run --rm busybox sh -c 'exit 7'", "run --name running busybox",
    "run --name 'a b' busybox", "run --rm -w rel busybox", "run --rm -m 1m busybox", "run --rm --cpus 1000 busybox",
    "run --rm --restart always busybox", "run --rm --network nosuch busybox", "run --rm -u nosuch busybox true",
    "run -d -a stdout busybox", "run --rm -it busybox true", "run --rm --env-file /nosuch busybox",
    "run --rm -e =a busybox", "run --rm -e A=1 -e B busybox env", "run --rm -h name busybox hostname",
    "run --rm -u 5:6 busybox id -u", "run --rm --read-only busybox touch /x", "run --rm --pull foo busybox",
    "run --rm -a foo busybox", "run --rm busybox sh -c 'kill -9 $$; sleep 0.1'", "run --rm -t busybox tty",
    "run --rm --mount type=bind,source=/nosuch,target=/x busybox", "run --rm --ulimit nofile=10:1 busybox",
    "run --rm --sysctl vm.swappiness=1 busybox", "run --rm --dns 1.1 busybox", "run --rm --add-host x busybox",
    "run --rm -w /new/dir busybox pwd", "run --rm --hostname h --entrypoint echo busybox a b",
    "run --rm -i busybox cat", "run --rm --cidfile /etc/passwd busybox",
]  # fmt: skip

# Here dockerd 20.10 words the message otherwise than later ones do, or speaks of its own parts.
SAME_CODE = [
    "network", "images -q --filter dangling=x",
    "kill nosuch", "kill ended", "save nosuch", "network rm nosuch", "volume rm nosuch",
    "volume inspect nosuch", "inspect --type image nosuch", "ps --filter foo=bar", "images --filter foo=bar",
    "exec ended true", "pause ended", "unpause running", "rm running", "rename ended running",
    "run --rm busybox nosuch", "run --rm busybox /etc/passwd", "run --rm busybox /nosuch", "run --rm busybox /etc",
    "run --rm --entrypoint= busybox", "run --rm Foo", "run --rm --tmpfs x busybox", "run --rm -v /a:/b:foo busybox",
    "run --rm --cap-add FOO busybox true",
]  # fmt: skip


@pytest.mark.parametrize("line", SAME)
def test_the_answer_is_the_same(both: Both, line: str) -> None:
    docker, jubako = both(line)
    assert jubako == docker


@pytest.mark.parametrize("line", SAME_CODE)
def test_the_exit_code_is_the_same(both: Both, line: str) -> None:
    docker, jubako = both(line)
    assert jubako[0] == docker[0], jubako
    assert jubako[1] == docker[1]


@pytest.mark.parametrize("line", ["run --rm -i busybox cat", "exec -i running cat", "run --rm -i busybox head -c 4"])
def test_input_arrives_byte_for_byte(both: Both, line: str) -> None:
    data = bytes(range(256)) * 400
    answers = [subprocess.run([*program, *shlex.split(line)], input=data, capture_output=True, env=both.env, timeout=60)
               for program in (both.docker, both.jubako)]  # fmt: skip
    assert answers[1].stdout == answers[0].stdout
    assert answers[1].returncode == answers[0].returncode == 0


PUBLISHED = "run -d --name published -p 127.0.0.1:48090:80 --expose 90-91/udp busybox sleep 1000"
PORTS = ["publish=80", "publish=48090", "publish=48000-48100", "publish=48090/udp", "expose=80", "expose=90/udp",
         "expose=85-95/udp", "expose=48090"]  # fmt: skip


def test_containers_are_found_by_their_ports(both: Both) -> None:
    """One after the other: they publish the same port."""
    found = []
    for program in (both.docker, both.jubako):
        assert both.one(program, PUBLISHED)[0] == 0
        found.append([both.one(program, f"ps --filter {text} --format '{{{{.Names}}}}'") for text in PORTS])
        both.one(program, "rm -f published")
    assert found[1] == found[0]
    assert {outcome[1] for outcome in found[0]} == {"", "published\n"}


def test_details_of_a_log(both: Both) -> None:
    options = "-l b=c,d -l e=f -e A='x y' --log-opt labels=b,nosuch --log-opt env=A"
    both.quietly(f"run --name detailed --network none {options} busybox echo text")
    docker, jubako = both("logs --details detailed")
    both.quietly("rm detailed")
    assert jubako == docker


def test_sizes_are_looked_up_where_a_format_shows_them(both: Both) -> None:
    for _, shown, _ in both("ps -a --filter name=ended --format '{{.Size}}'"):
        assert "(virtual " in shown


REFUSED = [
    "--label =x", "-v /a:/b:zz", "-v /a:/b:ro,rw", "--mount foo", "--mount type=foo,target=/x",
    "--mount type=bind,target=/x", "--mount target=/x,nosuch=1", "--mount type=tmpfs,source=/a,target=/x",
    "--mount type=tmpfs,target=/x,tmpfs-mode=zz", "--mount type=tmpfs,target=/x,tmpfs-size=zz",
    "--mount type=bind,source=/tmp,target=/x,bind-propagation=foo", "--mount type=bind,source=/tmp",
    "--mount type=bind,source=/tmp,target=/x,volume-nocopy", "--mount type=bind,source=/tmp,target=/x,readonly=foo",
    "--mount type=volume,source=aa,target=/x,bind-propagation=rshared",
    "--mount type=volume,source=aa,target=/x,tmpfs-size=1m", "--mount type=bind,src=/nosuch,dst=/x",
    "--expose a", "--expose 90-80", "--expose 80:90", "--expose ''", "--memory-swap 10m", "--memory-reservation 1m",
    "--memory 10m --memory-reservation 20m", "--cpus -1", "--cpu-period 10", "--cpu-quota 10", "--cpus x/y",
    "--cpus 1 --cpu-quota 10000", "--cpus 1 --cpu-period 10000", "--cpuset-cpus 8000", "--cpuset-cpus x",
    "--cpuset-cpus 1-0", "--cpuset-mems 999", "--oom-score-adj 2000", "--restart on-failure:x", "--cap-add foo",
    "--cap-drop foo", "--security-opt foo", "--security-opt foo=bar", "--security-opt seccomp=/nosuch",
    "--security-opt no-new-privileges=x", "--security-opt systempaths=foo", "--device /dev/null:/dev/x:q",
    "--device /dev/null:/dev/x:rwm:y", "--device ''", "--device null", "--device a:b", "--hostname x --uts host",
    "--network container:running --hostname x", "--network container:running --dns 1.1.1.1",
    "--network container:running --add-host a:1.2.3.4", "--network container:running --expose 80",
    "--network container:running -p 80:80", "--mac-address zz", "--network ''", "--network name=bridge,foo=x",
    "--network alias=x", "--network name=bridge,alias=x", "--network-alias x", "--ip foo", "--ipc container:nosuch",
    "--pid container:nosuch", "--pid foo", "--uts foo", "--userns foo", "--cgroupns foo",
    "--log-driver none --log-opt max-size=1m", "--log-opt foo=1",
]  # fmt: skip


def _reason(outcome: Outcome) -> tuple[int, str]:
    return outcome[0], outcome[2].partition("\n")[0].removeprefix("jubako: ").removeprefix("Error: ")


@pytest.mark.parametrize("options", REFUSED)
def test_what_no_container_can_have_is_refused_for_the_same_reason(both: Both, options: str) -> None:
    both.quietly("start running")
    docker, jubako = both(f"run --rm {options} busybox true")
    assert _reason(jubako) == _reason(docker)
    assert jubako[0] == 125


@pytest.mark.parametrize("kind", ["pid", "network"])
def test_a_namespace_of_a_container_by_name(both: Both, kind: str) -> None:
    both.quietly("start running")
    look = "'kill -0 1 && cat /proc/1/comm'" if kind == "pid" else "'echo there'"
    docker, jubako = both(f"run --rm --{kind} container:running busybox sh -c {look}")
    assert jubako == docker
    assert docker[0] == 0
