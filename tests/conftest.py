"""What tests share: the installed `jubako` command on a state directory of the test run's own, with a busybox image."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long it takes to make an example says how busy the machine is. In CI the examples are the same each time, so that
# a landing is judged by what it changes; elsewhere every run looks for new ones.
settings.register_profile(
    "jubako", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("jubako")

COMMAND = Path(sys.executable).parent / "jubako"


class Cli:
    """Calls the command as a user would. `env` entries are added to the test's environment."""

    def __init__(self, root: Path, run_root: Path, env: Mapping[str, str] | None = None) -> None:
        self.root, self.run_root = root, run_root
        self.env = {"JUBAKO_KEEPER_IDLE": "5", **os.environ, **(env or {})}
        self.argv = [str(COMMAND), "--root", str(root), "--run-root", str(run_root)]

    def run(
        self, *arguments: str, input: bytes | None = None, timeout_s: float = 120, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """The finished process, whatever its exit code."""
        stdin = {"input": input} if input is not None else {"stdin": subprocess.DEVNULL}
        return subprocess.run(
            [*self.argv, *arguments], capture_output=True, timeout=timeout_s, env={**self.env, **(env or {})}, **stdin
        )  # type: ignore[call-overload,no-any-return]

    def __call__(self, *arguments: str, input: bytes | None = None, timeout_s: float = 120) -> str:
        """Standard output; an exit code other than 0 fails the test with what was printed."""
        done = self.run(*arguments, input=input, timeout_s=timeout_s)
        assert done.returncode == 0, f"jubako {' '.join(arguments)}: {done.returncode}\n{done.stderr.decode()}"
        return done.stdout.decode()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A running process with pipes."""
        return subprocess.Popen(
            [*self.argv, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.env,
            start_new_session=True,
        )

    def containers(self) -> list[str]:
        return self("ps", "-aq").split()


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """One engine for the whole run, with busybox in it; pruned at the end."""
    base = tmp_path_factory.mktemp("jubako")
    cli = Cli(base / "root", base / "run")
    cli("image", "bootstrap", "busybox")
    yield cli
    cli("system", "prune", "-a", "-f", "--volumes")


@pytest.fixture
def jubako(state: Cli) -> Iterator[Cli]:
    """The shared engine; the test's containers are removed after it."""
    yield state
    left = state.containers()
    if left:
        state("rm", "-f", "-v", *left)


@contextmanager
def serving(cli: Cli, root: Path, *options: str) -> Iterator[str]:
    """A registry of our own on loopback; lends its ADDRESS:PORT. It must end well when it is told to."""
    server = subprocess.Popen(
        [*cli.argv, "registry", "serve", "--listen", "127.0.0.1:0", "--root", str(root), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=cli.env,
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().decode().strip().rpartition("//")[2]
    finally:
        server.terminate()
        status = server.wait(20)
        server.stdout.close()
    assert status == 0


@pytest.fixture
def registry(state: Cli, tmp_path: Path) -> Iterator[str]:
    with serving(state, tmp_path / "registry") as address:
        yield address
