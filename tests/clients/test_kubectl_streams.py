"""kubectl and what streams: logs, exec, attach, cp and port-forward, over WebSocket and SPDY, today's and 1.20's."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import kubernetes
import pytest
from kubernetes.stream import portforward
from tests.clients.kubectl import NEW, OLD, Kubectl, cluster, program
from tests.conftest import Cli
from tests.waiting import until

pytestmark = [pytest.mark.clients, pytest.mark.root]

TIMEOUT_S = 60
ECHO_PORT, SOURCE_PORT, SINK_PORT, CLOSED_PORT = 7001, 7002, 7003, 7009
BIG_BYTES, TRANSFER_BYTES, CONNECTIONS = 10_000_000, 100_000_000, 50

POD = """
apiVersion: v1
kind: Pod
metadata: {name: s}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox
    imagePullPolicy: IfNotPresent
    stdin: true
    command:
    - sh
    - -c
    - |
      echo first; echo told >&2
      while read line; do echo "got $line"; done
      sleep 1000
  - name: terminal
    image: busybox
    imagePullPolicy: IfNotPresent
    stdin: true
    tty: true
    command: [sh]
  - name: again
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "echo attempt; n=0; while [ $n -lt 5 ]; do echo line $n; n=$((n+1)); done; sleep 2"]
"""


class Client(Kubectl):
    """kubectl with streams of bytes."""

    def begin(self, *arguments: str, **options: object) -> subprocess.Popen[bytes]:
        """Start it, in a process group of its own."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        command = ["timeout", str(TIMEOUT_S), *self.argv(*arguments)]
        return subprocess.Popen(command, env=self.env, **pipes)  # type: ignore[call-overload,no-any-return]

    def end(self, *arguments: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        with self.begin(*arguments) as process:
            out, err = process.communicate(input)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def bytes(self, *arguments: str, input: bytes = b"") -> bytes:
        done = self.end(*arguments, input=input)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr.decode()}"
        return done.stdout


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Lends the kubeconfig of a cluster with the pod, in whose network the servers are."""
    with cluster(tmp_path_factory.mktemp("cluster")) as kubeconfig:
        kubectl = Kubectl(program(NEW), kubeconfig)
        kubectl("apply", "-f", "-", input=POD)
        kubectl("wait", "--for=condition=Ready", "pod/s", "--timeout=50s")
        [network] = (kubeconfig.parent / "run/pods").glob("*/net")
        ports = [str(number) for number in (ECHO_PORT, SOURCE_PORT, SINK_PORT, TRANSFER_BYTES)]
        command = ["nsenter", f"--net={network}", sys.executable, str(Path(__file__).with_name("talker.py")), *ports]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as talker:
            assert talker.stdout is not None
            assert talker.stdout.readline() == b"listening\n"
            yield kubeconfig
            talker.communicate()


@pytest.fixture(params=["websocket", "spdy", "1.20"])
def client(request: pytest.FixtureRequest, pod: Path) -> Client:
    found = Client(program(OLD if request.param == "1.20" else NEW), pod)
    asked = "true" if request.param == "websocket" else "false"
    found.env |= {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": asked, "KUBECTL_PORT_FORWARD_WEBSOCKETS": asked}
    return found


def in_pod(client: Client, script: str) -> str:
    return client.bytes("exec", "s", "-c", "main", "--", "sh", "-c", script).decode()


def test_exec_has_each_stream_and_the_exit_code(client: Client) -> None:
    done = client.end("exec", "s", "-c", "main", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out\n", b"err\ncommand terminated with exit code 3\n")
    killed = client.end("exec", "s", "-c", "main", "--", "sh", "-c", "kill -9 $$")
    assert killed.returncode == 137


def test_exec_of_what_is_not_there_says_so(client: Client) -> None:
    done = client.end("exec", "s", "-c", "main", "--", "nosuch")
    assert done.returncode == 1
    assert done.stderr.decode().startswith("error: Internal error occurred: error executing command in container: ")
    assert '"nosuch": executable file not found in $PATH' in done.stderr.decode()
    assert b'pods "none" not found' in client.end("exec", "none", "--", "true").stderr
    assert b"container none is not valid for pod s" in client.end("exec", "s", "-c", "none", "--", "true").stderr


def test_a_big_stdin_goes_through_and_its_end_too(client: Client) -> None:
    big = os.urandom(BIG_BYTES)
    assert client.bytes("exec", "-i", "s", "-c", "main", "--", "cat", input=big) == big
    assert client.bytes("exec", "-i", "s", "-c", "main", "--", "wc", "-c", input=big).split() == [b"%d" % BIG_BYTES]


def test_a_process_that_does_not_read_its_stdin_ends_well(client: Client) -> None:
    done = client.end("exec", "-i", "s", "-c", "main", "--", "sh", "-c", "echo enough; exit 4", input=bytes(BIG_BYTES))
    assert (done.returncode, done.stdout) == (4, b"enough\n")


class Terminal:
    """kubectl on a terminal of 40 lines and 100 columns."""

    def __init__(self, client: Client, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        self.resize(40, 100)
        self.process = client.begin(*arguments, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.said = ""

    def resize(self, lines: int, columns: int) -> None:
        termios.tcsetwinsize(self._master, (lines, columns))

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def until(self, pattern: str) -> None:
        end = time.monotonic() + 20
        while not re.search(pattern, self.said):
            ready = select.select([self._master], [], [], max(end - time.monotonic(), 0))[0]
            assert ready, f"no {pattern!r} in {self.said!r}"
            try:
                self.said += os.read(self._master, 4096).decode("utf-8", "replace")
            except OSError:
                pytest.fail(f"ended without {pattern!r}: {self.said!r}")

    def close(self) -> int:
        with suppress(OSError):
            while select.select([self._master], [], [], 20)[0] and os.read(self._master, 4096):
                pass
        code = self.process.wait(TIMEOUT_S)
        os.close(self._master)
        return code


def test_a_shell_on_a_terminal(client: Client) -> None:
    terminal = Terminal(client, "exec", "-it", "s", "-c", "main", "--", "sh")
    terminal.until(r"/ # ")
    terminal.type("tty; stty size\n")
    terminal.until(r"/dev/pts/\d+\r\n40 100\r\n")
    terminal.resize(30, 90)
    os.killpg(terminal.process.pid, signal.SIGWINCH)
    terminal.said = ""
    for _ in range(20):
        terminal.type("stty size\n")
        terminal.until(r"\d+ \d+\r\n")
        if "30 90" in terminal.said:
            break
        terminal.said = ""
    assert "30 90" in terminal.said
    terminal.type("sleep 6543\n")
    until(lambda: "sleep 6543" in in_pod(client, "ps"), "it sleeps")
    terminal.type("\x03")
    terminal.type("exit 5\n")
    assert terminal.close() == 5


def test_when_kubectl_is_killed_its_process_goes(client: Client) -> None:
    process = client.begin("exec", "-i", "s", "-c", "main", "--", "sleep", "4321")
    until(lambda: "sleep 4321" in in_pod(client, "ps"), "the process is there")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    until(lambda: "sleep 4321" not in in_pod(client, "ps"), "the process is gone")


def test_when_kubectl_is_killed_its_process_goes_though_it_reads_nothing(client: Client) -> None:
    with open("/dev/zero", "rb") as zeros:
        process = client.begin("exec", "-i", "s", "-c", "main", "--", "sleep", "5432", stdin=zeros)
    until(lambda: "sleep 5432" in in_pod(client, "ps"), "the process is there")
    time.sleep(1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    until(lambda: "sleep 5432" not in in_pod(client, "ps"), "the process is gone")


def test_attach_sees_what_comes_and_can_say_something(client: Client) -> None:
    for word in (b"hello", b"again"):  # the end of a client's stdin is not the end of the container's
        process = client.begin("attach", "-i", "s", "-c", "main")
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(word + b"\n")
        process.stdin.close()
        assert process.stdout.readline() == b"got " + word + b"\n"
        assert process.poll() is None
        process.terminate()
        process.wait(TIMEOUT_S)


def test_attach_to_a_terminal(client: Client) -> None:
    terminal = Terminal(client, "attach", "-it", "s", "-c", "terminal")
    terminal.type("echo a$((1+1))b\n")
    terminal.until(r"a2b\r\n")
    terminal.type("stty size\n")
    terminal.until(r"40 100\r\n")
    os.killpg(terminal.process.pid, signal.SIGKILL)
    terminal.close()


def test_logs_of_each_kind(client: Client) -> None:
    until(lambda: client.end("logs", "s", "-c", "again", "--previous").returncode == 0, "a second attempt")
    previous = client.bytes("logs", "s", "-c", "again", "--previous")
    assert previous == b"attempt\n" + b"".join(b"line %d\n" % number for number in range(5))
    assert client.bytes("logs", "s", "-c", "again", "--previous", "--tail=2") == b"line 3\nline 4\n"
    assert client.bytes("logs", "s", "-c", "again", "--previous", "--limit-bytes=10") == previous[:10]
    stamped = client.bytes("logs", "s", "-c", "main", "--timestamps", "--limit-bytes=40").decode()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z (first|told)\n?.*", stamped, re.DOTALL)
    assert client.bytes("logs", "s", "-c", "main", "--since=1h").startswith((b"first\n", b"told\n"))
    assert client.bytes("logs", "s", "-c", "main", "--since-time=2000-01-01T00:00:00Z").startswith(
        (b"first\n", b"told\n")
    )
    assert client.bytes("logs", "s", "-c", "main", "--since-time=2100-01-01T00:00:00Z") == b""
    prefixed = client.bytes("logs", "s", "--all-containers", "--prefix", "--tail=1").decode()
    assert "[pod/s/main] " in prefixed
    assert "[pod/s/again] " in prefixed
    refused = client.end("logs", "s", "-c", "terminal", "--previous")
    assert b'previous terminated container "terminal" in pod "s" not found' in refused.stderr


def test_logs_are_followed_until_the_container_ends(client: Client) -> None:
    end = time.monotonic() + TIMEOUT_S
    while (said := client.bytes("logs", "-f", "s", "-c", "again")) == b"":
        assert time.monotonic() < end
    assert said.endswith(b"line 4\n")
    process = client.begin("logs", "-f", "--tail=1", "s", "-c", "main")
    assert process.stdout is not None
    process.stdout.readline()
    in_pod(client, "echo later > /proc/1/fd/1")
    assert process.stdout.readline() == b"later\n"
    process.terminate()
    process.communicate()


def test_a_directory_is_copied_both_ways(client: Client, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep/er").mkdir(parents=True)
    (source / "deep/er/big").write_bytes(os.urandom(3_000_000))
    (source / "deep/empty").touch()
    client.bytes("cp", str(source), "s:/tmp/copied", "-c", "main")
    client.bytes("cp", "s:/tmp/copied", str(tmp_path / "back"), "-c", "main")
    in_pod(client, "rm -r /tmp/copied")
    for name in ("deep/er/big", "deep/empty"):
        assert (tmp_path / "back" / name).read_bytes() == (source / name).read_bytes()


@contextmanager
def forwarded(client: Client, *ports: int) -> Iterator[list[int]]:
    """Lends the local ports, and sees to it that kubectl still lives at the end."""
    process = client.begin("port-forward", "s", *(f":{port}" for port in ports))
    assert process.stdout is not None
    found: dict[int, int] = {}
    while len(found) < len(ports):
        line = process.stdout.readline().decode()
        match = re.fullmatch(r"Forwarding from 127\.0\.0\.1:(\d+) -> (\d+)\n", line)
        assert line
        if match:
            found[int(match[2])] = int(match[1])
    try:
        yield [found[port] for port in ports]
        assert process.poll() is None
    finally:
        process.terminate()
        process.communicate()


def talked(port: int, data: bytes) -> bytes:
    """Send, finish, and return all that comes."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection, ThreadPoolExecutor(1) as thread:
        connection.settimeout(TIMEOUT_S)
        sending = thread.submit(_send, connection, data)
        found = bytearray()
        while piece := connection.recv(1 << 16):
            found += piece
        sending.result()
    return bytes(found)


def _send(connection: socket.socket, data: bytes) -> None:
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def test_a_port_is_forwarded_to_many_at_once(client: Client) -> None:
    with forwarded(client, ECHO_PORT) as [port], ThreadPoolExecutor(CONNECTIONS) as threads:
        sent = [os.urandom(20_000) for _ in range(CONNECTIONS)]
        assert list(threads.map(lambda data: talked(port, data), sent)) == sent


def test_a_hundred_megabytes_each_way(client: Client) -> None:
    with forwarded(client, SOURCE_PORT, SINK_PORT) as [source, sink]:
        begun = time.monotonic()
        assert talked(source, b"") == bytes(TRANSFER_BYTES)
        down = time.monotonic()
        assert talked(sink, bytes(TRANSFER_BYTES)) == b"%d" % TRANSFER_BYTES
        up = time.monotonic()
    rates = (TRANSFER_BYTES / 1e6 / took for took in (down - begun, up - down))
    sys.stderr.write("\nport-forward: {:.0f} MB/s down, {:.0f} MB/s up\n".format(*rates))


def test_a_closed_port_is_told_in_the_kubelets_words(client: Client) -> None:
    process = client.begin("port-forward", "s", f":{CLOSED_PORT}")
    assert process.stdout is not None
    assert process.stderr is not None
    local = re.search(rb":(\d+) ->", process.stdout.readline())
    assert local
    with suppress(ConnectionError):
        assert talked(int(local[1]), b"") == b""
    said = process.stderr.readline().decode()
    process.terminate()
    process.communicate()
    assert f"an error occurred forwarding {int(local[1])} -> {CLOSED_PORT}: error forwarding port" in said
    assert f"failed to connect to localhost:{CLOSED_PORT} inside namespace" in said
    assert f"dial tcp4 127.0.0.1:{CLOSED_PORT}: connect: connection refused" in said


def connections(client: Client) -> int:
    """How many connections the echoing server has."""
    return int(in_pod(client, f"grep -c ':{ECHO_PORT:04X} [0-9A-F]*:[0-9A-F]* 01' /proc/net/tcp || true"))


def test_when_a_forwarding_kubectl_is_killed_its_connections_end(client: Client) -> None:
    process = client.begin("port-forward", "s", f":{ECHO_PORT}")
    assert process.stdout is not None
    found = re.search(rb":(\d+) ->", process.stdout.readline())
    assert found
    held = [socket.create_connection(("127.0.0.1", int(found[1])), 10) for _ in range(5)]
    for connection in held:
        connection.sendall(b"x")
        assert connection.recv(1) == b"x"
    assert connections(client) == 5
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    until(lambda: connections(client) == 0, "all connections are gone")
    for connection in held:
        connection.close()


def test_a_connection_that_its_client_closes_ends_in_the_pod(client: Client) -> None:
    with forwarded(client, ECHO_PORT) as [port]:
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall(b"y")
            assert connection.recv(1) == b"y"
            assert connections(client) == 1
        until(lambda: connections(client) == 0, "the connection is gone")


def test_the_python_client_has_a_port_as_a_socket(pod: Path) -> None:
    core = kubernetes.client.CoreV1Api(kubernetes.config.new_client_from_config(str(pod)))
    ports = f"{ECHO_PORT},{CLOSED_PORT}"
    forward = portforward(core.connect_get_namespaced_pod_portforward, "s", "default", ports=ports)
    echo = forward.socket(ECHO_PORT)
    echo.settimeout(20)
    echo.sendall(b"through")
    assert echo.recv(100) == b"through"
    until(lambda: forward.error(CLOSED_PORT), "the closed port is told")
    assert f"failed to connect to localhost:{CLOSED_PORT} inside namespace" in forward.error(CLOSED_PORT)
    echo.close()


def test_when_the_control_plane_ends_so_do_its_streams(tmp_path: Path) -> None:
    with cluster(tmp_path) as kubeconfig:
        client = Client(program(NEW), kubeconfig)
        client("apply", "-f", "-", input=POD)
        client("wait", "--for=condition=Ready", "pod/s", "--timeout=50s")
        held = [
            client.begin("exec", "-i", "s", "-c", "main", "--", "sleep", "7654"),
            client.begin("logs", "-f", "s", "-c", "main"),
            client.begin("port-forward", "s", f":{ECHO_PORT}"),
        ]
        until(lambda: "sleep 7654" in in_pod(client, "ps"), "the process is there")
        jubako = Cli(tmp_path / "root", tmp_path / "run")
        jubako("cluster", "down", timeout_s=50)  # before it would be killed
        for process in held:
            process.communicate(timeout=60)
        jubako("cluster", "up", "--kubeconfig", str(kubeconfig))
        assert "sleep 7654" not in in_pod(client, "ps")
