"""The sockets of a registry, and its TLS."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from jubako.errors import InvalidArgument, PermissionDenied, Unavailable
from jubako.registry.server.config.schema import Tls

if TYPE_CHECKING:
    from ssl import SSLContext


def bind(listen: str, *, shared: bool = False) -> socket.socket:
    """Return a socket bound to ADDRESS:PORT, `shared` with other processes that bind it so too.

    Raises InvalidArgument, PermissionDenied, and Unavailable when the address is taken.
    """
    host, colon, port = listen.rpartition(":")
    if not (colon and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise InvalidArgument(f"invalid listen address {listen!r}", hint="write it as ADDRESS:PORT: 127.0.0.1:5000")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
        return listener
    except PermissionError as error:
        raise PermissionDenied(f"cannot listen on {listen}: {error.strerror}") from error
    except OSError as error:
        raise Unavailable(f"cannot listen on {listen}: {error.strerror}") from error


def address_of(listener: socket.socket) -> str:
    """ADDRESS:PORT that a socket is bound to."""
    host, port = listener.getsockname()[:2]
    return f"{f'[{host}]' if ':' in host else host}:{port}"


def tls_context(tls: Tls) -> SSLContext:
    """Return a context with the certificates that are in the files now. Raises InvalidArgument."""
    import ssl

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        renew(context, tls)
        if tls.client_authorities is not None:
            context.load_verify_locations(tls.client_authorities)
            required = tls.client_certificates == "required"
            context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    except OSError as error:
        reason = error.strerror or error
        raise InvalidArgument(f"cannot use the client authorities {tls.client_authorities}: {reason}") from error
    return context


def renew(context: SSLContext, tls: Tls) -> None:
    """Have new connections get the certificate that is in the files now. Raises InvalidArgument."""

    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except OSError as error:
        reason = error.strerror or error
        raise InvalidArgument(f"cannot use the certificate {tls.certificate}: {reason}") from error
