"""Clients of a container's streams: the creator's own connection, others, terminals, and readers that do not read."""

from __future__ import annotations

import os
import select
import struct
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from jubako.errors import FailedPrecondition
from jubako.runtime import attach
from jubako.spec.oci_runtime import Box

from .conftest import read_all, read_until

pytestmark = pytest.mark.root


def test_input_goes_in_and_its_end_too(runtime: Any) -> None:
    handle = runtime.create(runtime.spec("wc", "-c"), stdin=True, attach=True)
    handle.start()
    handle.attached.write(b"x" * 300_000)
    handle.attached.close_stdin()
    assert read_all(handle.attached).strip() == "300000"


def test_input_that_nobody_reads_does_not_stop_signals_and_output(runtime: Any) -> None:
    handle = runtime.create(
        runtime.spec("sh", "-c", "trap 'echo got; exit' TERM; echo up; while :; do sleep 0.05; done"),
        stdin=True,
        attach=True,
    )
    handle.start()
    read_until(handle.attached, "up")
    writer = threading.Thread(target=lambda: _write_until_gone(handle.attached))
    writer.start()
    time.sleep(0.2)
    handle.signal(15)
    read_until(handle.attached, "got")
    assert handle.wait(60).code == 0
    handle.acknowledge()
    writer.join(60)


def _write_until_gone(attached: attach.Attached) -> None:
    try:
        while True:
            attached.write(b"y" * 30000)
    except OSError:
        return


def test_without_stdin_the_program_reads_its_end(runtime: Any) -> None:
    output, ended = runtime.run("cat")
    assert (output, ended.code) == ("", 0)


def test_stdin_once_closes_with_its_client(runtime: Any) -> None:
    handle = runtime.create(runtime.spec("cat"), stdin=True, stdin_once=True, attach=True)
    handle.start()
    handle.attached.close()
    assert handle.wait(60).code == 0


def test_all_output_arrives_however_much(runtime: Any) -> None:
    output, _ = runtime.run("sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' a")
    assert len(output) == 20_000_000


def test_the_creators_slow_connection_holds_the_container_back_and_loses_nothing(runtime: Any) -> None:
    handle = runtime.create(runtime.spec("sh", "-c", "head -c 5000000 /dev/zero; echo done >&2"), attach=True)
    handle.start()
    with pytest.raises(TimeoutError):
        handle.wait(0.3)
    received = 0
    while frame := handle.attached.read(10):
        received += len(frame.data) if frame.kind == attach.STDOUT else 0
    assert received == 5_000_000
    assert handle.wait(60).code == 0


def test_another_client_that_does_not_read_is_dropped_and_the_container_goes_on(runtime: Any) -> None:
    run_dir = runtime.directory("run")
    handle = runtime.create(
        runtime.spec("sh", "-c", "cat; head -c 50000000 /dev/zero"), run_dir=run_dir, stdin=True, attach=True
    )
    handle.start()
    idle = attach.connect(run_dir)
    handle.attached.close_stdin()
    assert len(read_all(handle.attached)) == 50_000_000
    assert handle.wait(60).code == 0
    received = 0
    while frame := idle.read(10):
        received += len(frame.data)
    assert received < 50_000_000


def test_a_creator_that_dies_does_not_hold_the_container_back(runtime: Any) -> None:
    handle = runtime.create(runtime.spec("sh", "-c", "sleep 0.1; head -c 5000000 /dev/zero"), attach=True)
    handle.start()
    handle.attached.close()
    assert handle.wait(60).code == 0


def test_two_clients_see_the_same_and_learn_the_exit_code(runtime: Any) -> None:
    run_dir = runtime.directory("run")
    handle = runtime.create(
        runtime.spec("sh", "-c", "read x; echo $x; exit 5"), run_dir=run_dir, stdin=True, attach=True
    )
    handle.start()
    with attach.connect(run_dir) as other:
        other.write(b"word\n")
        for client in (handle.attached, other):
            assert client.read(10) == attach.Frame(attach.STDOUT, b"word\n")
            assert client.read(10).code == 5
            assert client.read(10) is None


def test_attach_to_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(FailedPrecondition):
        attach.connect(tmp_path)


def test_a_deep_run_directory_works(runtime: Any) -> None:
    run_dir = runtime.directory("d" * 120 + "/" + "e" * 120)
    handle = runtime.create(runtime.spec("cat"), run_dir=run_dir, stdin=True)
    handle.start()
    with attach.connect(run_dir) as client:
        client.write(b"deep")
        assert client.read(10).data == b"deep"
    assert os.stat(run_dir / "attach.sock").st_mode & 0o777 == 0o600


def test_a_terminal_is_the_containers_own(runtime: Any) -> None:
    script = "tty; ls /dev/pts; stty size; test -c /dev/console && echo console; echo x > /dev/console"
    output, _ = runtime.run(
        "sh", "-c", script, process={"terminal": True, "console_size": Box(height=30, width=99)}, stdin=True
    )
    assert output.split() == ["/dev/pts/0", "0", "ptmx", "30", "99", "console", "x"]


def test_a_terminal_takes_input_sizes_and_control_characters(runtime: Any) -> None:
    handle = runtime.create(runtime.spec("sh", terminal=True), stdin=True, attach=True)
    handle.start()
    client = handle.attached
    client.write(b"echo ready$((1+1))\n")
    read_until(client, "ready2")
    client.resize(40, 132)
    client.write(b"stty size\n")
    read_until(client, "40 132")
    client.write(b"trap 'echo inter''rupted' INT; (echo a''sleep; exec sleep 100)\n")
    read_until(client, "asleep")
    client.write(b"\x03")
    read_until(client, "interrupted")
    client.write(b"exit 3\n")
    read_all(client)
    assert handle.wait(60).code == 3


def test_big_input_to_a_terminal_arrives(runtime: Any) -> None:
    handle = runtime.create(
        runtime.spec("sh", "-c", "stty raw -echo; echo go; head -c 200000 | md5sum", terminal=True),
        stdin=True,
        attach=True,
    )
    handle.start()
    read_until(handle.attached, "go")
    handle.attached.write(b"z" * 200_000)
    assert "  -" in read_until(handle.attached, "  -")


def test_inherited_streams_go_straight_through(runtime: Any) -> None:
    reader, writer = os.pipe()
    source, feed = os.pipe()
    os.write(feed, b"fed")
    os.close(feed)
    handle = runtime.create(
        runtime.spec("sh", "-c", "cat; echo out"), stdio="inherit", inherit_fds=(source, writer, writer)
    )
    handle.start()
    os.close(writer)
    assert handle.wait(60).code == 0
    assert os.read(reader, 100) == b"fedout\n"
    assert os.read(reader, 100) == b""
    os.close(reader)
    os.close(source)


def test_unknown_and_malformed_frames_do_no_harm(runtime: Any) -> None:
    run_dir = runtime.directory("run")
    handle = runtime.create(runtime.spec("cat"), run_dir=run_dir, stdin=True)
    handle.start()
    with attach.connect(run_dir) as client:
        for packet in (b"\xff", b"\x12abc", b"\x13", b"\x13\xff", struct.pack("=BHH", 18, 1, 1), b"\x10"):
            os.write(client.fileno(), packet)
        client.write(b"alive")
        assert client.read(10).data == b"alive"


def test_a_full_house_of_clients_turns_more_away(runtime: Any) -> None:
    run_dir = runtime.directory("run")
    handle = runtime.create(runtime.spec("cat"), run_dir=run_dir, stdin=True)
    handle.start()
    clients = [attach.connect(run_dir) for _ in range(40)]
    clients[0].write(b"x")
    poll = select.poll()
    for client in clients:
        poll.register(client.fileno(), select.POLLIN)
    deadline = time.monotonic() + 10
    while len(ready := poll.poll(100)) < 40 and time.monotonic() < deadline:
        pass
    assert len(ready) == 40
    frames = [client.read(1) for client in clients]
    assert sum(frame is not None for frame in frames) == 32
    for client in clients:
        client.close()
