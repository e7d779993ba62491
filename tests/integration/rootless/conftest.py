"""An ordinary user with the installed command, a home and a runtime directory; and a way out of the test's network."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from tests.waiting import until

from ... import ordinary

COMMAND = str(Path(sys.executable).parent / "jubako")
RANGES = f"{ordinary.UID}:700000:65536\n"
KNOWN = f"{ordinary.NAME}:x:{ordinary.UID}:{ordinary.UID}::/:/bin/sh\n"
BUSYBOX = next(path for path in ("/bin/busybox", "/usr/bin/busybox") if os.path.exists(path))
HEAD = "FROM scratch\nCOPY busybox /bin/sh\nENV PATH=/bin\nRUN /bin/sh --install -s /bin\n"
OUTSIDE, HERE, PORT = "10.99.0.1", "10.99.0.2", 8000


class User:
    """Its commands run cold, where a test does not ask for the keeper. `etc` are files as its commands see them."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.home, self.runtime, self.context = base / "home", base / "runtime", base / "context"
        self.etc = {"subuid": RANGES, "subgid": RANGES, "passwd": Path("/etc/passwd").read_text() + KNOWN}
        for path in (self.home, self.runtime, self.context):
            path.mkdir(mode=0o700)
            os.chown(path, ordinary.UID, ordinary.UID)
        self.env = {
            **os.environ,
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "JUBAKO_KEEPER": "0",
            "JUBAKO_KEEPER_IDLE": "5",
            "PATH": f"{Path(COMMAND).parent}:{os.environ['PATH']}",
        }

    def file(self, name: str, content: str | bytes, mode: int = 0o644) -> None:
        """One of the context, which is the user's own."""
        path = self.context / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        os.chown(path, ordinary.UID, ordinary.UID)

    def dockerfile(self, text: str) -> None:
        self.file("busybox", Path(BUSYBOX).read_bytes(), 0o755)
        self.file("Dockerfile", text)

    def argv(self, *arguments: str) -> list[str]:
        return ordinary.command([COMMAND, *arguments], self.etc, base=self.base)

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Output and messages together, whatever the exit code."""
        return self.finished(self.argv(*arguments), env)

    def shell(self, script: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Several commands, in one mount namespace as in one session."""
        return self.finished(ordinary.command(["sh", "-c", script], self.etc, base=self.base), env)

    def finished(self, argv: list[str], env: Mapping[str, str] | None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
            env={**self.env, **(env or {})},
        )

    def __call__(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        done = self.run(*arguments, env=env)
        assert done.returncode == 0, f"jubako {shlex.join(arguments)}\n{done.stdout}"
        return done.stdout

    def build(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        return self("build", "--network", "none", *arguments, str(self.context), env=env)


@pytest.fixture
def user() -> Iterator[User]:
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o711)
        made = User(Path(path))
        yield made
        made.run("system", "prune", "-af", "--volumes")  # files of its other ids are its own to remove
        shutil.rmtree(made.home, ignore_errors=True)


@pytest.fixture
def tun() -> Iterator[None]:
    """/dev/net/tun as any distribution has it: everybody may open it, and a namespace decides what it may do."""
    path = Path("/dev/net/tun")
    before = path.stat().st_mode
    path.chmod(0o666)
    yield
    path.chmod(before & 0o777)


@pytest.fixture
def outside(tun: None, tmp_path: Path) -> Iterator[str]:
    """A web server beyond the default route of the test's network; the address to ask."""
    (tmp_path / "answer").write_text("from outside\n")
    # This server's namespace is the other side: with it the pair of links goes.
    serve = [sys.executable, "-m", "http.server", str(PORT), "--bind", "0.0.0.0", "--directory", str(tmp_path)]
    with subprocess.Popen(["unshare", "--net", *serve], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            until(lambda: _netns(server.pid) != _netns(os.getpid()), "no namespace")
            _link(server.pid)
            yield f"http://{OUTSIDE}:{PORT}/answer"
        finally:
            server.kill()
            _ip("link", "delete", "way-out", check=False)


def _link(pid: int) -> None:
    _ip("link", "add", "way-out", "type", "veth", "peer", "name", "way-in", "netns", str(pid))
    _ip("address", "add", f"{HERE}/24", "dev", "way-out")
    _ip("link", "set", "way-out", "up")
    _ip("route", "add", "default", "via", OUTSIDE)
    there = ["nsenter", "--net", f"--target={pid}", "ip"]
    for arguments in (["address", "add", f"{OUTSIDE}/24", "dev", "way-in"], ["link", "set", "way-in", "up"]):
        subprocess.run([*there, *arguments], check=True)


def _ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=not check)


def _netns(pid: int) -> str:
    with suppress(OSError):
        return os.readlink(f"/proc/{pid}/ns/net")
    return ""


def processes(user: User, name: str) -> list[int]:
    """Those that are called so, and were told of something in the user's directory."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            first, *rest = (directory / "cmdline").read_text(errors="replace").split("\0")
            if Path(first).name.startswith(name) and any(str(user.base) in word for word in rest):
                found.append(int(directory.name))
    return found
