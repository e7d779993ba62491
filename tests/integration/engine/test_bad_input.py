"""What goes wrong is said once, clearly, with docker's exit code, and leaves nothing behind."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ...conftest import Cli, serving
from ...remains import Remains, assert_blobs_are_whole

pytestmark = pytest.mark.root

# Of bcrypt, for the password "right".
HTPASSWD = "user:$2b$05$ENE5KtL8Sz49Smj2YatigOiMJ7SHEg7tyLzNnsAaH2rxI2u4B7eGS\n"
TAIL = "Run 'jubako run --help' for more information"


@pytest.fixture(scope="module")
def archive(state: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "busybox.tar"
    state("save", "-o", str(path), "busybox")
    return path


@pytest.fixture
def own(state: Cli, archive: Path, tmp_path: Path) -> Iterator[Cli]:
    """An engine of the test's own, with busybox. After the test it has nothing but images, then nothing at all."""
    cli = type(state)(tmp_path / "root", tmp_path / "run")
    cli.env["DOCKER_CONFIG"] = str(tmp_path / "docker")
    remains = Remains(cli)
    cli("load", "-i", str(archive))
    try:
        yield cli
        assert_blobs_are_whole(cli.root)
        remains.assert_none_of_containers()
    finally:
        remains.assert_none_after_prune()


def refused(done: subprocess.CompletedProcess[bytes], code: int, *words: str) -> str:
    """Assert that it failed with this code and one message that has all of `words`; return the message."""
    said = done.stderr.decode()
    assert done.returncode == code, (done.returncode, said)
    assert "Traceback" not in said
    assert "internal error" not in said
    lines = [line for line in said.splitlines() if line and line != TAIL and not line.startswith("Unable to find")]
    # The message, and perhaps a hint.
    assert 1 <= len(lines) <= 2, said
    for word in words:
        assert word in said, said
    return said


def has(cli: Cli, image: str) -> bool:
    return cli.run("image", "inspect", image).returncode == 0


# Unknown images


@pytest.mark.parametrize(
    "arguments",
    [
        ("rmi", "nosuch:1"),
        ("tag", "nosuch:1", "other:1"),
        ("push", "nosuch:1"),
        ("save", "-o", "/dev/null", "nosuch:1"),
    ],
)
def test_an_unknown_image_is_named(own, arguments):
    refused(own.run(*arguments), 1, "nosuch:1")


def test_an_unknown_image_is_not_run(own):
    refused(own.run("run", "--rm", "--pull", "never", "nosuch:1"), 125, "No such image: nosuch:1")


def test_an_image_that_the_registry_does_not_have(own, registry):
    name = f"{registry}/no/such:1"
    refused(own.run("pull", name), 1, name, "manifest unknown")
    refused(own.run("run", "--rm", "-q", name), 125, name, "manifest unknown")
    assert not has(own, name)


def test_a_malformed_image_name(own):
    refused(own.run("pull", "UPPER:bad:tag"), 1, "invalid reference format")
    refused(own.run("run", "--rm", "UPPER:bad:tag"), 125, "invalid reference format")
    refused(own.run("tag", "busybox", "UPPER"), 1, "invalid reference format")


# Registries that do not answer as they should


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_a_registry_that_is_not_there(own, closed_port):
    name = f"127.0.0.1:{closed_port}/some/image:1"
    own("tag", "busybox", name + "x")
    refused(own.run("pull", name), 1, f"127.0.0.1:{closed_port}", "connection refused")
    refused(own.run("run", "--rm", "-q", name), 125, f"127.0.0.1:{closed_port}", "connection refused")
    refused(own.run("push", name + "x"), 1, f"127.0.0.1:{closed_port}", "connection refused")
    login = ("login", "-u", "a", "--password-stdin", f"127.0.0.1:{closed_port}")
    refused(own.run(*login, input=b"b"), 1, f"127.0.0.1:{closed_port}", "connection refused")


def test_a_registry_whose_name_is_unknown(own):
    refused(own.run("pull", "registry.invalid/some/image:1"), 1, "registry.invalid")


def test_a_registry_that_accepts_and_never_answers(own):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        refused(own.run("pull", f"{address}/some/image:1", timeout_s=40), 1, address, "timeout")


@pytest.fixture
def guarded(own, tmp_path) -> Iterator[str]:
    """A registry that wants a password, with busybox in it."""
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    with serving(own, tmp_path / "registry", "--htpasswd", str(tmp_path / "htpasswd")) as address:
        own("login", "-u", "user", "--password-stdin", address, input=b"right")
        own("tag", "busybox", f"{address}/demo/busybox:1")
        own("push", "-q", f"{address}/demo/busybox:1")
        own("rmi", f"{address}/demo/busybox:1")
        own("logout", address)
        yield address


def test_a_wrong_password(own, guarded):
    name = f"{guarded}/demo/busybox:1"
    refused(own.run("login", "-u", "user", "--password-stdin", guarded, input=b"wrong"), 1, guarded, "Unauthorized")
    refused(own.run("login", "-u", "nobody", "--password-stdin", guarded, input=b"right"), 1, "Unauthorized")
    assert not Path(own.env["DOCKER_CONFIG"], "config.json").exists() or not json.loads(
        Path(own.env["DOCKER_CONFIG"], "config.json").read_text()
    ).get("auths")
    refused(own.run("pull", name), 1, guarded)
    refused(own.run("run", "--rm", "-q", name), 125, guarded)
    assert not has(own, name)


def corrupt(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "cut":
        del data[len(data) // 2 :]
    else:
        data[len(data) // 2] ^= 0x55
    path.write_bytes(data)


def largest_blob(root: Path) -> Path:
    return max((path for path in root.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


@pytest.mark.parametrize("how", ["cut", "flip"])
def test_a_registry_that_serves_other_bytes(own, tmp_path, how):
    with serving(own, tmp_path / "registry") as address:
        name = f"{address}/demo/busybox:1"
        own("tag", "busybox", name)
        own("push", "-q", name)
        own("rmi", "-f", name, "busybox")
        blob = largest_blob(tmp_path / "registry")
        corrupt(blob, how)
        refused(own.run("pull", name), 1, blob.name[:12])
        refused(own.run("run", "--rm", "-q", name), 125, blob.name[:12])
        assert not has(own, name)
        assert not (own.root / "blobs/sha256" / blob.name).exists()


# Archives


def rewritten(archive: Path, target: Path, how: str) -> Path:
    """The archive with its layer cut or flipped, and all else as it was."""
    with tarfile.open(archive) as source, tarfile.open(target, "w") as out:
        manifest = json.loads(source.extractfile("manifest.json").read())  # type: ignore[union-attr]
        for member in source:
            data = source.extractfile(member).read() if member.isfile() else b""  # type: ignore[union-attr]
            if member.name == manifest[0]["Layers"][0]:
                scratch = target.with_suffix(".layer")
                scratch.write_bytes(data)
                corrupt(scratch, how)
                data = scratch.read_bytes()
                member.size = len(data)
            out.addfile(member, io.BytesIO(data))
    return target


@pytest.mark.parametrize("how", ["cut", "flip"])
def test_an_archive_with_a_bad_layer(own, archive, tmp_path, how):
    own("rmi", "-f", "busybox")
    bad = rewritten(archive, tmp_path / "bad.tar", how)
    refused(own.run("load", "-i", str(bad)), 1, str(bad))
    assert own("images", "-aq") == ""


@pytest.mark.parametrize("how", ["cut", "end"])
def test_a_truncated_archive(own, archive, tmp_path, how):
    own("rmi", "-f", "busybox")
    data = archive.read_bytes()
    bad = tmp_path / "bad.tar"
    bad.write_bytes(data[: len(data) // 2 if how == "cut" else 700])
    refused(own.run("load", "-i", str(bad)), 1, str(bad), "archive is truncated")
    refused(own.run("load", input=bad.read_bytes()), 1, "standard input", "archive is truncated")
    assert own("images", "-aq") == ""


@pytest.mark.parametrize("content", [b"", b"not an archive\n", b"\x1f\x8b\x08\x00garbage", bytes(10240)])
def test_what_is_not_an_archive(own, tmp_path, content):
    path = tmp_path / "input"
    path.write_bytes(content)
    refused(own.run("load", "-i", str(path)), 1, str(path))
    refused(own.run("load", input=content), 1, "standard input")


def test_an_archive_that_is_missing(own, tmp_path):
    refused(own.run("load", "-i", str(tmp_path / "missing.tar")), 1, "missing.tar", "no such file")
    refused(own.run("load", "-i", str(tmp_path)), 1, str(tmp_path))


# Builds


@pytest.mark.parametrize(
    ("dockerfile", "words"),
    [
        ("FROM busybox\nBOGUS x\n", ("Dockerfile:2", "BOGUS")),
        ("FROM busybox\nCOPY missing /\n", ("Dockerfile:2", "missing")),
        ("FROM busybox\nRUN echo said && exit 7\n", ("Dockerfile:2", "7")),
        ("FROM busybox\nRUN nosuchprogram\n", ("Dockerfile:2", "127")),
        ("FROM busybox\nUSER nobodyatall\nRUN true\n", ("Dockerfile:3", "nobodyatall")),
        ("", ("Dockerfile",)),
        ("RUN true\n", ("Dockerfile:1",)),
    ],
)
def test_a_bad_dockerfile_is_pointed_at(own, tmp_path, dockerfile, words):
    (tmp_path / "context").mkdir()
    (tmp_path / "context/Dockerfile").write_text(dockerfile)
    done = own.run("build", "-q", "-t", "probe", str(tmp_path / "context"))
    said = done.stderr.decode()
    assert done.returncode == 1, said
    assert "Traceback" not in said
    assert "internal error" not in said
    for word in words:
        assert word in said, said
    assert not has(own, "probe")


def test_a_build_without_its_files(own, tmp_path):
    (tmp_path / "context").mkdir()
    refused(own.run("build", str(tmp_path / "context")), 1, "Dockerfile")
    refused(own.run("build", str(tmp_path / "nowhere")), 1, "nowhere")


# Taken ports and names


def test_a_port_that_another_container_has(own):
    own("run", "-d", "--name", "holder", "-p", "18180:80", "busybox", "sleep", "1000")
    for options in (("--rm",), ("-d", "--name", "second"), ("-d",)):
        refused(own.run("run", *options, "-p", "18180:80", "busybox", "true"), 125, "18180", "already allocated")
        assert own("ps", "-a", "--format", "{{.Names}}") == "holder\n"
    assert own("port", "holder") == "80/tcp -> 0.0.0.0:18180\n"
    own("rm", "-f", "holder")


def test_a_port_that_a_process_of_the_host_has(own):
    with socket.create_server(("0.0.0.0", 18181)):
        for options in (("--rm",), ("-d", "--name", "second")):
            done = own.run("run", *options, "-p", "18181:80", "busybox", "true")
            refused(done, 125, "18181", "address already in use")
            assert own.containers() == []
    own("run", "--rm", "-p", "18181:80", "busybox", "true")


def test_a_taken_name(own):
    holder = own("create", "--name", "taken", "busybox", "true").strip()
    refused(own.run("run", "--rm", "--name", "taken", "busybox", "true"), 125, '"/taken"', holder)
    refused(own.run("create", "--name", "taken", "busybox", "true"), 1, '"/taken"', holder)
    own("create", "--name", "other", "busybox", "true")
    renamed = own.run("rename", "other", "taken")
    assert renamed.returncode == 1
    # As with docker, a second line tells which of the arguments it was.
    assert renamed.stderr.decode().endswith("\nError: failed to rename container named other\n")
    own("rm", "taken", "other")


def test_a_started_container_that_can_not_start_stays_and_says_why(own):
    own("run", "-d", "--name", "holder", "-p", "18182:80", "busybox", "sleep", "1000")
    own("create", "--name", "second", "-p", "18182:80", "busybox", "true")
    started = own.run("start", "second")
    assert started.returncode == 1
    assert "18182" in started.stderr.decode()
    assert "18182" in own("inspect", "-f", "{{.State.Status}} {{.State.Error}}", "second")
    own("rm", "-f", "holder")
    own("start", "-a", "second")
    own("rm", "second")


# Commands that can not be executed


@pytest.mark.parametrize("options", [("--rm",), ("-d",), ()])
def test_a_command_that_is_not_there_or_can_not_be_executed(own, options):
    refused(own.run("run", *options, "busybox", "nosuchprogram"), 127, "nosuchprogram", "not found")
    refused(own.run("run", *options, "busybox", "/etc"), 126, "/etc")
    refused(own.run("run", *options, "busybox", "/etc/passwd"), 126, "/etc/passwd", "permission denied")
    refused(own.run("run", *options, "-w", "/etc/passwd/x", "busybox", "true"), 125, "/etc/passwd/x")
    assert own.containers() == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-v", "relative:/x:bogus"), ("bogus",)),
        (("--mount", "type=bind,src=/nosuchdirectory,dst=/x"), ("/nosuchdirectory",)),
        (("-u", "nobodyatall"), ("nobodyatall",)),
        (("--network", "nosuchnetwork"), ("nosuchnetwork",)),
        (("-m", "1k"), ("memory",)),
        (("--cpus", "100000"), ("CPUs",)),
        (("-p", "notaport"), ("notaport",)),
        (("--cap-add", "NOSUCH"), ("NOSUCH",)),
    ],
)
def test_options_that_can_not_be(own, options, words):
    refused(own.run("run", *options, "busybox", "true"), 125, *words)
    assert own.containers() == []


# State directories that can not be written


@contextmanager
def mounted(target: Path, *arguments: str) -> Iterator[None]:
    target.mkdir(exist_ok=True)
    subprocess.run(["mount", *arguments, str(target)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(target)], check=True)


@pytest.fixture
def small(state: Cli, tmp_path: Path) -> Iterator[Cli]:
    """An engine whose state directory is a tmpfs of 6 MB."""
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=6m", "tmpfs"):
        cli = type(state)(tmp_path / "small/root", tmp_path / "run", {"JUBAKO_KEEPER_IDLE": "1"})
        remains = Remains(cli)
        try:
            yield cli
            assert_blobs_are_whole(cli.root)
            remains.assert_none_of_containers()
        finally:
            (cli.root / "filler").unlink(missing_ok=True)
            remains.assert_none_after_prune()


def fill(directory: Path, leave: int, *, ballast: bool = False) -> Path:
    """Leave this many bytes free, and nothing (or only the `ballast`) that the engine has kept back."""
    if not ballast:
        (directory / "ballast").unlink(missing_ok=True)
    status = os.statvfs(directory)
    path = directory / "filler"
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, status.f_bavail * status.f_frsize - leave))
    return path


def test_no_space_for_an_image(small, archive, tmp_path):
    big = tmp_path / "big"
    big.mkdir()
    (big / "file").write_bytes(os.urandom(12 << 20))
    refused(small.run("load", "-i", str(doubled(archive, big / "file", tmp_path / "big.tar"))), 1, "o space left")
    assert small("images", "-aq") == ""


def doubled(archive: Path, file: Path, target: Path) -> Path:
    """An archive of an image whose one layer is larger than the disk."""
    import hashlib

    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as out:
        out.add(file, "file")
    diff_id = f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}"
    config = json.dumps(
        {
            "architecture": os.uname().machine.replace("x86_64", "amd64").replace("aarch64", "arm64"),
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        }
    ).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["big:1"], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(target, "w") as out:
        for name, data in (("manifest.json", manifest), ("config.json", config), ("layer.tar", layer.getvalue())):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    return target


def test_no_space_for_a_pull(state, small, archive, registry, tmp_path):
    big = tmp_path / "file"
    big.write_bytes(os.urandom(12 << 20))
    state("load", "-i", str(doubled(archive, big, tmp_path / "big.tar")))
    name = f"{registry}/demo/big:1"
    state("tag", "big:1", name)
    state("push", "-q", name)
    state("rmi", "-f", name, "big:1")
    refused(small.run("pull", "-q", name), 1, "o space left")
    refused(small.run("run", "--rm", "-q", name, "true"), 125, "o space left")
    assert small("images", "-aq") == ""


def test_no_space_for_a_build(small, archive, tmp_path):
    small("load", "-i", str(archive))
    (tmp_path / "context").mkdir()
    (tmp_path / "context/file").write_bytes(os.urandom(8 << 20))
    (tmp_path / "context/Dockerfile").write_text("FROM busybox\nCOPY file /\n")
    done = small.run("build", "-q", "-t", "probe", str(tmp_path / "context"))
    assert done.returncode == 1
    assert "o space left" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert not has(small, "probe")


@pytest.mark.parametrize("leave", [0, 4096, 16 << 10, 64 << 10])
def test_no_space_for_a_container(small, archive, leave):
    """With nothing kept back: what can not even be deleted for want of space is a container that never started."""
    small("load", "-i", str(archive))
    for options in (("--rm",), ("-d", "--name", "probe"), ("--rm", "-v", "/data"), ("--rm", "-p", "18183:80")):
        filler = fill(small.root, leave)
        done = small.run("run", *options, "busybox", "sleep", "0.1")
        if done.returncode:
            refused(done, 125, "o space left")
        small.run("rm", "-f", "-v", "probe")
        filler.unlink()
        small("container", "prune", "-f")
        # One that ran, and whose end could not be recorded, is finished by its monitor now.
        deadline = time.monotonic() + 10
        while small.containers() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert small.containers() == []
    assert small("run", "--rm", "--network", "none", "busybox", "echo", "works") == "works\n"


def test_a_container_that_fills_the_disk(small, archive):
    small("load", "-i", str(archive))
    done = small.run("run", "--rm", "--network", "none", "busybox", "dd", "if=/dev/zero", "of=/big", "bs=64k")
    assert done.returncode == 1
    assert "No space left on device" in done.stderr.decode()
    assert small.containers() == []


def test_a_container_can_be_stopped_and_removed_on_a_full_disk(small, archive):
    small("load", "-i", str(archive))
    small("run", "-d", "--name", "probe", "busybox", "sleep", "1000")
    filler = fill(small.root, 0, ballast=True)
    small("stop", "-t", "0", "probe")
    small("rm", "-v", "probe")
    assert small.containers() == []
    filler.unlink()


def test_a_state_directory_that_is_read_only(own, archive, tmp_path):
    (tmp_path / "context").mkdir()
    (tmp_path / "context/Dockerfile").write_text("FROM busybox\nRUN true > /x\n")
    with mounted(own.root, "--bind", str(own.root)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(own.root)], check=True)
        for code, arguments in (
            (125, ("run", "--rm", "busybox", "true")),
            (1, ("create", "busybox", "true")),
            (1, ("load", "-i", str(archive))),
            (1, ("tag", "busybox", "other")),
            (1, ("rmi", "busybox")),
            (1, ("volume", "create")),
        ):
            refused(own.run(*arguments), code, str(own.root), "ead-only")
        done = own.run("build", "-q", str(tmp_path / "context"))
        assert done.returncode == 1
        assert "ead-only" in done.stderr.decode()


def test_a_state_directory_that_can_not_be_made(state, tmp_path):
    (tmp_path / "file").write_text("")
    cli = type(state)(tmp_path / "file/root", tmp_path / "file/run", {"JUBAKO_KEEPER": "0"})
    refused(cli.run("ps"), 1, str(tmp_path / "file"))
    refused(cli.run("run", "--rm", "busybox"), 125, str(tmp_path / "file"))


# Other users


@pytest.fixture
def reachable(own, tmp_path) -> Path:
    """A way to the command and to the state directory that an ordinary user may go: only the last step is barred."""
    for directory in (tmp_path, *tmp_path.parents):
        if directory.stat().st_mode & 0o1000:
            break
        directory.chmod(0o755)
    interpreter = Path(sys.executable).resolve()
    if not all(directory.stat().st_mode & 0o001 for directory in interpreter.parents):
        pytest.skip(f"ordinary users may not execute {interpreter}")
    return tmp_path


@pytest.mark.parametrize("root_mode", [0o700, 0o755])
def test_another_users_state_directory(own, reachable, root_mode):
    own.root.chmod(root_mode)
    own("run", "-d", "--name", "victim", "busybox", "sleep", "1000")
    home = reachable / "home"
    home.mkdir()
    shutil.chown(home, 65534, 65534)
    theirs = type(own)(own.root, home / "run")
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    for code, arguments in (
        (1, ("ps",)),
        (125, ("run", "--rm", "busybox", "true")),
        (1, ("pull", "busybox")),
        (1, ("rm", "-f", "victim")),
        (1, ("system", "prune", "-f")),
    ):
        for keeper in ("0", ""):
            done = subprocess.run(
                [*as_nobody, *theirs.argv, *arguments],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                env={**own.env, "HOME": str(home), "JUBAKO_KEEPER": keeper},
            )
            refused(done, code, str(own.root))
    assert own("ps", "--format", "{{.Names}}") == "victim\n"
    own("rm", "-f", "victim")


@pytest.mark.parametrize(
    "words", [("busybox", "echo", b"a\xff"), ("-e", b"A=\xff", "busybox"), ("-l", b"\xff", "busybox")]
)
def test_bytes_that_are_no_text_are_refused_by_name(own: Cli, words: tuple[str, ...]) -> None:
    refused(own.run("run", "--network", "none", *words), 125, r"\xff", "is not valid UTF-8")
    refused(own.run("inspect", b"\xff"), 1, r"\xff")  # type: ignore[arg-type]


def test_an_id_that_can_not_be_written_is_refused_before_there_is_a_container(own: Cli, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "none" / "id")
    refused(own.run("create", "--cidfile", nowhere, "busybox", "true"), 1, f"open {nowhere}: no such file or directory")
    refused(own.run("create", "--cidfile", str(tmp_path / "id"), "--cpus", "9999", "busybox"), 1, "Range of CPUs")
    assert not (tmp_path / "id").exists()
    own("create", "--cidfile", str(tmp_path / "id"), "busybox", "true")
    assert own.containers() == [(tmp_path / "id").read_text()[:12]]
    own("rm", (tmp_path / "id").read_text())


def test_another_platform_than_was_asked_for_is_not_run(own: Cli) -> None:
    refused(own.run("run", "--rm", "--pull", "never", "--platform", "linux/s390x", "busybox"), 125, "linux/s390x")
    own("run", "--rm", "--network", "none", "--platform", "linux", "busybox", "true")
