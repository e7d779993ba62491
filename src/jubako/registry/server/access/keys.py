"""The key that signs a registry's tokens, and the form in which others may read its public half.

Layout:  ROOT/token.pem    a private key on P-256 (PKCS #8), 0600, made on first use; all processes share it.
Spec:    RFC 7517 (JWK), RFC 7638 (thumbprints as key IDs), RFC 7518 (ES256).
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from jubako.linux.newfile import write_once

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_COORDINATE_BYTES = 32


class SigningKey:
    def __init__(self, private: EllipticCurvePrivateKey) -> None:
        self.private = private
        numbers = private.public_key().public_numbers()
        self._jwk = {"crv": "P-256", "kty": "EC", "x": _encode(numbers.x), "y": _encode(numbers.y)}
        thumbprint = hashlib.sha256(json.dumps(self._jwk, separators=(",", ":")).encode()).digest()
        self.id = urlsafe_b64encode(thumbprint).rstrip(b"=").decode()

    def public_set(self) -> dict[str, list[dict[str, str]]]:
        """The key set that whoever wants to check our tokens reads."""
        return {"keys": [self._jwk | {"alg": "ES256", "use": "sig", "kid": self.id}]}


def load_key(root: Path) -> SigningKey:
    """Return the registry's signing key, made now if there is none; whoever links it first wins."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    path = root / "token.pem"
    if not path.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        write_once(
            path,
            made.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )
    private = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return SigningKey(private)


def _encode(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes(_COORDINATE_BYTES, "big")).rstrip(b"=").decode()
