"""Credential helpers: programs called docker-credential-NAME that keep secrets for others.

Spec:  github.com/docker/docker-credential-helpers: get, store and erase, with JSON on standard input and output.
"""

from __future__ import annotations

import re
import subprocess

import msgspec

from jubako.errors import InvalidArgument, Unavailable
from jubako.image.manifest import MALFORMED
from jubako.spec import decoding

TOKEN_USER = "<token>"
_TIMEOUT_S = 30.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
# All helpers say it with these words, on standard output, with exit code 1.
_NOT_FOUND = "credentials not found"


class _Answer(msgspec.Struct, rename="pascal"):
    username: str
    secret: str


class _Entry(msgspec.Struct, rename="pascal"):
    server_u_r_l: str = msgspec.field(name="ServerURL")
    username: str
    secret: str


def get(name: str, server: str) -> tuple[str, str] | None:
    """Return user and secret, or None when the helper has nothing for the server."""
    output = _call(name, "get", server.encode())
    if output is None:
        return None
    try:
        answer = decoding.decode(output, _Answer)
    except MALFORMED as error:
        raise Unavailable(f"the credential helper {name!r} answered nonsense: {error}") from error
    return answer.username, answer.secret


def store(name: str, server: str, user: str, secret: str) -> None:
    _call(name, "store", msgspec.json.encode(_Entry(server, user, secret)))


def erase(name: str, server: str) -> bool:
    return _call(name, "erase", server.encode()) is not None


def _call(name: str, action: str, message: bytes) -> bytes | None:
    if not _NAME.fullmatch(name):
        raise InvalidArgument(f"invalid name of a credential helper: {name[:100]!r}")
    program = f"docker-credential-{name}"
    try:
        done = subprocess.run([program, action], input=message, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except FileNotFoundError:
        raise Unavailable(
            f"the credential helper {program} is not installed",
            hint="install it, or remove it from credsStore and credHelpers in ~/.docker/config.json",
        ) from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the credential helper {program} did not answer within {_TIMEOUT_S:.0f} seconds") from None
    if done.returncode == 0:
        return done.stdout
    said = (done.stdout + done.stderr).decode(errors="replace").strip()
    if _NOT_FOUND in said:
        return None
    raise Unavailable(f"the credential helper {program} failed: {said[:500]}")
