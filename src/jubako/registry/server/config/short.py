"""A configuration from the few things that most registries need, as the command line's options name them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from jubako.errors import InvalidArgument
from jubako.registry.server.config.check import check
from jubako.registry.server.config.schema import Access, Configuration, Tls, TokenService
from jubako.registry.server.config.values import Duration


def configured(
    root: Path,
    listen: str = "127.0.0.1:5000",
    *,
    htpasswd: Path | None = None,
    token_auth: bool = False,
    anonymous_pull: bool = False,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    processes: int = 1,
    drain_s: float = 30.0,
) -> Configuration:
    """Return the configuration that these mean. Raises InvalidArgument for what cannot be."""
    if (tls_cert is None) != (tls_key is None):
        raise InvalidArgument("a certificate needs its key, and a key its certificate")
    access = Access(
        htpasswd=htpasswd, anonymous_pull=anonymous_pull, token_service=TokenService() if token_auth else None
    )
    tls = Tls(certificate=tls_cert, key=tls_key) if tls_cert and tls_key else None
    found = Configuration(
        root=root, listen=listen, access=access, tls=tls, processes=processes, drain=Duration(drain_s)
    )
    try:
        check(found)
    except msgspec.ValidationError as error:
        raise InvalidArgument(str(error).partition(" - at ")[0]) from error
    return found
