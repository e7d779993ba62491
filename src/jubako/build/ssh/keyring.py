"""An ssh agent of our own, for private keys that are given as files: it lives in this process's memory alone.

Spec: draft-ietf-sshm-ssh-agent; RFC 8332 (RSA with SHA-2), RFC 5656 (ECDSA), RFC 8709 (Ed25519).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jubako.build.ssh import wire
from jubako.errors import InvalidArgument

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_KEY_BYTES_MAX = 100 << 10
Sign = Callable[[bytes, int], bytes]


class Key(msgspec.Struct, frozen=True):
    """`public` is its blob on the wire; `sign` takes data and flags and gives a signature's blob."""

    public: bytes
    comment: str
    sign: Sign


class Keyring:
    """Answers for some keys. Safe for several threads."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys

    @contextmanager
    def connected(self) -> Iterator[Keyring]:
        yield self

    def ask(self, request: bytes) -> bytes:
        """The answer to one message."""
        match request[0]:
            case wire.REQUEST_IDENTITIES:
                listed = b"".join(wire.string(key.public) + wire.string(key.comment.encode()) for key in self._keys)
                return bytes([wire.IDENTITIES_ANSWER]) + len(self._keys).to_bytes(4, "big") + listed
            case wire.SIGN_REQUEST:
                return self._sign(request[1:])
        return bytes([wire.FAILURE])

    def stop(self) -> None:
        """It never waits."""

    def _sign(self, request: bytes) -> bytes:
        try:
            public, rest = wire.take_string(request)
            data, rest = wire.take_string(rest)
            flags = wire.take_count(rest)
            key = next(key for key in self._keys if key.public == public)
        except (ValueError, StopIteration):
            return bytes([wire.FAILURE])
        return bytes([wire.SIGN_RESPONSE]) + wire.string(key.sign(data, flags))


def load_key(path: Path) -> Key:
    """The private key in a file, OpenSSH's form or PEM. Raises InvalidArgument."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        private = _private(path)
        text = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)  # type: ignore[attr-defined]
        sign = _signer(private)
    except OSError as error:
        raise InvalidArgument(f"failed to open the ssh key {path}: {error.strerror}") from None
    except TypeError:
        raise InvalidArgument(
            f"the ssh key {path} is protected by a passphrase", hint="add it to an agent, and give the agent with --ssh"
        ) from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidArgument(f"failed to parse the ssh key {path}: {error}") from None
    return Key(_blob(text), str(path), sign)


def _private(path: Path) -> object:
    from cryptography.hazmat.primitives import serialization

    with path.open("rb") as stream:
        data = stream.read(_KEY_BYTES_MAX + 1)
    if len(data) > _KEY_BYTES_MAX:
        raise ValueError("it is too big")
    if b"BEGIN OPENSSH PRIVATE KEY" in data:
        return serialization.load_ssh_private_key(data, None)
    return serialization.load_pem_private_key(data, None)


def _blob(text: bytes) -> bytes:
    import base64

    return base64.b64decode(text.split()[1])


def _signer(private: object) -> Sign:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    match private:
        case ed25519.Ed25519PrivateKey():
            return lambda data, flags: wire.string(b"ssh-ed25519") + wire.string(private.sign(data))
        case rsa.RSAPrivateKey():
            return lambda data, flags: _rsa(private, data, flags)
        case ec.EllipticCurvePrivateKey():
            return lambda data, flags: _ecdsa(private, data)
    raise ValueError(f"keys of type {type(private).__name__} are not supported")


def _rsa(key: RSAPrivateKey, data: bytes, flags: int) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    name, algorithm = b"ssh-rsa", hashes.SHA1()  # type: tuple[bytes, hashes.HashAlgorithm]
    if flags & wire.RSA_SHA2_512:
        name, algorithm = b"rsa-sha2-512", hashes.SHA512()
    elif flags & wire.RSA_SHA2_256:
        name, algorithm = b"rsa-sha2-256", hashes.SHA256()
    return wire.string(name) + wire.string(key.sign(data, padding.PKCS1v15(), algorithm))


def _ecdsa(key: EllipticCurvePrivateKey, data: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    bits = key.curve.key_size
    algorithm = hashes.SHA256() if bits <= 256 else hashes.SHA384() if bits <= 384 else hashes.SHA512()
    first, second = utils.decode_dss_signature(key.sign(data, ec.ECDSA(algorithm)))
    signature = wire.number(first) + wire.number(second)
    return wire.string(f"ecdsa-sha2-nistp{bits}".encode()) + wire.string(signature)
