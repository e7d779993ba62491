"""Tokens of our own: short-lived ones that allow what they list, and long-lived ones that only buy new ones.

Spec:  RFC 7519 (JWT), ES256; Docker's token authentication for the `access` claim. `typ` keeps the two apart, so that
       neither is ever taken for the other.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import jwt
import msgspec

from jubako.registry.server.access.caller import Caller, Grant
from jubako.registry.server.access.keys import SigningKey
from jubako.registry.server.config.schema import TokenService
from jubako.spec import decoding

_ALGORITHM = "ES256"
_ACCESS, _REFRESH = "JWT", "refresh+jwt"
_REMEMBERED = 1024
_LENGTH_LIMIT = 16 << 10


class Claims(msgspec.Struct, frozen=True):
    sub: str
    exp: int
    access: list[Grant] = []
    groups: list[str] = []
    bound_to: str = ""
    """What a refresh token dies with: a fingerprint of the user's password."""


class Tokens:
    """Issues and reads the tokens of one registry. Threads may share it."""

    def __init__(self, key: SigningKey, settings: TokenService, *, clock: Callable[[], float] = time.time) -> None:
        self.key = key
        self.settings = settings
        self._clock = clock
        # A client sends the same token with each request of a pull; a signature costs as much as the request.
        self._known: OrderedDict[str, Claims] = OrderedDict()

    def issue(self, caller: Caller, access: list[Grant]) -> str:
        claims = {"access": msgspec.to_builtins(access), "groups": sorted(caller.groups)}
        return self._sign(_ACCESS, caller.user, self.settings.lifetime, claims)

    def issue_refresh(self, user: str, bound_to: str) -> str:
        return self._sign(_REFRESH, user, self.settings.refresh_lifetime, {"bound_to": bound_to})

    def read(self, token: str) -> Caller | None:
        """Return whom a token speaks for and what it allows, or None unless it is ours and still valid."""
        claims = self._known.get(token) or self._read(token, _ACCESS)
        if claims is None or claims.exp <= self._clock():
            self._known.pop(token, None)
            return None
        self._known[token] = claims
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return Caller(claims.sub, frozenset(claims.groups), tuple(claims.access))

    def read_refresh(self, token: str) -> Claims | None:
        claims = self._read(token, _REFRESH)
        return claims if claims is not None and claims.exp > self._clock() else None

    def _sign(self, kind: str, user: str, lifetime_s: float, claims: dict[str, Any]) -> str:
        now, service = int(self._clock()), self.settings.service
        whole = {"iss": service, "aud": service, "sub": user, "iat": now, "exp": now + int(lifetime_s), **claims}
        whole["jti"] = os.urandom(12).hex()
        return jwt.encode(whole, self.key.private, _ALGORITHM, {"typ": kind, "kid": self.key.id})

    def _read(self, token: str, kind: str) -> Claims | None:
        if len(token) > _LENGTH_LIMIT:
            return None
        try:
            found = jwt.decode_complete(
                token,
                self.key.private.public_key(),
                [_ALGORITHM],
                audience=self.settings.service,
                issuer=self.settings.service,
                # Time is ours to compare: the clock may be a test's.
                options={"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False},
            )
            if found["header"].get("typ") != kind:
                return None
            return msgspec.convert(found["payload"], decoding.known(Claims))
        except (jwt.InvalidTokenError, msgspec.ValidationError):
            return None
