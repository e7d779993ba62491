"""An OpenID Connect issuer on loopback: its discovery document, its keys, and tokens that it signs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from .scripted import Answer, scripted

AUDIENCE = "registry"


class Issuer:
    """`fetches` counts how often somebody asked for the keys."""

    def __init__(self) -> None:
        self.url = ""
        self.fetches = 0
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.rotate("first")

    def rotate(self, key_id: str) -> None:
        self.keys = {key_id: rsa.generate_private_key(65537, 2048)}

    def token(self, user: str, **claims: Any) -> str:
        ((key_id, key),) = self.keys.items()
        whole = {"iss": self.url, "aud": AUDIENCE, "sub": user, "exp": int(time.time()) + 300, **claims}
        return jwt.encode(whole, key, "RS256", {"kid": key_id})

    def answer(self, path: str) -> Any:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.fetches += 1
        public = [(key_id, json.loads(RSAAlgorithm.to_jwk(key.public_key()))) for key_id, key in self.keys.items()]
        return {"keys": [jwk | {"kid": key_id, "use": "sig", "alg": "RS256"} for key_id, jwk in public]}


@contextmanager
def issuing() -> Iterator[Issuer]:
    issuer = Issuer()
    with scripted(lambda asked: Answer(body=json.dumps(issuer.answer(asked.path)).encode())) as server:
        issuer.url = server.base
        yield issuer
