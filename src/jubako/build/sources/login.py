"""How private repositories are reached: an ssh agent, or a header for the repository's own host.

The secrets are `GIT_AUTH_TOKEN` and `GIT_AUTH_HEADER`, or the same with `.HOST` behind, which come first; the agent is
the one that `--ssh` calls `default`. Neither is in a command line, a key, a `.git` that is kept, or a message.
Spec: Docker's "Build context", "Private repositories"; Dockerfile reference, "ADD <private git repository>".
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from jubako.build.sources.giturl import Repository

if TYPE_CHECKING:
    from jubako.build.ssh.agents import Agent

_AGENT = "default"


class Login(msgspec.Struct, frozen=True):
    """`authorization` is a header's value for `origin` alone, `agent_socket` is for SSH_AUTH_SOCK; "" for none."""

    origin: str = ""
    authorization: str = ""
    agent_socket: str = ""

    def headers(self, url: str) -> dict[str, str]:
        """What a request to `url` carries."""
        return {"Authorization": self.authorization} if self.authorization and origin(url) == self.origin else {}


ANONYMOUS = Login()


class Access(msgspec.Struct, frozen=True):
    """What a build was told about repositories."""

    secrets: Mapping[str, bytes] = {}
    agents: Mapping[str, Agent] = {}

    @contextmanager
    def login(self, repository: Repository, directory: Path) -> Iterator[Login]:
        """Lend what `repository` is reached with; `directory` is for the agent's socket."""
        if repository.scheme in ("http", "https"):
            yield Login(origin=origin(repository.url), authorization=self._authorization(repository.url))
        elif repository.scheme == "ssh" and _AGENT in self.agents:
            with _forwarded(self.agents[_AGENT], directory) as path:
                yield Login(agent_socket=path)
        else:
            yield ANONYMOUS

    def _authorization(self, url: str) -> str:
        for suffix in (f".{urlsplit(url).netloc.rpartition('@')[2]}", ""):
            if header := self.secrets.get(f"GIT_AUTH_HEADER{suffix}"):
                return header.decode("latin-1").strip()
            if token := self.secrets.get(f"GIT_AUTH_TOKEN{suffix}"):
                return "basic " + base64.b64encode(b"x-access-token:" + token.strip()).decode()
        return ""


NO_ACCESS = Access()


def origin(url: str) -> str:
    """Scheme, host and port of an http URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


@contextmanager
def _forwarded(agent: Agent, directory: Path) -> Iterator[str]:
    """A socket's path that is short enough for ssh, wherever `directory` is."""
    from jubako.build.ssh.forward import forwarded

    fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with forwarded(agent, directory / "agent", uid=os.geteuid(), gid=os.getegid(), mode=0o600):
            yield f"/proc/{os.getpid()}/fd/{fd}/agent"
    finally:
        os.close(fd)
