"""Who may do what: nobody is asked, basic authentication, or bearer tokens of our own service.

Every user of the htpasswd file may do everything; nobody else may do anything, but pull where that is open to all.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Sequence
from typing import NamedTuple

from aiohttp import web

from jubako.registry.server.htpasswd import Htpasswd
from jubako.registry.server.refusal import Refused
from jubako.registry.server.tokens import LIFETIME_S, Access, Claims, Tokens
from jubako.spec.distribution import Code, Token

ANONYMOUS = ""
_ACTIONS = frozenset({"pull", "push", "delete", "*"})


class Scope(NamedTuple):
    """What a request needs; no actions means only to be somebody."""

    type: str = ""
    name: str = ""
    actions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(self.actions)}" if self.type else ""


class Guard:
    """One registry's door."""

    def __init__(self, users: Htpasswd | None, tokens: Tokens | None, *, anonymous_pull: bool = False) -> None:
        self._users = users
        self._tokens = tokens
        self._anonymous_pull = anonymous_pull

    async def admit(self, request: web.BaseRequest, scope: Scope) -> str:
        """Return the user of a request that may have `scope`; Refused otherwise."""
        if self._users is None:
            return ANONYMOUS
        if self._tokens is not None:
            return self._admit_bearer(self._tokens, request, scope)
        user = await self._basic_user(request)
        if user is None and not (self._anonymous_pull and scope.actions == ("pull",) and not _has_credentials(request)):
            raise _challenge('Basic realm="jubako registry"', [scope])
        return user or ANONYMOUS

    def may_pull(self, request: web.BaseRequest, name: str) -> bool:
        """Whether an admitted request may also read `name`: the source of a mount."""
        if self._tokens is None or self._users is None:
            return True
        claims = self._claims(self._tokens, request)
        return claims is not None and _allows(claims, Scope("repository", name, ("pull",)))

    async def issue(self, request: web.BaseRequest) -> Token:
        """Answer the token endpoint: what was asked for, for the user who asks; Refused."""
        if self._tokens is None or self._users is None:
            raise Refused(Code.UNSUPPORTED, "there is no such endpoint", status=404)
        user = await self._basic_user(request)
        wanted = [entry for text in request.query.getall("scope", []) for entry in _read_scopes(text)]
        if user is None and not (self._anonymous_pull and not _has_credentials(request)):
            raise _challenge('Basic realm="jubako registry"', wanted)
        if user is None:
            wanted = [
                Access(e.type, e.name, ["pull"]) for e in wanted if e.type == "repository" and "pull" in e.actions
            ]
        token = self._tokens.issue(user or ANONYMOUS, wanted)
        return Token(token=token, access_token=token, expires_in=LIFETIME_S)

    async def _basic_user(self, request: web.BaseRequest) -> str | None:
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic" or self._users is None:
            return None
        try:
            user, _, password = b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return None
        right = await asyncio.get_running_loop().run_in_executor(None, self._users.check, user, password)
        return user if right else None

    def _admit_bearer(self, tokens: Tokens, request: web.BaseRequest, scope: Scope) -> str:
        claims = self._claims(tokens, request)
        if claims is not None and _allows(claims, scope):
            return claims.sub
        realm = f"{request.scheme}://{request.host}/token"
        challenge = f'Bearer realm="{realm}",service="{tokens.service}"'
        if scope.type:
            challenge += f',scope="{scope}"'
        if _has_credentials(request):
            challenge += f',error="{"insufficient_scope" if claims else "invalid_token"}"'
        raise _challenge(challenge, [scope])

    def _claims(self, tokens: Tokens, request: web.BaseRequest) -> Claims | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return tokens.read(token) if scheme.lower() == "bearer" else None


def _allows(claims: Claims, scope: Scope) -> bool:
    granted = {a for e in claims.access if (e.type, e.name) == (scope.type, scope.name) for a in e.actions}
    return "*" in granted or granted.issuperset(scope.actions)


def _has_credentials(request: web.BaseRequest) -> bool:
    return "Authorization" in request.headers


def _challenge(header: str, wanted: Sequence[Scope | Access]) -> Refused:
    # dockerd takes the code without a detail for a passing failure and tries again, for a minute.
    detail = [{"Type": w.type, "Name": w.name, "Action": action} for w in wanted for action in w.actions]
    return Refused(Code.UNAUTHORIZED, "authentication required", detail=detail, headers={"WWW-Authenticate": header})


def _read_scopes(text: str) -> list[Access]:
    """Read `type:name:action,action` entries; the name may hold colons."""
    entries = []
    for scope in text.split():
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        known = [action for action in actions.split(",") if action in _ACTIONS]
        if kind and name and known:
            entries.append(Access(kind, name, known))
    return entries
