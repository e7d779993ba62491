"""What a container of a pod is given besides: parts of volumes, CRI's log, last words, its end by an fd."""

from __future__ import annotations

import os
import re
import select
import subprocess

import pytest

from jubako.engine import CreateOptions
from jubako.errors import InvalidArgument, NotFound

pytestmark = pytest.mark.root


def ended(engine, *command, **options):
    record = engine.containers.create(
        CreateOptions(image="busybox", command=[*command], network="none", pull="never", **options)
    )
    engine.containers.start(record.id)
    engine.containers.wait(record.id)
    return engine.containers.get(record.id)


def output(engine, record):
    return "".join(line.log for line in engine.containers.logs(record.id))


def test_subpath_of_a_directory_or_volume_is_mounted_alone(engine, tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/inner").write_text("inner")
    (tmp_path / "outer").write_text("outer")
    bind = f"type=bind,source={tmp_path},target=/data,subpath=a/b,readonly"
    record = ended(engine, "sh", "-c", "ls /data; touch /data/x 2>&1", mounts=[bind])
    assert output(engine, record) == "inner\ntouch: /data/x: Read-only file system\n"
    single = f"type=bind,source={tmp_path},target=/etc/one,subpath=outer"
    assert output(engine, ended(engine, "cat", "/etc/one", mounts=[single])) == "outer\n"
    volume = "type=volume,source=parts,target=/v,volume-subpath=x/y,bind-create-src"
    ended(engine, "sh", "-c", "echo kept >/v/file", mounts=[volume])
    whole = "type=volume,source=parts,target=/v"
    assert output(engine, ended(engine, "cat", "/v/x/y/file", mounts=[whole])) == "kept\n"


def test_mount_with_a_comma_is_quoted_as_docker_has_it(engine, tmp_path):
    (tmp_path / 'a,"b"').mkdir()
    (tmp_path / 'a,"b"/file').write_text("x")
    mount = f'type=bind,"source={tmp_path}/a,""b""",target=/data'
    assert output(engine, ended(engine, "cat", "/data/file", mounts=[mount])) == "x\n"
    with pytest.raises(InvalidArgument, match='for "--mount" flag'):
        ended(engine, "true", mounts=['type=bind,"source=/'])


@pytest.mark.parametrize(("recursive", "said"), [("readonly", "Read-only file system"), ("writable", "")])
def test_mounts_beneath_a_recursively_read_only_mount_are_read_only_too(engine, tmp_path, recursive, said):
    below = tmp_path / "below"
    below.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(below)], check=True)
    try:
        mount = f"type=bind,source={tmp_path},target=/data,readonly,bind-recursive={recursive}"
        record = ended(engine, "sh", "-c", "touch /data/below/x 2>&1", mounts=[mount])
        assert said in output(engine, record)
        assert record.exit_code == (1 if said else 0)
    finally:
        subprocess.run(["umount", str(below)], check=True)
    with pytest.raises(InvalidArgument, match="requires 'readonly'"):
        ended(engine, "true", mounts=[f"type=bind,source={tmp_path},target=/data,bind-recursive=readonly"])


@pytest.mark.parametrize("link", ["/etc", "../../../../etc", "up/../../etc"])
def test_cve_2021_25741_subpath_that_is_a_link_out_of_the_volume_leads_nowhere(engine, tmp_path, link):
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "up").symlink_to("..")
    (volume / "part").symlink_to(link)
    with pytest.raises(InvalidArgument, match="cannot access subpath"):
        ended(engine, "true", mounts=[f"type=bind,source={volume},target=/data,subpath=part"])
    assert not os.path.exists(tmp_path / "etc")


@pytest.mark.parametrize("part", ["/abs", "../up", "a/../../b", ""])
def test_subpath_that_cannot_be_is_refused(engine, tmp_path, part):
    with pytest.raises(InvalidArgument, match="invalid subpath"):
        ended(engine, "true", mounts=[f"type=bind,source={tmp_path},target=/data,subpath={part}"])


def test_failed_start_leaves_no_mount_of_a_part_open(engine, tmp_path):
    (tmp_path / "part").mkdir()
    opened = []
    for _ in range(2):
        with pytest.raises(NotFound):
            ended(engine, "/no/such/program", mounts=[f"type=bind,source={tmp_path},target=/data,subpath=part"])
        opened.append(len(os.listdir("/proc/self/fd")))
    assert opened[0] == opened[1]


def test_log_of_cri_has_time_stream_tag_and_line(engine, tmp_path):
    path = tmp_path / "0.log"
    script = (
        r'printf "one\ntwo \"\\\\\n"; sleep 0.1; echo err >&2; sleep 0.1; head -c 20000 /dev/zero | tr "\0" x; echo'
    )
    options = {"log_driver": "k8s-file", "log_opts": {"path": str(path)}}
    record = ended(engine, "sh", "-c", script, **options)
    lines = path.read_text().splitlines()
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) [FP] .*", line) for line in lines)
    assert [line.split(" ", 3)[1:] for line in lines[:3]] == [
        ["stdout", "F", "one"],
        ["stdout", "F", 'two "\\'],
        ["stderr", "F", "err"],
    ]
    assert [line.split(" ", 3)[2] for line in lines[3:]] == ["P", "F"]
    assert output(engine, record) == 'one\ntwo "\\\nerr\n' + "x" * 20000 + "\n"
    assert [line.log for line in engine.containers.logs(record.id, tail=1)] == ["x" * (20000 - 16384) + "\n"]


def test_a_line_that_never_ended_is_a_part_in_the_log_of_cri(engine, tmp_path):
    record = ended(engine, "printf", "a\\nb", log_driver="k8s-file")
    assert [line.log for line in engine.containers.logs(record.id)] == ["a\n", "b"]


def test_last_words_are_read_back_and_no_more_than_kubernetes_shows(engine):
    script = "echo gone >/dev/termination-log; exit 3"
    record = ended(engine, "sh", "-c", script, termination_message_path="/dev/termination-log")
    assert engine.containers.termination_message(record.id) == "gone\n"
    flood = "head -c 100000 /dev/zero | tr '\\0' x >/last"
    record = ended(engine, "sh", "-c", flood, termination_message_path="/last", user="1000:1000", read_only=True)
    assert engine.containers.termination_message(record.id) == "x" * 4096


def test_end_of_a_container_is_told_by_its_pidfd(engine):
    record = engine.containers.create(CreateOptions(image="busybox", command=["sleep", "1000"], network="none"))
    engine.containers.start(record.id)
    fd = engine.containers.pidfd(record.id)
    assert select.select([fd], [], [], 0)[0] == []
    engine.containers.kill(record.id)
    assert select.select([fd], [], [], 60)[0] == [fd]
    os.close(fd)
    assert engine.containers.pidfd(record.id) is None
