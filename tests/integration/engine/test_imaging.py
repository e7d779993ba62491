"""export, commit and import: what is in a container's root, and what an image made of it is."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...conftest import Cli

pytestmark = pytest.mark.root


@pytest.fixture
def named(jubako: Cli) -> Iterator[str]:
    """The name of an image to be, which is gone after the test."""
    yield "imaged:v1"
    jubako.run("rmi", "-f", "imaged:v1")


def archive(**files: bytes) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755
            tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


def read(data: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: member for member in tar}


def config(jubako: Cli, image: str) -> dict:
    return json.loads(jubako("image", "inspect", image))[0]


def exported(jubako: Cli, *arguments: str) -> dict[str, tarfile.TarInfo]:
    done = jubako.run("export", *arguments)
    assert (done.returncode, done.stderr) == (0, b"")
    return read(done.stdout)


@pytest.mark.parametrize("running", [True, False])
def test_export_is_the_root_without_what_is_mounted_in_it(jubako: Cli, running: bool, tmp_path: Path) -> None:
    (tmp_path / "host").write_text("of the host")
    script = "echo new >/root/new; rm /etc/group; echo in >/data/in; echo secret >/tmp/in; touch /ready; sleep 60"
    create = ["-v", "/data", "-v", f"{tmp_path}:/host", "--tmpfs", "/tmp", "busybox", "sh", "-c", script]
    container = jubako("run", "-d", *create).strip()
    jubako("exec", container, "sh", "-c", "until test -e /ready; do sleep 0.1; done")
    if not running:
        jubako("kill", container)
    found = exported(jubako, container)
    assert {"bin/busybox", "bin/sh", "root/new", "data", "host", "tmp", "etc/passwd", "proc", "sys"} <= found.keys()
    left_out = ("etc/group", "data/in", "host/host", "tmp/in", "proc/self", "sys/kernel", "dev/null")
    assert not found.keys() & set(left_out)
    assert not any("/.wh." in f"/{name}" or member.isdev() for name, member in found.items())
    path = tmp_path / "out.tar"
    jubako("export", "-o", str(path), container)
    assert read(path.read_bytes()).keys() == found.keys()


def test_export_of_one_that_never_ran_and_of_none(jubako: Cli) -> None:
    assert "bin/busybox" in exported(jubako, jubako("create", "busybox").strip())
    done = jubako.run("export", "nosuch")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"No such container: nosuch" in done.stderr


def test_commit_keeps_changes_deletions_and_how_the_container_ran(jubako: Cli, named: str) -> None:
    script = "echo new >/root/new; rm /etc/group; rm -rf /home; mkdir /home; echo x >/home/x"
    options = ["-e", "A=1", "-w", "/root", "-u", "0:0", "-l", "k=v", "--entrypoint", "sh"]
    container = jubako("run", "-d", *options, "busybox", "-c", script).strip()
    jubako("wait", container)
    made = jubako("commit", "-a", "Ann", "-m", "why", "-c", "ENV B=$A", "-c", 'CMD ["-c", "cat new"]', container, named)
    image = config(jubako, named)
    assert made.strip() == image["Id"]
    assert {"A=1", "B=1"} <= set(image["Config"]["Env"])
    assert (image["Config"]["WorkingDir"], image["Config"]["User"]) == ("/root", "0:0")
    assert (image["Config"]["Entrypoint"], image["Config"]["Cmd"]) == (["sh"], ["-c", "cat new"])
    assert (image["Config"]["Labels"], image["Author"]) == ({"k": "v"}, "Ann")
    assert jubako("run", "--rm", named) == "new\n"
    seen = "ls /home; test -e /etc/group || echo gone"
    assert jubako("run", "--rm", named, "-c", seen) == "x\ngone\n"
    last = jubako("history", "--no-trunc", "--format", "{{.Comment}}|{{.CreatedBy}}", named).splitlines()[0]
    assert last == f"why|sh -c {script}"


@pytest.mark.parametrize("pause", ["true", "false"])
def test_commit_of_a_running_container_leaves_it_running(jubako: Cli, named: str, pause: str) -> None:
    container = jubako("run", "-d", "busybox", "sh", "-c", "echo new >/new; sleep 60").strip()
    jubako("exec", container, "sh", "-c", "until test -s /new; do sleep 0.1; done")
    jubako("commit", f"--pause={pause}", container, named)
    assert jubako("inspect", "-f", "{{.State.Status}}", container) == "running\n"
    assert jubako("run", "--rm", named, "cat", "/new") == "new\n"


def test_commit_of_nothing_new_has_no_layer_and_may_have_no_name(jubako: Cli) -> None:
    container = jubako("create", "busybox", "true").strip()
    image = jubako("commit", container).strip()
    try:
        found = config(jubako, image)
        assert (found["RepoTags"], found["Config"]["Cmd"]) == ([], ["true"])
        assert found["RootFS"] == config(jubako, "busybox")["RootFS"]
    finally:
        jubako("rmi", image)


@pytest.mark.parametrize(
    ("change", "told"),
    [("RUN true", "RUN is not a valid change command"), ("ENV", "ENV"), ("EXPOSE x", "invalid containerPort: x")],
)
def test_what_can_not_be_changed_is_told(jubako: Cli, named: str, change: str, told: str) -> None:
    done = jubako.run("commit", "-c", change, jubako("create", "busybox").strip(), named)
    assert (done.returncode, done.stdout) == (1, b"")
    assert told in done.stderr.decode()
    assert jubako.run("image", "inspect", named).returncode == 1


@pytest.mark.parametrize("compress", [bytes, gzip.compress, lzma.compress])
def test_import_makes_an_image_of_an_archive(jubako: Cli, named: str, tmp_path: Path, compress) -> None:
    container = jubako("create", "busybox").strip()
    data = jubako.run("export", container).stdout
    path = tmp_path / "root.tar"
    path.write_bytes(compress(data))
    changes = ["-c", 'CMD ["echo", "it runs"]', "-c", "WORKDIR /a\nWORKDIR b", "-c", "EXPOSE 80"]
    made = jubako("import", *changes, "-m", "from afar", str(path), named)
    image = config(jubako, named)
    assert made.strip() == image["Id"]
    assert (image["Comment"], len(image["RootFS"]["Layers"])) == ("from afar", 1)
    assert (image["Config"]["WorkingDir"], image["Config"]["ExposedPorts"]) == ("/a/b", {"80/tcp": {}})
    assert jubako("run", "--rm", named) == "it runs\n"


def test_an_archive_whose_layers_are_not_what_it_says_is_refused(jubako: Cli, named: str) -> None:
    """Also where both are here already: pushed, the image would be another than the one that runs here."""
    one, two = archive(one=b"1"), archive(two=b"2")
    diff_ids = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in (one, two)]
    document = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}}

    def saved(*layers: bytes) -> bytes:
        item = {"Config": "config", "RepoTags": [named], "Layers": ["0", "1"]}
        files = {str(number): gzip.compress(layer) for number, layer in enumerate(layers)}
        return archive(config=json.dumps(document).encode(), **files, **{"manifest.json": json.dumps([item]).encode()})

    assert jubako("load", input=saved(one, two)) == f"Loaded image: {named}\n"
    assert jubako("load", input=saved(one, two)) == f"Loaded image: {named}\n"
    done = jubako.run("load", input=saved(two, one))
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"unpacks to" in done.stderr


def test_import_from_a_pipe_for_another_platform(jubako: Cli, named: str) -> None:
    done = jubako.run("import", "--platform", "linux/arm64", "-", named, input=archive(x=b"1"))
    assert (done.returncode, done.stderr) == (0, b"")
    image = config(jubako, named)
    assert (image["Os"], image["Architecture"], image["Config"].get("Cmd")) == ("linux", "arm64", None)


@pytest.mark.parametrize(
    ("data", "told"),
    [(b"no tar" * 1000, "corrupt"), (archive(x=b"1" * 5000)[:2000], "truncated"), (archive(**{"../x": b"1"}), "../x")],
)
def test_what_is_no_archive_is_told_and_leaves_nothing(jubako: Cli, named: str, data: bytes, told: str) -> None:
    done = jubako.run("import", "-", named, input=data)
    assert (done.returncode, done.stdout) == (1, b"")
    assert told in done.stderr.decode()
    assert jubako.run("image", "inspect", named).returncode == 1


def test_import_of_what_is_not_there(jubako: Cli) -> None:
    assert jubako.run("import", "/nosuch.tar").stderr == b"open /nosuch.tar: no such file or directory\n"
    assert b"download it first" in jubako.run("import", "https://registry.invalid/x.tar").stderr
