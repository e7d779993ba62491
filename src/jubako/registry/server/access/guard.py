"""A registry's door: who a request comes from, and whether they may.

Credentials that are wrong are refused, never taken for none. Who is nobody is asked to say who they are; who is
somebody and may not is told so, as a challenge for more scope where tokens carry rights, and with 403 otherwise.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Sequence

from aiohttp import web

from jubako.registry.server.access.caller import ANONYMOUS, Caller, Grant, Scope
from jubako.registry.server.access.certificate import caller_of
from jubako.registry.server.access.htpasswd import Htpasswd
from jubako.registry.server.access.oidc import Issuers
from jubako.registry.server.access.policy import Policy
from jubako.registry.server.access.tokens import Tokens
from jubako.registry.server.config.schema import Access
from jubako.registry.server.refusal import Refused
from jubako.spec.distribution import Code

BASIC = 'Basic realm="jubako registry"'


class Guard:
    def __init__(self, access: Access, tokens: Tokens | None = None, *, certificates: bool = False) -> None:
        """`tokens` issues and reads tokens of our own; `certificates` are asked of clients."""
        self.tokens = tokens
        self.policy = Policy(access)
        self.users = Htpasswd(access.htpasswd) if access.htpasswd else None
        self._issuers = Issuers(access.oidc) if access.oidc else None
        self._certificates = certificates
        self.is_open = not (access.htpasswd or access.oidc or certificates or access.policy is not None)

    async def admit(self, request: web.BaseRequest, scope: Scope, *, by_browser: bool = False) -> Caller:
        """Return who may do what `scope` says; Refused otherwise. Browsers are asked for a password.

        A scope without a type asks of a browser only that its credentials, if it has any, are right.
        """
        if self.is_open:
            return ANONYMOUS
        caller = await self.identify(request)
        if caller is None:
            raise self._challenge(request, [scope], "invalid_token", by_browser)
        if not self.allows(caller, scope) and not (by_browser and not scope.type):
            if not caller.user or caller.granted is not None:
                raise self._challenge(request, [scope], "insufficient_scope", by_browser)
            raise Refused(Code.DENIED, "requested access to the resource is denied", detail=_detail([scope]))
        return caller

    def allows(self, caller: Caller, scope: Scope) -> bool:
        """Whether somebody admitted may do more, as a mount does."""
        if self.is_open:
            return True
        if caller.granted is None:
            return self.policy.allows(caller, scope)
        return (not scope.actions) or any(grant.covers(scope) for grant in caller.granted)

    def ask_for_more(self, request: web.BaseRequest, caller: Caller, *scopes: Scope) -> None:
        """Refused where only the caller's token stands against the last of `scopes`: another one may have all."""
        if caller.granted is not None and self.policy.allows(caller, scopes[-1]):
            raise self._challenge(request, scopes, "insufficient_scope")

    async def identify(self, request: web.BaseRequest) -> Caller | None:
        """Return whom the credentials of a request stand for, nobody when it has none; None when they are wrong."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            found = caller_of(request) if self._certificates else None
            return self._in_groups(found) if found else ANONYMOUS
        if scheme.lower() == "bearer":
            return (self.tokens.read(value) if self.tokens else None) or await self._foreign(value)
        return await self._basic(value) if scheme.lower() == "basic" else None

    def caller(self, user: str) -> Caller:
        """A user of the password file with their groups."""
        return self._in_groups(Caller(user))

    async def password(self, user: str, password: str) -> Caller | None:
        """Return whom a user name and password stand for; the password may be a token of a known issuer."""
        loop = asyncio.get_running_loop()
        if self.users is not None and await loop.run_in_executor(None, self.users.check, user, password):
            return self.caller(user)
        return await self._foreign(password)

    async def _basic(self, encoded: str) -> Caller | None:
        try:
            user, _, password = b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return None
        return await self.password(user, password)

    async def _foreign(self, token: str) -> Caller | None:
        if self._issuers is None or token.count(".") != 2:
            return None
        caller = await asyncio.get_running_loop().run_in_executor(None, self._issuers.read, token)
        return self._in_groups(caller) if caller else None

    def _in_groups(self, caller: Caller) -> Caller:
        return caller._replace(groups=caller.groups | self.policy.groups_of(caller.user))

    def _challenge(
        self, request: web.BaseRequest, scopes: Sequence[Scope], error: str, by_browser: bool = False
    ) -> Refused:
        if self.tokens is None or by_browser:
            return challenge(BASIC, scopes)
        realm = self.tokens.settings.realm or f"{request.scheme}://{request.host}/token"
        header = f'Bearer realm="{realm}",service="{self.tokens.settings.service}"'
        wanted = " ".join(str(scope) for scope in scopes if scope.type)
        header += f',scope="{wanted}"' if wanted else ""
        return challenge(header + (f',error="{error}"' if has_credentials(request) else ""), scopes)


def challenge(header: str, wanted: Sequence[Scope | Grant]) -> Refused:
    """A 401 that says how to become somebody."""
    headers = {"WWW-Authenticate": header}
    return Refused(Code.UNAUTHORIZED, "authentication required", detail=_detail(wanted), headers=headers)


def has_credentials(request: web.BaseRequest) -> bool:
    return "Authorization" in request.headers


def _detail(wanted: Sequence[Scope | Grant]) -> list[dict[str, str]]:
    # dockerd takes the code without a detail for a passing failure and tries again, for a minute.
    return [{"Type": w.type, "Name": w.name, "Action": action} for w in wanted for action in w.actions]
