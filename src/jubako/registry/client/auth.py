"""Answering a registry's challenge: basic, or a bearer token from the service that it names.

Invariants:   credentials go to the registry itself or to its token service, never elsewhere; a token service is https,
              or on loopback, or, where the user allowed plain HTTP, on the registry's own host (CVE-2020-15157).
Concurrency:  threads share one authenticator; a token that many miss at once is fetched once.
Spec:         Docker's token authentication, and its OAuth2 form for identity tokens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from urllib.parse import urlencode, urlsplit

import msgspec
import urllib3

from jubako.errors import Unauthenticated, Unavailable
from jubako.image.manifest import MALFORMED
from jubako.registry.client import failure
from jubako.registry.client.challenge import Challenge, parse
from jubako.registry.client.credentials import Credentials
from jubako.registry.client.endpoint import check_target
from jubako.registry.client.options import ClientOptions
from jubako.registry.client.transport import Transport, read
from jubako.spec import decoding

_CLIENT = "jubako"
_TOKEN_LIMIT_BYTES = 1 << 20


class _Answer(msgspec.Struct, frozen=True):
    """What of a token service's answer matters here: how long a token lasts shows when it is refused."""

    token: str | None = None
    access_token: str | None = None


class Authenticator:
    """The credentials for one registry, and what was made of them.

    `find` is asked for the credentials when a registry wants some, not before: a helper may be slow, or missing.
    """

    def __init__(
        self, transport: Transport, domain: str, find: Callable[[], Credentials | None], options: ClientOptions
    ) -> None:
        self._transport = transport
        self._domain = domain
        self._find = find
        self._options = options
        self._basic: str | None = None
        self._bearer: dict[str, str] = {}
        self._lock = threading.Lock()

    @cached_property
    def _credentials(self) -> Credentials | None:
        return self._find()

    def header(self, scope: str) -> str | None:
        """The Authorization to send for `scope`, as far as it is known."""
        return self._bearer.get(scope) or self._basic

    def answer(self, offered: str, scope: str, tried: str | None, registry_url: str) -> bool:
        """Take up the challenges in `offered`, after `tried` was not enough; False when nothing new can be tried."""
        with self._lock:
            if self.header(scope) != tried:
                return True
            challenges = {challenge.scheme: challenge for challenge in reversed(parse(offered))}
            if "bearer" in challenges:
                token = self._fetch(challenges["bearer"], scope, registry_url)
                if token is not None:
                    self._bearer[scope] = f"Bearer {token}"
            elif "basic" in challenges and self._credentials and self._credentials.user and self._basic is None:
                self._basic = urllib3.make_headers(basic_auth=_pair(self._credentials))["authorization"]
            return self.header(scope) != tried

    def _fetch(self, challenge: Challenge, scope: str, registry_url: str) -> str | None:
        """A token for `scope`; None where the service gives none to nobody in particular."""
        realm = challenge.parameters.get("realm", "")
        same_host = urlsplit(realm).hostname == urlsplit(registry_url).hostname
        check_target(realm, insecure=self._options.insecure and same_host)
        scopes = list(dict.fromkeys([*scope.split(), *challenge.parameters.get("scope", "").split()]))
        service = challenge.parameters.get("service", "")
        status, body = self._ask(realm, service, scopes)
        if status in (401, 403) and self._credentials is None:
            return None
        if status in (401, 403):
            error = failure.refused(status, body, subject=self._domain, registry=self._domain)
            raise Unauthenticated(error.message, hint=error.hint)
        if status != 200:
            raise failure.refused(status, body, subject=f"token service of {self._domain}", registry=self._domain)
        try:
            answer = decoding.decode(body, _Answer)
        except MALFORMED as error:
            raise Unavailable(f"the token service of {self._domain} answered nonsense: {error}") from error
        if not (token := answer.token or answer.access_token):
            raise Unavailable(f"the token service of {self._domain} gave no token")
        return token

    def _ask(self, realm: str, service: str, scopes: list[str]) -> tuple[int, bytes]:
        fields = [("service", service), *(("scope", scope) for scope in scopes)]
        try:
            if self._credentials and self._credentials.identity_token:
                response = self._refresh(realm, service, " ".join(scopes), self._credentials.identity_token)
            elif self._credentials and self._credentials.user:
                headers = urllib3.make_headers(basic_auth=_pair(self._credentials))
                fields.append(("account", self._credentials.user))
                response = self._transport.open("GET", _with_query(realm, fields), headers=headers)
            else:
                response = self._transport.open("GET", _with_query(realm, fields), headers={})
            return response.status, read(response, _TOKEN_LIMIT_BYTES)
        except urllib3.exceptions.HTTPError as error:
            raise failure.unreachable(error, realm) from error

    def _refresh(self, realm: str, service: str, scope: str, identity_token: str) -> urllib3.BaseHTTPResponse:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": identity_token,
            "service": service,
            "scope": scope,
            "client_id": _CLIENT,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._transport.open("POST", realm, headers=headers, body=urlencode(form).encode())


def _pair(credentials: Credentials) -> str:
    return f"{credentials.user}:{credentials.password}"


def _with_query(realm: str, fields: list[tuple[str, str]]) -> str:
    query = urlencode([(name, value) for name, value in fields if value])
    return f"{realm}{'&' if urlsplit(realm).query else '?'}{query}" if query else realm
