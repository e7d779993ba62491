"""Tokens of other issuers (OpenID Connect): who they speak for, by the keys that the issuer publishes.

The keys come from the configured URL or file, or from where the issuer's discovery document says, over connections that
follow no redirect. They are kept, and fetched again for a key that is not among them, at most once in half a minute.
Spec: OpenID Connect Core 1.0, "ID Token Validation"; Discovery 1.0; RFC 7517.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jwt
import msgspec
import urllib3

from jubako.image.manifest import MALFORMED
from jubako.registry.server.access.caller import Caller
from jubako.registry.server.config.schema import Oidc

# Signatures by asymmetric keys only: with HMAC, whoever knows the public key could sign.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_REFETCH_S = 30.0
_LEEWAY_S = 30
_DOCUMENT_LIMIT_BYTES = 1 << 20
_LOG = logging.getLogger("jubako.registry")
_TIMEOUT = urllib3.Timeout(connect=5, read=10)


class Issuer:
    """One issuer. Threads may share it."""

    def __init__(self, settings: Oidc, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched = float("-inf")

    def read(self, token: str) -> Caller | None:
        """Return whom `token` speaks for; None unless it is this issuer's, for us, and valid now."""
        try:
            key = self._key(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                return None
            claims = jwt.decode(
                token,
                key,
                _ALGORITHMS,
                audience=self.settings.audience,
                issuer=self.settings.issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWTError:
            return None
        user = claims.get(self.settings.user_claim)
        return Caller(user, _texts(claims.get(self.settings.groups_claim))) if isinstance(user, str) and user else None

    def is_issuer_of(self, token: str) -> bool:
        """Whether the token says that it is this issuer's; nothing is believed yet."""
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.PyJWTError:
            return False
        return bool(claims.get("iss") == self.settings.issuer)

    def _key(self, key_id: str | None) -> jwt.PyJWK | None:
        # Without the lock: while somebody's unknown key is asked for, who comes with a known one does not wait.
        if (known := self._keys.get(key_id)) is not None:
            return known
        with self._lock:
            if key_id not in self._keys and self._clock() - self._fetched >= _REFETCH_S:
                self._fetched = self._clock()
                # Keys that are known stay while the issuer cannot be asked.
                if (document := self._document()) is not None:
                    self._keys = _keys(document)
            return self._keys.get(key_id)

    def _document(self) -> Any:
        source = self.settings.jwks
        try:
            if not source:
                discovery = _fetch(self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
                source = str(discovery.get("jwks_uri", ""))
            if source.startswith(("https://", "http://")):
                return _fetch(source)
            return msgspec.json.decode(Path(source).read_bytes())
        except (OSError, urllib3.exceptions.HTTPError, AttributeError, *MALFORMED) as error:
            _LOG.warning("the keys of %s cannot be had: %s", self.settings.issuer, error)
            return None


class Issuers:
    """All issuers that a registry believes."""

    def __init__(self, settings: Iterable[Oidc]) -> None:
        self._issuers = [Issuer(one) for one in settings]

    def read(self, token: str) -> Caller | None:
        """Slow the first time: keys may have to be fetched."""
        return next((issuer.read(token) for issuer in self._issuers if issuer.is_issuer_of(token)), None)


def _fetch(url: str) -> Any:
    response = urllib3.request(
        "GET", url, redirect=False, retries=False, timeout=_TIMEOUT, preload_content=False, decode_content=True
    )
    try:
        if response.status != 200:
            raise urllib3.exceptions.HTTPError(f"{url} answered {response.status}")
        return msgspec.json.decode(response.read(_DOCUMENT_LIMIT_BYTES))
    finally:
        response.close()


def _keys(document: Any) -> dict[str | None, jwt.PyJWK]:
    found: dict[str | None, jwt.PyJWK] = {}
    for entry in document.get("keys", []) if isinstance(document, dict) else []:
        try:
            key = jwt.PyJWK(entry)
        except (jwt.PyJWTError, AttributeError, TypeError, ValueError):
            continue
        if key.public_key_use in (None, "sig"):
            found[key.key_id] = key
    return found


def _texts(value: Any) -> frozenset[str]:
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()
