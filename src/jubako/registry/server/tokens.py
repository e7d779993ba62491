"""Short-lived bearer tokens: JSON Web Tokens signed with an HMAC that only this registry knows.

Layout:  ROOT/token.key    32 random bytes, 0600, made on first use; all processes of one registry share it.
Spec:    RFC 7519, HS256 (RFC 7515); Docker's token authentication for the `access` claim.
"""

from __future__ import annotations

import hmac
import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

import msgspec

LIFETIME_S = 300
_HEADER = b'{"alg":"HS256","typ":"JWT"}'


class Access(msgspec.Struct, frozen=True):
    """What one entry of a token allows."""

    type: str
    name: str
    actions: list[str]


class Claims(msgspec.Struct, frozen=True):
    iss: str
    aud: str
    sub: str
    exp: int
    iat: int
    access: list[Access] = []


class Tokens:
    """Issues and reads the tokens of `service`."""

    def __init__(self, key: bytes, service: str, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self.service = service
        self._clock = clock

    def issue(self, user: str, access: list[Access]) -> str:
        now = int(self._clock())
        claims = Claims(self.service, self.service, user, now + LIFETIME_S, now, access)
        signed = _encode(_HEADER) + b"." + _encode(msgspec.json.encode(claims))
        return (signed + b"." + _encode(self._sign(signed))).decode()

    def read(self, token: str) -> Claims | None:
        """Return what a token says, or None unless it is ours and still valid."""
        signed, _, signature = token.encode().rpartition(b".")
        header, _, payload = signed.partition(b".")
        # The header is compared as it stands: no other algorithm is ever looked at.
        if header != _encode(_HEADER) or not hmac.compare_digest(_encode(self._sign(signed)), signature):
            return None
        claims = msgspec.json.decode(urlsafe_b64decode(payload + b"=="), type=Claims)
        return claims if claims.aud == self.service and claims.exp > self._clock() else None

    def _sign(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, "sha256")


def load_key(root: Path) -> bytes:
    """Return the registry's signing key, made now if there is none; whoever links it first wins."""
    path = root / "token.key"
    if not path.exists():
        draft = root / f"token.key.{os.urandom(8).hex()}"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as stream:
            stream.write(os.urandom(32))
            os.fsync(stream.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()


def _encode(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
