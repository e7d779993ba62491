"""Requests to one registry: authenticated, redirected, repeated where that helps.

Invariant:    Authorization is sent to the registry's own origin only, so a redirect elsewhere never carries it.
Retries:      connections that break and the statuses 429, 500, 502, 503, 504 are tried again, after Retry-After or an
              exponential back-off, if the request can be repeated: no body, or one that is in memory.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import urllib3

from jubako.errors import JubakoError, Unavailable
from jubako.registry.client import failure
from jubako.registry.client.auth import Authenticator
from jubako.registry.client.credentials import Credentials, credentials_for
from jubako.registry.client.endpoint import authority, check_target, host_of, is_loopback, same_origin, schemes
from jubako.registry.client.options import RANGES, ClientOptions
from jubako.registry.client.transport import Body, Transport, finish, read

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SAME_REQUEST = frozenset({307, 308})
_REDIRECT_LIMIT = 5
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})
_BACKOFF_S = 0.25
_BACKOFF_LIMIT_S = 10.0
_RETRY_AFTER_LIMIT_S = 60.0
_ERROR_LIMIT_BYTES = 64 << 10


class Session:
    """One registry, for as long as an operation takes."""

    def __init__(self, domain: str, credentials: Credentials | None, options: ClientOptions, path: str = "") -> None:
        """`path` is the repository, since credentials may be kept for a part of a registry alone."""
        self.domain = domain
        self.options = options
        self._transport = Transport(options)
        self._auth = Authenticator(
            self._transport, domain, lambda: credentials or credentials_for(domain, path), options
        )
        self._base = ""
        self._has_answered = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    @property
    def base(self) -> str:
        """The registry's root URL; the first use finds out whether a registry on this machine speaks TLS."""
        if not self._base:
            self._base = self._find_base()
        return self._base

    @property
    def ranges(self) -> int:
        """In how many parts a large blob should come: one connection fills the way to this machine itself."""
        return self.options.ranges or (1 if is_loopback(host_of(authority(self.domain))) else RANGES)

    def request(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        subject: str,
        denied: str = "",
        expect: tuple[int, ...] = (200,),
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Return the response of a status in `expect`, its body unread; any other raises what it means.

        `path` may be a whole URL, as Location headers are.
        """
        url = urljoin(self.base, path)
        response = self._repeat(method, url, scope, headers or {}, body)
        if response.status not in expect:
            raise self.refused(response, subject, denied)
        return response

    def refused(self, response: urllib3.BaseHTTPResponse, subject: str, denied: str = "") -> JubakoError:
        """The error that an unexpected response means; the response is read and closed."""
        try:
            body = read(response, _ERROR_LIMIT_BYTES)
        except urllib3.exceptions.HTTPError:
            body = b""
        return failure.refused(response.status, body, subject=subject, registry=self.domain, denied=denied)

    def ping(self) -> urllib3.BaseHTTPResponse:
        """GET /v2/, authenticated if it asks for that."""
        return self._repeat("GET", urljoin(self.base, "/v2/"), "", {}, None)

    def abort(self) -> None:
        """Wake the threads that wait for this registry's answers; they fail."""
        self._transport.abort()

    def wait(self, attempt: int, retry_after: str = "") -> None:
        """Pause before the repetition number `attempt`, counted from 0."""
        delay = min(_BACKOFF_LIMIT_S, _BACKOFF_S * 2**attempt) * random.uniform(0.75, 1.25)
        if (asked := _delay_of(retry_after)) is not None:
            delay = min(_RETRY_AFTER_LIMIT_S, asked)
        self.options.sleep(delay)

    def _repeat(
        self, method: str, url: str, scope: str, headers: Mapping[str, str], body: Body | None
    ) -> urllib3.BaseHTTPResponse:
        attempts = self.options.retries + 1 if _repeatable(body) else 1
        for attempt in range(attempts):
            is_last = attempt == attempts - 1
            try:
                response = self._authenticated(method, url, scope, headers, body)
            except urllib3.exceptions.HTTPError as error:
                if is_last or not self._may_pass(error):
                    raise failure.unreachable(error, url) from error
                self.wait(attempt)
                continue
            if response.status not in _TRY_AGAIN or is_last:
                return response
            finish(response)
            self.wait(attempt, response.headers.get("Retry-After", ""))
        raise AssertionError("the last attempt returns or raises")

    def _authenticated(
        self, method: str, url: str, scope: str, headers: Mapping[str, str], body: Body | None
    ) -> urllib3.BaseHTTPResponse:
        """Send, and send again after answering the challenge."""
        tried = self._auth.header(scope)
        response, answered_by = self._redirected(method, url, tried, headers, body)
        # What the registry redirects to does not say where its credentials go.
        if response.status != 401 or not _repeatable(body) or not same_origin(answered_by, self.base):
            return response
        offered = ", ".join(response.headers.getlist("WWW-Authenticate"))
        if not self._auth.answer(offered, scope, tried, self.base):
            return response
        finish(response)
        return self._redirected(method, url, self._auth.header(scope), headers, body)[0]

    def _redirected(
        self,
        method: str,
        url: str,
        authorization: str | None,
        headers: Mapping[str, str],
        body: Body | None,
    ) -> tuple[urllib3.BaseHTTPResponse, str]:
        """Return the response with a Location, if it has any, that is a whole URL; and the URL that answered."""
        for _ in range(_REDIRECT_LIMIT):
            sent = dict(headers)
            if not same_origin(url, self.base):
                # Also the first, which may be a Location or a Link that the registry gave.
                check_target(url, insecure=self.options.insecure)
            elif authorization:
                sent["Authorization"] = authorization
            response = self._open(method, url, sent, body)
            if location := response.headers.get("Location"):
                response.headers["Location"] = location = urljoin(url, location)
            if not (location and _leads_on(response.status, method, body)):
                return response, url
            finish(response)
            url = location
        raise Unavailable(f"{self.domain} redirects more than {_REDIRECT_LIMIT} times")

    def _open(
        self, method: str, url: str, headers: Mapping[str, str], body: Body | None = None
    ) -> urllib3.BaseHTTPResponse:
        limit = None if self._has_answered or body else self.options.first_answer_s
        response = self._transport.open(method, url, headers=headers, body=body, timeout_s=limit)
        self._has_answered = True
        return response

    def _may_pass(self, error: Exception) -> bool:
        """Whether to try again. A host that has been silent from the beginning is not there, or no registry."""
        return failure.is_transient(error) and (self._has_answered or not failure.is_silence(error))

    def _find_base(self) -> str:
        host = authority(self.domain)
        choices = [f"{scheme}://{host}/" for scheme in schemes(self.domain, self.options)]
        if len(choices) == 1:
            return choices[0]
        # Plain HTTP first on this machine: nothing secret is sent to find out, and no certificates need to be read.
        if is_loopback(host_of(host)):
            choices.reverse()
        problems: list[tuple[Exception, str]] = []
        for base in choices:
            try:
                response = self._open("GET", urljoin(base, "/v2/"), {})
            except urllib3.exceptions.HTTPError as error:
                problems.append((error, urljoin(base, "/v2/")))
                if not self._may_pass(error) and base.startswith("http:"):
                    break
                continue
            finish(response)
            if response.status != 400:
                return base
        if not problems:
            return choices[0]
        raise failure.unreachable(*problems[-1]) from problems[-1][0]


def _repeatable(body: Body | None) -> bool:
    return body is None or isinstance(body, bytes)


def _leads_on(status: int, method: str, body: Body | None) -> bool:
    """Whether to ask the same of where a redirect points to; others than 307 and 308 would make a GET of a write."""
    if method in ("GET", "HEAD"):
        return status in _REDIRECTS
    return status in _SAME_REQUEST and _repeatable(body)


def _delay_of(retry_after: str) -> float | None:
    """Seconds, of which Retry-After has the number or the end; None where it says nothing."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    if not retry_after:
        return None
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
