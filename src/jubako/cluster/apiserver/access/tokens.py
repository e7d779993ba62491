"""Tokens of service accounts: signed by us, bound to what they were made for, and dead when that is gone.

Spec: "Managing Service Accounts", bound tokens; RFC 7519, ES256.
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from jubako.cluster.apiserver.caller import User
from jubako.cluster.types.document import Object
from jubako.spec import decoding

ISSUER = "https://kubernetes.default.svc.cluster.local"
ALGORITHM = "ES256"
_EXTRA = "authentication.kubernetes.io/"
CREDENTIAL = f"{_EXTRA}credential-id"
_LENGTH_LIMIT = 16 << 10


class Reference(msgspec.Struct, frozen=True):
    """An object by name and uid."""

    name: str
    uid: str


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """The claim `kubernetes.io`: whose token it is, and what it dies with."""

    namespace: str
    serviceaccount: Reference
    pod: Reference | None = None
    secret: Reference | None = None
    node: Reference | None = None
    """Where the pod is: the token does not die with it."""


class Claims(msgspec.Struct, frozen=True):
    sub: str
    aud: list[str]
    exp: int
    jti: str
    bound: Bound = msgspec.field(name="kubernetes.io")


class Tokens:
    """`lives` tells whether what a token is bound to is still there."""

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey,
        lives: Callable[[Bound], bool],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key, self._lives, self._clock = key, lives, clock
        self._key_id = _key_id(key)

    def issue(self, bound: Bound, lifetime_s: int, audiences: Sequence[str] = ()) -> tuple[str, int]:
        """Return a token and the time of its end, in seconds since the epoch."""
        now = int(self._clock())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": user_name(bound.namespace, bound.serviceaccount.name),
            "aud": list(audiences) or [ISSUER],
            "iat": now,
            "nbf": now,
            "exp": now + lifetime_s,
            "jti": os.urandom(16).hex(),
            "kubernetes.io": {name: held for name, held in msgspec.to_builtins(bound).items() if held is not None},
        }
        return jwt.encode(claims, self._key, ALGORITHM, {"kid": self._key_id}), now + lifetime_s

    def public_key(self) -> Object:
        """Return the key that tokens are verified with, as a JSON Web Key."""
        numbers = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"use": "sig", "alg": ALGORITHM, "kid": self._key_id, **numbers}

    def read(self, token: str, audience: str = ISSUER) -> User | None:
        """Return whose token it is; None unless it is ours, for this audience, in time, and what it is bound to is."""
        if len(token) > _LENGTH_LIMIT:
            return None
        try:
            found = jwt.decode(token, self._key.public_key(), [ALGORITHM], audience=audience, issuer=ISSUER, options={
                "verify_exp": False, "verify_iat": False, "verify_nbf": False,
                "require": ["exp", "sub", "aud", "iss", "jti"],
            })  # fmt: skip
            claims = msgspec.convert(found, decoding.known(Claims))
        except (jwt.InvalidTokenError, msgspec.ValidationError):
            return None
        if claims.exp <= self._clock() or not self._lives(claims.bound):
            return None
        return _user(claims)


def _key_id(key: ec.EllipticCurvePrivateKey) -> str:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(hashlib.sha256(public).digest()).decode().rstrip("=")


def user_name(namespace: str, name: str) -> str:
    return f"system:serviceaccount:{namespace}:{name}"


def _user(claims: Claims) -> User:
    bound = claims.bound
    extra: dict[str, tuple[str, ...]] = {CREDENTIAL: (f"JTI={claims.jti}",)}
    for kind, held in (("node", bound.node), ("pod", bound.pod)):
        if held:
            extra |= {f"{_EXTRA}{kind}-name": (held.name,), f"{_EXTRA}{kind}-uid": (held.uid,)}
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{bound.namespace}")
    name = user_name(bound.namespace, bound.serviceaccount.name)
    return User(name=name, groups=groups, uid=bound.serviceaccount.uid, extra=extra)
