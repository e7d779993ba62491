"""The Python API on the real kernel: run, Engine, and the life of a container through them."""

from __future__ import annotations

import io
import json
import os
import signal
import tarfile
import threading
import time

import pytest
from tests.waiting import until

import jubako
from jubako.engine import events
from jubako.engine.exec import ExecOptions
from jubako.errors import AlreadyExists, Conflict, FailedPrecondition, InvalidArgument, NotFound

pytestmark = pytest.mark.root


@pytest.fixture
def engine(state):
    with jubako.Engine(state.root, state.run_root) as engine:
        yield engine
        for record in engine.containers.list(all=True):
            engine.containers.remove(record.id, force=True, volumes=True)


def options(*command, **more):
    return jubako.CreateOptions(image="busybox", command=list(command), network=more.pop("network", "none"), **more)


def started(engine, *command, **more):
    record = engine.containers.create(options(*command, **more))
    engine.containers.start(record.id)
    return record.id


def test_run_returns_exit_code_and_both_streams(state):
    done = jubako.run(
        "busybox",
        ["sh", "-c", "echo out; echo err >&2; exit 3"],
        network="none",
        root=state.root,
        run_root=state.run_root,
    )
    assert (done.exit_code, done.stdout, done.stderr) == (3, b"out\n", b"err\n")


def test_run_feeds_more_stdin_than_any_pipe_holds(state):
    data = bytes(range(256)) * 8192
    done = jubako.run("busybox", ["cat"], stdin=data, network="none", root=state.root, run_root=state.run_root)
    assert done.stdout == data


def test_an_interrupt_ends_a_container_that_does_not_read_its_stdin(engine):
    def interrupt():
        until(lambda: [thread for thread in threading.enumerate() if thread.name == "stdin"], timeout_s=60)
        os.kill(os.getpid(), signal.SIGINT)

    interrupting = threading.Thread(target=interrupt, daemon=True)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        interrupting.start()
        with pytest.raises(KeyboardInterrupt):
            engine.run(options("sleep", "1000", auto_remove=True), stdin=bytes(16 << 20))
    finally:
        signal.signal(signal.SIGINT, before)
    assert engine.containers.list(all=True) == []


@pytest.mark.parametrize("command", [["echo", 5], ["echo", "\udcff"]])
def test_what_could_not_be_read_again_is_not_recorded(state, engine, command):
    before = engine.containers.list(all=True)
    with pytest.raises(InvalidArgument, match=r"Expected `str`, got `int`|not valid UTF-8"):
        jubako.run("busybox", command, network="none", root=state.root, run_root=state.run_root)
    assert engine.containers.list(all=True) == before


def test_stdin_is_bytes(state, engine):
    with pytest.raises(TypeError):
        jubako.run("busybox", ["cat"], stdin="a", network="none", root=state.root, run_root=state.run_root)
    assert engine.containers.list(all=True) == []


@pytest.mark.parametrize("stdin", [None, b"never read" * 100_000])
def test_an_interrupted_run_leaves_no_container(state, engine, stdin):
    """As a cell of a notebook is interrupted: by KeyboardInterrupt in the main thread."""
    ended = threading.Event()

    def interrupt():
        until(lambda: ended.is_set() or engine.containers.list())
        if not ended.is_set():
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    helper = threading.Thread(target=interrupt)
    helper.start()
    with pytest.raises(KeyboardInterrupt):
        jubako.run("busybox", ["sleep", "1000"], network="none", stdin=stdin, root=state.root, run_root=state.run_root)
    ended.set()
    helper.join()
    assert engine.containers.list(all=True) == []


def test_run_with_check_raises_with_the_output(state):
    with pytest.raises(jubako.ContainerError) as caught:
        jubako.run(
            "busybox",
            ["sh", "-c", "echo no >&2; exit 9"],
            check=True,
            network="none",
            root=state.root,
            run_root=state.run_root,
        )
    assert caught.value.completed.exit_code == 9
    assert "no" in str(caught.value)


def test_run_leaves_no_container(engine, state):
    jubako.run("busybox", ["true"], network="none", root=state.root, run_root=state.run_root)
    assert engine.containers.list(all=True) == []


def test_missing_command_and_missing_image_are_not_found_and_leave_nothing(engine):
    with pytest.raises(NotFound):
        engine.run(options("no-such-command", auto_remove=True))
    with pytest.raises(NotFound):
        engine.containers.create(jubako.CreateOptions(image="no-such-image", pull="never"))
    assert engine.containers.list(all=True) == []


def test_container_goes_through_its_life(engine):
    record = engine.containers.create(options("sleep", "100", name="life"))
    assert engine.containers.get("life").status == "created"
    engine.containers.start("life")
    assert engine.containers.get(record.id[:8]).status == "running"
    engine.containers.pause("life")
    assert engine.containers.get("life").status == "paused"
    engine.containers.unpause("life")
    engine.containers.stop("life", 0)
    assert engine.containers.get("life").exit_code == 137
    engine.containers.start("life")
    with pytest.raises(Conflict):
        engine.containers.remove("life")
    engine.containers.remove("life", force=True)
    with pytest.raises(NotFound):
        engine.containers.get("life")


def test_taken_name_is_refused_and_a_rename_frees_it(engine):
    engine.containers.create(options("true", name="taken"))
    with pytest.raises(AlreadyExists):
        engine.containers.create(options("true", name="taken"))
    engine.containers.rename("taken", "other")
    engine.containers.create(options("true", name="taken"))


def test_stop_signal_reaches_the_process_and_its_exit_code_is_kept(engine):
    name = started(engine, "sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done")
    until(lambda: [line.log for line in engine.containers.logs(name)] == ["ready\n"])
    engine.containers.stop(name, 60)
    assert engine.containers.get(name).exit_code == 5


def test_wait_returns_the_exit_code_of_a_container_that_somebody_else_started(engine):
    name = started(engine, "sh", "-c", "sleep 0.3; exit 4")
    assert engine.containers.wait(name) == 4


def test_logs_are_kept_in_order_and_tail_and_follow_work(engine):
    name = started(engine, "sh", "-c", "for i in 1 2 3; do echo $i; done; sleep 0.3; echo 4; printf partial")
    followed = [line.log for line in engine.containers.logs(name, follow=True)]
    assert followed == ["1\n", "2\n", "3\n", "4\n", "partial\n"]  # Docker ends a last line that has no end
    until(lambda: engine.containers.get(name).status == "exited")
    assert [line.log for line in engine.containers.logs(name, tail=2)] == ["4\n", "partial\n"]


def test_exec_runs_beside_the_first_process_as_the_user_asked_for(engine):
    name = started(engine, "sleep", "100")
    handle = engine.containers.exec(name, ExecOptions(command=["sh", "-c", "id -u; cat /proc/1/comm"], user="1234"))
    frames = []
    while (frame := handle.attached.read()) is not None:
        frames.append(frame)
    assert handle.wait().code == 0
    assert b"".join(frame.data for frame in frames[:-1]) == b"1234\nsleep\n"


def test_exec_in_a_container_that_does_not_run_is_refused(engine):
    record = engine.containers.create(options("true"))
    with pytest.raises(FailedPrecondition):
        engine.containers.exec(record.id, ExecOptions(command=["true"]))


def test_files_are_copied_in_and_out_of_running_and_stopped_containers(engine):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("note")
        entry.size = 5
        tar.addfile(entry, io.BytesIO(b"hello"))
    for record in (engine.containers.create(options("sleep", "100")), engine.containers.create(options("true"))):
        if record.args[0] == "sleep":
            engine.containers.start(record.id)
        archive.seek(0)
        engine.containers.copy_to(record.id, "/root", archive)
        out = io.BytesIO()
        engine.containers.copy_from(record.id, "/root/note", out)
        out.seek(0)
        with tarfile.open(fileobj=out) as tar:
            assert tar.extractfile("note").read() == b"hello"
        assert ("A", "/root/note") in engine.containers.changes(record.id)


def test_volume_keeps_its_data_and_starts_with_what_the_image_has(engine):
    engine.run(options("sh", "-c", "echo kept >/etc/kept", volumes=["data:/etc"], auto_remove=True))
    done = engine.run(options("cat", "/etc/kept", "/etc/passwd", volumes=["data:/etc:ro"], auto_remove=True))
    assert done.stdout.startswith(b"kept\nroot:x:0:0")
    engine.volumes.remove("data")


def test_volume_in_use_is_not_removed(engine):
    engine.containers.create(options("true", volumes=["busy:/data"]))
    started(engine, "sleep", "100", volumes=["busy:/data"])
    with pytest.raises(Conflict):
        engine.volumes.remove("busy")
    for record in engine.containers.list(all=True):
        engine.containers.remove(record.id, force=True)
    engine.volumes.remove("busy")


def test_names_resolve_on_a_network_of_ones_own_also_for_those_who_came_first(engine):
    engine.networks.create("friends")
    first = started(engine, "sleep", "100", network="friends", name="first")
    started(engine, "sleep", "100", network="friends", name="second", network_aliases=["two"])
    handle = engine.containers.exec(first, ExecOptions(command=["ping", "-c", "1", "-W", "2", "two"]))
    while handle.attached.read() is not None:
        pass
    assert handle.wait().code == 0
    with pytest.raises(FailedPrecondition):
        engine.networks.remove("friends")
    for name in ("first", "second"):
        engine.containers.remove(name, force=True)
    engine.networks.remove("friends")


def test_restart_policy_starts_a_failed_container_again_and_gives_up_in_the_end(engine):
    name = started(engine, "sh", "-c", "echo run; exit 1", restart="on-failure:2")
    until(lambda: len([*engine.containers.logs(name)]) == 3 and engine.containers.get(name).status == "exited")
    assert engine.containers.get(name).restart_count == 2
    assert [line.log for line in engine.containers.logs(name)] == ["run\n"] * 3


def test_update_changes_the_limit_of_a_running_container(engine):
    name = started(engine, "sleep", "100", memory=64 << 20)
    engine.containers.update(name, {"memory": 128 << 20, "memory_swap": 256 << 20})
    assert engine.containers.stats(name).memory_limit_bytes == 128 << 20


def test_events_tell_the_life_of_a_container_in_order(engine):
    since_ns = time.time_ns()
    engine.run(options("true", auto_remove=True))
    actions = [event.action for event in engine.events(since_ns=since_ns, until_ns=time.time_ns())]
    assert [a for a in actions if a in ("create", "start", "die", "destroy")] == ["create", "start", "die", "destroy"]


def test_what_a_program_runs_leaves_it_no_open_file(engine):
    def use() -> None:
        engine.run(options("true", auto_remove=True))
        name = started(engine, "sleep", "100")
        engine.containers.exec(name, ExecOptions(command=["true"], attach=False)).detach()
        engine.containers.remove(name, force=True)

    use()
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        use()
    assert len(os.listdir("/proc/self/fd")) <= len(before)


def test_only_the_newest_events_are_kept(engine):
    for _ in range(3):
        engine.run(options("true", auto_remove=True))
    events.trim(engine.drivers, keep=2)
    kept = [event.action for event in engine.events(since_ns=0, until_ns=time.time_ns())]
    assert kept == ["die", "destroy"]


def test_inspect_has_the_facts_that_scripts_read(engine):
    name = started(engine, "sleep", "100", network="bridge", publish=["127.0.0.1::80"], env=["A=b"], labels={"x": "y"})
    seen = engine.containers.inspect(name)
    assert json.loads(json.dumps(seen)) == seen
    assert seen["State"]["Running"] is True
    assert "A=b" in seen["Config"]["Env"]
    assert seen["Config"]["Labels"] == {"x": "y"}
    assert seen["NetworkSettings"]["Ports"]["80/tcp"][0]["HostIp"] == "127.0.0.1"
    assert seen["NetworkSettings"]["IPAddress"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"memory": 1},
        {"publish": ["x:80"]},
        {"volumes": ["relative/path:/x"]},
        {"volumes": ["/a:relative"]},
        {"cap_add": ["NOT_A_CAPABILITY"]},
        {"restart": "sometimes"},
        {"ulimits": ["nofile=2:1"]},
        {"workdir": "relative"},
        {"name": "-"},
        {"env": "A=1"},
        {"env": [b"A=1"]},
        {"publish": "8080:80"},
        {"memory": "64m"},
        {"nano_cpus": -1},
        {"nano_cpus": (os.cpu_count() or 1) * 1_000_000_000 + 1},
        {"volumes": [io.BytesIO()]},
    ],
)
def test_options_that_no_container_can_have_are_refused_before_anything_is_made(engine, wrong):
    with pytest.raises(InvalidArgument):
        engine.containers.create(options("true", **wrong))
    assert engine.containers.list(all=True) == []


def test_a_text_in_place_of_a_list_of_words_is_refused_with_what_to_write(engine, state):
    with pytest.raises(InvalidArgument, match="list of words") as caught:
        jubako.run("busybox", "echo hello", network="none", root=state.root, run_root=state.run_root)
    assert "sh" in caught.value.hint
    with pytest.raises(InvalidArgument, match="publish: ") as caught:
        engine.containers.create(options("true", publish="8080:80"))
    assert "list" in caught.value.hint
    name = started(engine, "sleep", "100")
    with pytest.raises(InvalidArgument, match="command: "):
        engine.containers.exec(name, ExecOptions(command="id"))


def test_what_images_share_is_counted_once(engine, tmp_path):
    base, before = engine.images.get("busybox"), engine.system.disk_usage()
    (tmp_path / "Dockerfile").write_text("FROM busybox\nLABEL one=more\n")
    engine.build(tmp_path, tags=["shares"])
    try:
        shares, usage = engine.images.get("shares"), engine.system.disk_usage()
        shared = sum(layer.size for layer in base.manifest.layers)
        assert usage["LayersSize"] - before["LayersSize"] == shares.size_bytes - shared == shares.manifest.config.size
        engine.containers.create(options("true"))
        needed = engine.system.disk_usage()
        assert needed["LayersReclaimable"] == usage["LayersReclaimable"] - base.size_bytes
        told = []
        engine.system.compact(told.append, dry_run=True)
        assert sum(done.digest == layer.digest for done in told for layer in base.manifest.layers) == 1
    finally:
        engine.images.remove("shares")


def test_sixty_four_containers_at_once_all_end_and_leave_nothing(engine, state):
    codes = []

    def one(number):
        done = jubako.run(
            "busybox", ["sh", "-c", f"exit {number}"], network="none", root=state.root, run_root=state.run_root
        )
        codes.append(done.exit_code)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == list(range(64))
    assert engine.containers.list(all=True) == []


def test_two_removals_of_one_container_do_not_harm_each_other(engine, state):
    name = started(engine, "sleep", "100")
    errors = []

    def remove():
        try:
            with jubako.Engine(state.root, state.run_root) as other:
                other.containers.remove(name, force=True)
        except NotFound:
            errors.append("not found")

    threads = [threading.Thread(target=remove) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engine.containers.list(all=True) == []
