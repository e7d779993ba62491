"""The same Dockerfile built by `jubako build` and by docker's BuildKit gives the same files and configuration."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.conftest import Cli

from .conftest import Peer

pytestmark = [pytest.mark.root, pytest.mark.clients]

CASES = {
    "whole context": "COPY . /all",
    "directories": "COPY d /new\nCOPY d /new2/\nCOPY d /tmp\nCOPY d/ /tmp2/x/",
    "files": "COPY a.txt /x/y/z\nCOPY b.txt /x/y/\nCOPY exec.sh /tmp\nCOPY a.txt b.txt /m/",
    "relative": "WORKDIR /w\nCOPY a.txt .\nCOPY b.txt ./\nCOPY d sub\nCOPY a.txt ../up.txt\nCOPY a.txt sub2/",
    "wildcards": "COPY *.txt /w/\nCOPY d/* /d/\nCOPY [ab].txt /ab/\nCOPY *k /links/\nCOPY zz* /none/\nCOPY a*.txt /one",
    "links": "COPY lnk /l1\nCOPY lnk /l/\nCOPY dlnk /dl\nCOPY dlnk /dl2/",
    "owners": "COPY --chown=7 a.txt /c/d/1\nCOPY --chown=5:6 d /f/\nCOPY --chown=root:9 a.txt /g",
    "modes": "COPY --chmod=640 a.txt /a\nCOPY --chmod=711 d /d",
    "destination links": (
        "RUN mkdir -p /r/s && ln -s /r /abs && ln -s r/s /rel && ln -s /nowhere/x /dang && ln -s /r/f /pl\n"
        "COPY a.txt /abs/\nCOPY d /rel\nCOPY a.txt /dang/\nCOPY b.txt /pl"
    ),
    "merging": "RUN mkdir -p /q/sub && chmod 777 /q /q/sub && chown 3:3 /q /q/sub && touch /q/one\nCOPY d /q",
    "archives": "ADD arch.tgz /to\nADD arch.tgz /to2/\nADD --chown=5:6 arch.tgz /to3\nADD a.txt /to4",
    "environment": (
        "ENV A=1 B=\"x y\" C='q $A' D=a\\ b E=${A:-z} F=${Z:-z}\nENV A=2 G=$A\nENV old form $A\n"
        "ENV H=${G:+set} I=${Z:+set}\nRUN env | sort >/env"
    ),
    "arguments": "ARG G=g\nARG H=$G-x I\nENV J=$G-$H-$I\nENV G=env\nARG J=later\nENV K=$J\nRUN env | sort >/env",
    "configuration": (
        'LABEL a=1 "b c"="d e" f=g\\ h\nEXPOSE 80 90/udp 100-102\nVOLUME /v1 /v2\nVOLUME ["/v3"]\nUSER 7:8\n'
        'WORKDIR /tmp\nCMD echo $HOME\nENTRYPOINT ["a", "b c"]\nSTOPSIGNAL SIGTERM\n'
        'HEALTHCHECK --interval=5s --timeout=3s --retries=3 CMD ["x"]\nSHELL ["/bin/sh", "-ec"]\nONBUILD RUN echo x'
    ),
    "command forms": "CMD [\"a\", 'b']\nENTRYPOINT exec x",
    "entrypoint alone": 'ENTRYPOINT ["x"]',
    "stages": (
        "WORKDIR /one\nRUN echo 1 >f && chown 9:9 f && ln f g\nFROM busybox AS two\nCOPY --from=0 /one /o\n"
        "COPY --from=0 --chown=7:7 /one/f /m/\nCOPY --from=0 /one/* /w/\nFROM two\nRUN ls /o >/list"
    ),
    "deletions": "COPY d /d\nRUN rm -r /d && mkdir /d && touch -d '2001-01-01' /d/new && rm /etc/group",
    "special files": "RUN mkfifo /fifo && mkdir /s && chmod 2755 /s && mknod /null c 1 3",
    "lists": 'COPY ["sp ace.txt", "/j/"]\nADD ["a.txt", "b.txt", "/k/"]',
    "variables": "ARG S=a.txt D=/v\nCOPY $S $D/\nWORKDIR ${D}\nUSER ${U:-root}\nEXPOSE ${P:-81}\nLABEL l=$S",
    "continuations": 'RUN echo "a\\\n  b" \\\n# comment\n\n >/g\nENV X="a \\\n   b"',
    "user's directory": "USER 5:6\nWORKDIR /u/v\nWORKDIR w\nRUN touch f",
}
# What is given on the command line: the Dockerfile, and the options of both.
GIVEN = {
    "secrets": (
        "RUN --mount=type=secret,id=s (cat /run/secrets/s; stat -c '%a %u %g %F' /run/secrets/s) >/1\n"
        "RUN --mount=type=secret,id=s,target=/t/x,mode=0444,uid=3,gid=4 (cat /t/x; stat -c '%a %u %g' /t/x) >/2\n"
        "RUN --mount=type=secret,id=none test ! -e /run/secrets/none",
        ["--secret", "id=s,src={0}/a.txt"],
    ),
    "agents": (
        "RUN --mount=type=ssh (echo $SSH_AUTH_SOCK; stat -c '%a %u %g %F' $SSH_AUTH_SOCK) >/1\n"
        "RUN --mount=type=ssh,id=two,target=/t/x,mode=0666,uid=3 --mount=type=ssh"
        " (echo $SSH_AUTH_SOCK; stat -c '%n %a %u %g' /t/x /run/buildkit/*) >/2\n"
        "ENV SSH_AUTH_SOCK=/mine\nRUN --mount=type=ssh echo $SSH_AUTH_SOCK >/3",
        ["--ssh", "default={0}/key", "--ssh", "two={0}/key"],
    ),
    "hosts": ("RUN grep -E 'one|two' /etc/hosts >/1", ["--add-host", "one:10.0.0.1", "--add-host", "two:fd00::2"]),
    "arguments of the environment": (
        "ARG HOME=x\nARG NOT_SET=y\nRUN env | sort >/1",
        ["--build-arg", "HOME", "--build-arg", "NOT_SET"],
    ),
}
REFUSED = {
    "missing file": "COPY nothing /",
    "ignored file": "COPY node_modules /n",
    "link out of the context": "COPY abs /x",
    "directory over file": "RUN mkdir -p /q && touch /q/sub\nCOPY d /q",
    "directory over link": "RUN mkdir -p /q /r && ln -s /r /q/sub\nCOPY d /q",
    "below a file": "COPY a.txt /etc/passwd/x",
    "required secret": "RUN --mount=type=secret,id=none,required true",
    "required agent": "RUN --mount=type=ssh,required true",
    "privileges": "RUN --security=insecure true",
    "the host's network": "RUN --network=host true",
}


def fill(context: Path) -> None:
    for name, text, mode in (
        ("a.txt", "A", 0o644),
        ("b.txt", "B", 0o600),
        ("exec.sh", "#!/bin/sh", 0o4755),
        ("d/one", "1", 0o644),
        ("d/sub/two", "2", 0o640),
        ("node_modules/x/y", "", 0o644),
        ("logs/a.log", "", 0o644),
        ("logs/keep.log", "", 0o644),
        ("docs/README.md", "", 0o644),
        ("docs/x.md", "", 0o644),
        ("sp ace.txt", "", 0o644),
    ):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(text)
        (context / name).chmod(mode)
    for name, target in (
        ("lnk", "a.txt"),
        ("dlnk", "d"),
        ("abs", "/etc/passwd"),
        ("dangling", "no"),
        ("d/up", "../a.txt"),
    ):
        os.symlink(target, context / name)
    (context / "d/sub").chmod(0o750)
    (context / "empty").mkdir(mode=0o700)
    (context / ".dockerignore").write_text(
        "node_modules\nlogs/*\n!logs/keep.log\n**/*.md\n!docs/README.md\nDockerfile\n"
    )
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name in ("t/top", "t/dir/in"):
            member = tarfile.TarInfo(name)
            member.size, member.uid, member.gid, member.mode = 2, 77, 78, 0o640
            archive.addfile(member, io.BytesIO(b"ok"))
    (context / "arch.tgz").write_bytes(data.getvalue())
    for directory, names, files in os.walk(context):
        for name in [*names, *files]:
            os.utime(Path(directory) / name, (1_500_000_000, 1_500_000_000), follow_symlinks=False)


def buildkit(docker: Peer, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """docker's own builder: the client that comes with the daemon has it without a plugin."""
    argv = ["/usr/bin/docker", *docker.argv[1:], "build", "--network=none", *arguments]
    return subprocess.run(argv, capture_output=True, env={**os.environ, "DOCKER_BUILDKIT": "1"}, timeout=180)


def files(docker: Peer, image: str) -> dict[str, tuple[object, ...]]:
    container = docker("create", image, "x").strip()
    try:
        data = docker.run("export", container).stdout
    finally:
        docker("rm", container)
    found: dict[str, tuple[object, ...]] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            name = member.name.strip("./")
            if name.startswith(("bin/", "dev", "proc", "sys", ".dockerenv", "dockerenv")) or name in OWN:
                continue
            stream = archive.extractfile(member) if member.isreg() else None
            content = hashlib.sha256(stream.read()).hexdigest() if stream else ""
            kept = member.mtime if not member.isdir() and member.mtime <= 1_500_000_000 else 0
            found[name] = (member.type, oct(member.mode), member.uid, member.gid, member.linkname, content, kept)
    return found


OWN = frozenset({"etc", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab", ""})
# This BuildKit leaves empty directories where it had mounted; newer ones do not, nor do we.
MOUNT_POINTS = ("run/secrets", "run/buildkit", "t")
KEYS = (
    "Env",
    "Cmd",
    "Entrypoint",
    "User",
    "ExposedPorts",
    "Volumes",
    "Labels",
    "StopSignal",
    "Healthcheck",
    "Shell",
    "OnBuild",
)


def configuration(docker: Peer, image: str) -> dict[str, object]:
    config = json.loads(docker("image", "inspect", image))[0]["Config"]
    return {**{key: config.get(key) or None for key in KEYS}, "WorkingDir": config["WorkingDir"] or "/"}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    path = tmp_path / "context"
    path.mkdir()
    fill(path)
    return path


@pytest.mark.parametrize("name", CASES)
def test_build_gives_what_docker_gives(jubako: Cli, docker: Peer, context: Path, tmp_path: Path, name: str) -> None:
    compare(jubako, docker, context, tmp_path, CASES[name])


@pytest.mark.parametrize("name", GIVEN)
def test_commands_are_given_what_docker_gives(
    jubako: Cli, docker: Peer, context: Path, tmp_path: Path, name: str
) -> None:
    dockerfile, options = GIVEN[name]
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", context / "key"], check=True)
    compare(jubako, docker, context, tmp_path, dockerfile, *(option.format(context) for option in options))


def compare(jubako: Cli, docker: Peer, context: Path, tmp_path: Path, dockerfile: str, *options: str) -> None:
    """Build with both, and look at what came of it."""
    (context / "Dockerfile").write_text(f"FROM busybox\n{dockerfile}\n")
    theirs = buildkit(docker, "-q", "-t", "theirs", *options, str(context))
    if b"buildx" in theirs.stderr:
        pytest.skip("this docker has no BuildKit of its own")
    assert theirs.returncode == 0, theirs.stderr.decode()
    jubako("build", "-q", "--network", "none", "-t", "ours", *options, str(context))
    jubako("save", "-o", str(tmp_path / "ours.tar"), "ours")
    docker("load", "-i", str(tmp_path / "ours.tar"))
    try:
        assert files(docker, "ours") == {n: f for n, f in files(docker, "theirs").items() if n not in MOUNT_POINTS}
        assert configuration(docker, "ours") == configuration(docker, "theirs")
    finally:
        docker("rmi", "-f", "ours", "theirs")
        jubako("rmi", "ours")


@pytest.mark.parametrize("name", REFUSED)
def test_what_docker_refuses_is_refused(jubako: Cli, docker: Peer, context: Path, name: str) -> None:
    (context / "Dockerfile").write_text(f"FROM busybox\n{REFUSED[name]}\n")
    theirs = buildkit(docker, "-q", str(context))
    if b"buildx" in theirs.stderr:
        pytest.skip("this docker has no BuildKit of its own")
    done = jubako.run("build", "-q", "--network", "none", str(context))
    assert (theirs.returncode != 0, done.returncode) == (True, 1)
    last = REFUSED[name].count("\n") + 2
    assert f"Dockerfile:{last}:1: " in done.stderr.decode()
