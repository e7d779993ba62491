"""A client certificate or a bearer token -> a user.

The transport has checked that a certificate is from our authority; here its subject is read.

Spec: "Authenticating" (X.509 client certificates, service account tokens, anonymous requests).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.access.tokens import CREDENTIAL, Tokens
from jubako.cluster.apiserver.caller import ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, User


class Certificate(msgspec.Struct, frozen=True):
    """A client's: what ssl.getpeercert shows of it, and its DER form."""

    shown: Mapping[str, Any]
    der: bytes


class Authentication:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def user(self, certificate: Certificate | None, authorization: str) -> User:
        """Return who asks, by the peer's certificate and the Authorization header.

        Raises Failure (401) for a token that is not ours or no longer valid.
        """
        scheme, _, token = authorization.partition(" ")
        if certificate is not None:
            found = of_certificate(certificate)
        elif scheme.lower() == "bearer" and token.strip():
            known = self._tokens.read(token.strip())
            if known is None:
                raise failures.failure(401, "Unauthorized", "Unauthorized")
            found = known
        else:
            return User(name=ANONYMOUS, groups=(UNAUTHENTICATED,))
        return msgspec.structs.replace(found, groups=(*found.groups, AUTHENTICATED))


def of_certificate(certificate: Certificate) -> User:
    """The common name is the user, the organizations are the groups."""
    pairs = [pair for part in certificate.shown.get("subject", ()) for pair in part]
    names = [value for key, value in pairs if key == "commonName"]
    groups = tuple(value for key, value in pairs if key == "organizationName")
    digest = hashlib.sha256(certificate.der).hexdigest()
    extra: dict[str, tuple[str, ...]] = {CREDENTIAL: (f"X509SHA256={digest}",)}
    return User(name=names[-1] if names else "", groups=groups, extra=extra)
