"""The cluster's certificate authority: who has a certificate from it is who the certificate says.

Layout:     DIRECTORY/ca.crt, ca.key, NAME.crt, NAME.key, sa.key (signs tokens of service accounts); keys are 0600
Invariant:  a key is whole when it has its name; one that is there is never made anew, so that clients stay valid.
Spec:       RFC 5280; "PKI certificates and requirements".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from jubako.linux.newfile import write_once

_DAYS = 3650
_SKEW = timedelta(minutes=5)


class Authority:
    """Keys and certificates beneath one directory, made when they are first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.key = self._key("ca")
        self.certificate = self._certificate("ca", self._make_own)

    @property
    def certificate_path(self) -> Path:
        return self._directory / "ca.crt"

    def server(self, names: Sequence[str]) -> tuple[Path, Path]:
        """Return certificate and key of the API server, reachable by these names and addresses.

        A certificate that lacks one of them is made anew.
        """
        path = self._directory / "apiserver.crt"
        if path.exists() and not {_alternative(each) for each in names} <= _alternatives(path):
            path.unlink()
        return self._issue("apiserver", "kube-apiserver", (), ExtendedKeyUsageOID.SERVER_AUTH, names)

    def client(self, name: str, user: str, groups: Sequence[str]) -> tuple[Path, Path]:
        """Return certificate and key of a user with groups, kept under `name`."""
        return self._issue(name, user, groups, ExtendedKeyUsageOID.CLIENT_AUTH, ())

    def signing_key(self) -> ec.EllipticCurvePrivateKey:
        """Return the key that signs tokens of service accounts."""
        return self._key("sa")

    def _issue(
        self, name: str, common: str, groups: Sequence[str], usage: x509.ObjectIdentifier, names: Sequence[str]
    ) -> tuple[Path, Path]:
        key = self._key(name)

        def make() -> x509.Certificate:
            builder = _builder(_name(common, groups), self.certificate.subject, key.public_key())
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            if names:
                builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(n) for n in names]), False)
            return builder.sign(self.key, hashes.SHA256())

        self._certificate(name, make)
        return self._directory / f"{name}.crt", self._directory / f"{name}.key"

    def _make_own(self) -> x509.Certificate:
        name = _name("kubernetes", ())
        builder = _builder(name, name, self.key.public_key())
        return builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(
            self.key, hashes.SHA256()
        )

    def _key(self, name: str) -> ec.EllipticCurvePrivateKey:
        path = self._directory / f"{name}.key"
        if not path.exists():
            made = ec.generate_private_key(ec.SECP256R1())
            form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            write_once(path, made.private_bytes(*form))
        found = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(found, ec.EllipticCurvePrivateKey)
        return found

    def _certificate(self, name: str, make: Callable[[], x509.Certificate]) -> x509.Certificate:
        path = self._directory / f"{name}.crt"
        if not path.exists():
            write_once(path, make().public_bytes(serialization.Encoding.PEM))
        return x509.load_pem_x509_certificate(path.read_bytes())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=_DAYS))
    )


def _name(common: str, groups: Sequence[str]) -> x509.Name:
    """Return a subject: the user is its common name, groups are its organizations."""
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _alternatives(path: Path) -> set[x509.GeneralName]:
    found = x509.load_pem_x509_certificate(path.read_bytes()).extensions
    return set(found.get_extension_for_class(x509.SubjectAlternativeName).value)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
