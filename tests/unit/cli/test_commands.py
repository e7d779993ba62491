from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from jubako.engine.events import Event
from jubako.engine.stats import Sample
from jubako.errors import Conflict, InvalidArgument, NotFound

ID = "c4bac84b4a5ab0b48608b718ac9984e3a0fb45c082a68289a8f0685f71109436"


class Double:
    """An engine of which a test gives the parts that its command uses."""

    def __init__(self, **parts: object) -> None:
        self.__dict__.update(parts)

    def close(self) -> None:
        pass


def double(**containers: object) -> Double:
    return Double(containers=SimpleNamespace(**containers))


def refuse(name, *_args, **_options):
    if name == "missing":
        raise NotFound("container", name)
    if name == "busy":
        raise Conflict("it is running")


@pytest.mark.parametrize("command", ["stop", "kill", "restart", "rm", "pause", "unpause"])
def test_one_failure_does_not_keep_the_others_from_being_done(call, command):
    verb = {"rm": "remove"}.get(command, command)
    ended = call(command, "one", "missing", "two", "busy", engine=double(**{verb: refuse}))
    assert ended == (1, "one\ntwo\n", "Error: No such container: missing\nError: it is running\n")


def test_rm_force_forgives_what_is_gone_already_and_nothing_else(call):
    engine = double(remove=refuse)
    assert call("rm", "-f", "missing", engine=engine) == (0, "", "Error: No such container: missing\n")
    assert call("rm", "-f", "missing", "busy", engine=engine).code == 1


def test_stop_takes_the_timeout_by_both_names(call):
    seen = []
    engine = double(stop=lambda name, timeout_s, signal: seen.append((name, timeout_s, signal)))
    call("stop", "-t", "3", "a", engine=engine)
    call("stop", "--time=4", "-s", "INT", "b", engine=engine)
    call("stop", "c", engine=engine)
    assert seen == [("a", 3, None), ("b", 4, "INT"), ("c", None, None)]


def test_wait_prints_the_exit_codes(call):
    assert call("wait", "a", "b", engine=double(wait=lambda name: ord(name))).out == "97\n98\n"


def test_start_names_all_that_failed(call):
    ended = call("start", "one", "missing", "busy", engine=double(start=refuse))
    assert ended.code == 1
    assert ended.out == "one\n"
    assert ended.err.endswith("Error: failed to start containers: missing, busy\n")


def test_a_missing_image_is_pulled_once_and_said(call):
    local, pulled = set(), []

    def create(options):
        assert options.pull == "never"
        if options.image not in local:
            raise NotFound("image", options.image)
        return SimpleNamespace(id=ID)

    def pull(name, *, platform, progress):
        pulled.append(name)
        local.add(name)

    engine = Double(containers=SimpleNamespace(create=create), images=SimpleNamespace(pull=pull))
    ended = call("create", "busybox", engine=engine)
    assert ended == (0, f"{ID}\n", "Unable to find image 'busybox:latest' locally\n")
    call("create", "busybox", engine=engine)
    assert pulled == ["busybox"]
    call("create", "--pull", "always", "busybox", engine=engine)
    assert pulled == ["busybox", "busybox"]
    assert call("create", "--pull=never", "other", engine=engine).code == 1


def test_run_in_the_background_prints_the_id_and_nothing_else(call, tmp_path):
    started = []
    engine = double(create=lambda options: SimpleNamespace(id=ID), start=lambda name, **_: started.append(name))
    id_file = tmp_path / "id"
    assert call("run", "-d", "--cidfile", str(id_file), "busybox", engine=engine) == (0, f"{ID}\n", "")
    assert started == [ID]
    assert id_file.read_text() == ID
    again = call("run", "-d", "--cidfile", str(id_file), "busybox", engine=engine)
    assert again.code == 125
    assert "container ID file found" in again.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("image", "x:latest"), 125),
        (NotFound("executable", "x", message='exec: "x": executable file not found in $PATH'), 127),
        (InvalidArgument("no"), 125),
        (Conflict("taken"), 125),
    ],
)
def test_run_s_own_failures_have_docker_s_exit_codes(call, error, code):
    def start(_id, *, fresh):
        raise error

    engine = double(create=lambda options: SimpleNamespace(id=ID), start=start)
    ended = call("run", "-d", "busybox", engine=engine)
    assert ended.code == code
    assert ended.err == f"jubako: {error.message}\n\nRun 'jubako run --help' for more information\n"


def test_hints_follow_the_message(call):
    def get(_name):
        raise InvalidArgument("it is wrong", hint="try another")

    assert call("diff", "x", engine=double(changes=get)).err == "Error: it is wrong\ntry another\n"


def test_port_lists_in_order_and_answers_for_one(call):
    ports = {"443/tcp": None, "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}],
             "53/udp": [{"HostIp": "::1", "HostPort": "53"}]}  # fmt: skip
    engine = double(inspect=lambda name: {"NetworkSettings": {"Ports": ports}})
    assert call("port", "a", engine=engine).out == "53/udp -> [::1]:53\n80/tcp -> 0.0.0.0:8080\n"
    assert call("port", "a", "80", engine=engine).out == "0.0.0.0:8080\n"
    assert call("port", "a", "443", engine=engine) == (1, "", "Error: No public port '443' published for a\n")


def test_logs_keep_the_streams_apart(call):
    lines = [
        SimpleNamespace(log="out\n", stream="stdout", time="T1"),
        SimpleNamespace(log="err", stream="stderr", time="T2"),
    ]
    engine = double(logs=lambda name, **options: iter(lines))
    assert call("logs", "a", engine=engine) == (0, "out\n", "err")
    assert call("logs", "-t", "a", engine=engine).out == "T1 out\n"


def test_logs_pass_their_options_on(call):
    seen = {}
    engine = double(logs=lambda name, **options: seen.update(options) or iter(()))
    call("logs", "-f", "--tail", "5", "--since", "1700000000.5", "a", engine=engine)
    assert seen == {"follow": True, "tail": 5, "since_ns": 1700000000_500000000, "until_ns": None}
    call("logs", "--tail", "all", "a", engine=engine)
    assert seen["tail"] is None


def test_inspect_shows_what_is_there_and_tells_the_rest(call):
    def inspect(name):
        refuse(name)
        return {"Name": name, "State": {"Running": True}}

    engine = double(inspect=inspect)
    ended = call("container", "inspect", "a", "missing", engine=engine)
    assert ended.code == 1
    assert ended.out == (
        '[\n    {\n        "Name": "a",\n        "State": {\n            "Running": true\n        }\n    }\n]\n'
    )
    assert ended.err == "Error: No such container: missing\n"
    assert call("container", "inspect", "missing", engine=engine).out == "[]\n"
    assert call("container", "inspect", "-f", "{{.Name}}", "a", "b", engine=engine).out == "a\nb\n"
    assert call("container", "inspect", "-f", "{{.State.Health}}", "a", engine=engine).out == "<nil>\n"
    assert (
        call("container", "inspect", "-f", "json", "a", engine=engine).out
        == '[{"Name":"a","State":{"Running":true}}]\n'
    )
    assert call("container", "inspect", "-f", "{{", "a", engine=engine).code == 64


def test_update_changes_only_what_was_given(call):
    seen = []
    engine = double(update=lambda name, changes: seen.append(changes))
    call("update", "-m", "10m", "--cpus", "0.5", "--restart", "no", "a", engine=engine)
    assert seen == [{"memory": 10 << 20, "nano_cpus": 500_000_000, "restart": "no"}]
    assert call("update", "a", engine=engine).code == 1


EVENT = Event(type="container", action="exec_start: ls", id=ID, attributes={"name": "web", "image": "bb", "a": "b"},
              time_ns=1_700_000_000_000_000_001)  # fmt: skip


@pytest.mark.parametrize(
    ("filter", "passes"),
    [
        ("container=web", True), ("container=c4ba", True), ("container=other", False), ("type=container", True),
        ("type=image", False), ("event=exec_start", True), ("event=die", False), ("label=a=b", True),
        ("label=c", False), ("image=bb", True), ("image=other", False),
    ],
)  # fmt: skip
def test_events_are_filtered_as_in_docker(call, filter, passes):
    engine = Double(events=lambda *, since_ns, until_ns, accept: filter_events(accept))

    def filter_events(accept):
        return [EVENT] if accept(EVENT) else []

    ended = call("events", "-f", filter, "--format", "{{.Type}} {{.Actor.Attributes.name}} {{.Status}}", engine=engine)
    assert ended == (0, "container web exec_start: ls\n" if passes else "", "")


def test_an_event_s_line(call, monkeypatch):
    engine = Double(events=lambda **options: [EVENT])
    out = call("events", engine=engine).out
    assert out.endswith(f" container exec_start: ls {ID} (a=b, image=bb, name=web)\n")


def test_stats_show_rates_between_two_samples(call):
    samples = iter([(0, 0), (500_000_000, 2_000_000_000)])

    def stats(name):
        cpu, system = next(samples)
        return Sample(id=ID, name="web", cpu_ns=cpu, system_ns=system, cpus=2, memory_bytes=557056,
                      memory_limit_bytes=1 << 30, pids=3, received_bytes=486, sent_bytes=0, read_bytes=1500,
                      written_bytes=0)  # fmt: skip

    ended = call("stats", "--no-stream", "--format", "{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.NetIO}} "
                 "{{.BlockIO}} {{.PIDs}}", "web", engine=double(stats=stats))  # fmt: skip
    assert ended.out == "web 50.00% 544KiB / 1GiB 0.05% 486B / 0B 1.5kB / 0B 3\n"


def test_prune_asks_first_and_takes_only_yes(call):
    pruned = SimpleNamespace(containers=["a"], networks=[], volumes=[], images=[{"Deleted": "x"}], freed_bytes=1500)
    engine = Double(prune=lambda *, all, volumes: (pruned, ["step"]))
    assert call("system", "prune", engine=engine, stdin=b"n\n").out.endswith("[y/N] ")
    assert call("system", "prune", engine=engine, stdin=b"").out.endswith("[y/N] ")
    expected = "Deleted Containers:\na\n\nDeleted Images:\ndeleted: x\n\nDeleted build cache objects:\nstep\n\n"
    expected += "Total reclaimed space: 1.5kB\n"
    assert call("system", "prune", engine=engine, stdin=b"Y\n").out.endswith(expected)
    assert call("system", "prune", "-f", engine=engine).out == expected


def test_a_reader_that_left_ends_the_command_as_the_signal_would(call, monkeypatch):
    def broken(*_args):
        raise BrokenPipeError

    monkeypatch.setattr("jubako.cli.call.os.write", broken)
    assert call("version").code == 141


def test_wrong_cp_command_lines(call):
    assert call("cp", "a", "b").err == "must specify at least one container source\n"
    assert call("cp", "a:/x", "b:/y").err == "copying between containers is not supported\n"


def test_environment_files_follow_docker_s_rules(tmp_path, monkeypatch):
    from jubako.cli.envfile import environment, labels

    file = tmp_path / "env"
    file.write_bytes(b"\xef\xbb\xbf# comment\n\nA=1\n  B=two words \nC\nD=\nUNSET\n")
    inherited = {"C": "from me", "E": "x"}
    assert environment([str(file)], ["E", "F", "A=2"], inherited) == [
        "A=1", "B=two words ", "C=from me", "D=", "E=x", "A=2",
    ]  # fmt: skip
    assert labels([str(file)], ["k=v", "bare"])["bare"] == ""
    file.write_text("A B=1\n")
    with pytest.raises(InvalidArgument, match="contains whitespaces"):
        environment([str(file)], [], {})
    with pytest.raises(InvalidArgument, match="open /nosuch: no such file or directory"):
        environment(["/nosuch"], [], {})


def test_run_options_become_the_engine_s(call, monkeypatch, tmp_path):
    seen = []
    engine = double(create=lambda options: seen.append(options) or SimpleNamespace(id=ID))
    monkeypatch.chdir(tmp_path)
    argv = (
        "-it --rm --name n -e A=1 -l a=b -u 1:2 -w /w -h host -m 1g --memory-swap -1 --cpus 1.5 --pids-limit 10 "
        "--read-only --cap-add NET_ADMIN --cap-drop ALL --security-opt no-new-privileges "
        "--network name=n1,alias=x,ip=10.0.0.9 "
        "--network-alias y -p 80:80 -v ./d:/d --tmpfs /t --ulimit nofile=10:20 --sysctl net.a=1 --entrypoint e "
        "--restart no --shm-size 1m --stop-signal INT --stop-timeout 5 --init --privileged busybox cmd -x"
    )
    assert call("create", *argv.split(), engine=engine).code == 0
    options = seen[0]
    assert options.image == "busybox"
    assert options.command == ["cmd", "-x"]
    assert options.entrypoint == ["e"]
    assert (options.tty, options.open_stdin, options.auto_remove, options.init, options.privileged) == (True,) * 5
    assert (options.memory, options.memory_swap, options.nano_cpus, options.pids_limit) == (
        1 << 30,
        -1,
        1_500_000_000,
        10,
    )
    assert (options.network, options.network_aliases, options.ip) == ("n1", ["y", "x"], "10.0.0.9")
    assert options.volumes == [f"{os.getcwd()}/d:/d"]
    assert (options.shm_size, options.stop_signal, options.stop_timeout) == (1 << 20, "INT", 5)
    assert options.labels == {"a": "b"}
    assert options.sysctls == {"net.a": "1"}


def test_an_empty_entrypoint_clears_the_image_s(call):
    seen = []
    engine = double(create=lambda options: seen.append(options) or SimpleNamespace(id=ID))
    call("create", "--entrypoint=", "busybox", "x", engine=engine)
    call("create", "busybox", engine=engine)
    assert seen[0].entrypoint == []
    assert seen[1].entrypoint is None
    assert seen[1].command is None
