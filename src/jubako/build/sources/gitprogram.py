"""The `git` program, run in an environment of our own, towards one remote that was judged."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from jubako.build.graph.vertex import Task
from jubako.build.sources.address import resolve
from jubako.build.sources.connect import port_of
from jubako.build.sources.giturl import Repository
from jubako.build.sources.login import ANONYMOUS, Login
from jubako.build.sources.url import opened, shown
from jubako.errors import FailedPrecondition, InvalidArgument, Unavailable

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_PASSED = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", *_PROXIES)
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "credential.helper=",
    "protocol.ext.allow=never",
    "protocol.file.allow=never",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
    "gc.auto=0",
    "advice.detachedHead=false",
    "init.defaultBranch=main",
)
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=30"
_NO_KEYS = " -F /dev/null -o IdentityFile=none"
_NO_AGENT = " -o IdentityAgent=none"
_NO_HOME = "/nonexistent"
_PORTS = {"git": 9418, "ssh": 22}
_SERVICE = "/info/refs?service=git-upload-pack"
_ERROR_CHARS = 2000


class Git:
    """`url` is where git connects, `shown` what messages and a kept `.git` say."""

    def __init__(self, repository: Repository, task: Task, login: Login = ANONYMOUS) -> None:
        self.work: Path | None = None
        self._task = task
        self._settings = list(_SETTINGS)
        self._environment = _environment(repository, login)
        self._login = login
        self.shown = shown(repository.url)
        self.url = self._judged(repository)

    def run(self, *arguments: str) -> str:
        """What the command printed. Raises Unavailable with what it said when it fails, FailedPrecondition."""
        settings = [word for setting in self._settings for word in ("-c", setting)]
        place = ["-C", str(self.work)] if self.work else []
        self._task.check()
        # No pipes: git's helpers would have their ends, and may wait for a remote that says nothing.
        with open(os.memfd_create("out"), "rb") as out, open(os.memfd_create("errors"), "rb") as errors:
            status = self._perform(["git", *place, *settings, *arguments], out, errors)
            self._task.check()
            out.seek(0)
            errors.seek(0)
            if status:
                said = errors.read().decode("utf-8", "replace").replace(self.url, self.shown).strip()[-_ERROR_CHARS:]
                raise Unavailable(f"git {arguments[0]} of {self.shown} failed: {said or f'status {status}'}")
            return out.read().decode("utf-8", "surrogateescape")

    def _perform(self, command: list[str], out: BinaryIO, errors: BinaryIO) -> int:
        """Run it to its end, with which its helpers end too."""
        try:
            process = subprocess.Popen(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise FailedPrecondition("git sources need the program git", hint="install git") from None
        try:
            # Not waited for inside: until then its number is its own.
            with self._task.on_cancel(lambda: _kill(process)):
                os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        finally:  # An interrupt from the terminal does not reach a session of its own.
            _kill(process)
            process.wait()
        return process.returncode

    def _judged(self, repository: Repository) -> str:
        """Where the repository really is; git is kept from going anywhere else."""
        if repository.scheme in ("http", "https"):
            return self._judged_http(repository.url)
        parts = urlsplit(repository.url if "://" in repository.url else f"ssh://{repository.url.partition(':')[0]}")
        try:
            port = parts.port or _PORTS[parts.scheme]
        except ValueError as error:
            raise InvalidArgument(f"bad port in {self.shown}") from error
        target = resolve(parts.hostname or "", port)
        if repository.scheme != "git":
            return repository.url
        host = f"[{target.address}]" if ":" in target.address else target.address
        return parts._replace(netloc=f"{host}:{port}").geturl()

    def _judged_http(self, url: str) -> str:
        headers = {"Git-Protocol": "version=2", **self._login.headers(url)}
        with opened(url.rstrip("/") + _SERVICE, headers, self._task) as (_, final):
            pass
        path, found, _ = final.partition("/info/refs")
        if not found:
            raise Unavailable(f"{self.shown} redirects to {shown(final)}, which is no repository")
        parts = urlsplit(path)
        if "https_proxy" not in (name.lower() for name in os.environ):
            target = resolve(parts.hostname or "", port_of(parts))
            self._settings.append(f"http.curloptResolve={parts.hostname}:{port_of(parts)}:{target.address}")
        return path


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The process, which was not waited for yet, and all of its session."""
    os.killpg(process.pid, signal.SIGKILL)


def _environment(repository: Repository, login: Login) -> dict[str, str]:
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {
        **passed,
        **_ssh(repository, login),
        **_header(login),
        "HOME": _NO_HOME,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_ALLOW_PROTOCOL": "http:https:git:ssh",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
    }


def _ssh(repository: Repository, login: Login) -> dict[str, str]:
    """The build's agent, or else the caller's keys and agent where they may be used."""
    agent = login.agent_socket or (os.environ.get("SSH_AUTH_SOCK", "") if repository.own_keys else "")
    command = _SSH if repository.own_keys else _SSH + _NO_KEYS
    return {"SSH_AUTH_SOCK": agent, "GIT_SSH_COMMAND": command} if agent else {"GIT_SSH_COMMAND": command + _NO_AGENT}


def _header(login: Login) -> dict[str, str]:
    """In the environment, which others do not see, as they would a command line."""
    if not login.authorization:
        return {}
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{login.origin}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: {login.authorization}",
    }
