"""login and logout: credentials are tried against the registry before they are kept."""

from __future__ import annotations

from jubako.errors import Unauthenticated
from jubako.registry.client.configuration import with_certificates
from jubako.registry.client.credentials import AuthFile, Credentials
from jubako.registry.client.options import DEFAULT, ClientOptions
from jubako.registry.client.session import Session
from jubako.registry.client.transport import finish


def login(domain: str, user: str, password: str, *, options: ClientOptions = DEFAULT) -> str | None:
    """Check the credentials and keep them; return the file in which they stand unencrypted, or None with a helper.

    Raises Unauthenticated when the registry does not take them.
    """
    credentials = Credentials(user, password)
    with Session(domain, credentials, with_certificates(options, domain)) as session:
        try:
            response = session.ping()
        except Unauthenticated as error:
            raise _wrong(session) from error
        if response.status == 401:
            finish(response)
            raise _wrong(session)
        if response.status != 200:
            raise session.refused(response, f"login attempt to {session.base}v2/")
        finish(response)
    return AuthFile().store(domain, credentials)


def logout(domain: str) -> bool:
    """Forget the credentials for a registry, and say whether there were any."""
    return AuthFile().erase(domain)


def _wrong(session: Session) -> Unauthenticated:
    return Unauthenticated(
        f"login attempt to {session.base}v2/ failed with status: 401 Unauthorized",
        hint="incorrect username or password",
    )
