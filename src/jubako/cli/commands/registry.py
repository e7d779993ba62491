"""jubako registry serve."""

from __future__ import annotations

from pathlib import Path

from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.options import FLAG, TEXT, Arguments, Option, UsageError


def run(call: Call, arguments: Arguments) -> int:
    root = arguments.text("root")
    if not root:
        raise UsageError("where are the registry's images? Name a directory with --root", 1)
    from jubako.registry.server import serve

    serve(
        arguments.text("listen"),
        Path(root),
        htpasswd=_path(arguments, "htpasswd"),
        ready=lambda url: call.line(f"Serving {root} at {url}"),
        token_auth=arguments.flag("token-auth"),
        anonymous_pull=arguments.flag("anonymous-pull"),
        tls_cert=_path(arguments, "tls-cert"),
        tls_key=_path(arguments, "tls-key"),
    )
    return 0


def _path(arguments: Arguments, name: str) -> Path | None:
    text = arguments.optional(name)
    return Path(text) if text else None


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("anonymous-pull", "", FLAG, "Let everybody pull; only pushing and deleting need a password"),
        Option("htpasswd", "", TEXT, "File of users and their bcrypt password hashes"),
        Option("listen", "", TEXT, "ADDRESS:PORT to listen on; port 0 chooses one", "127.0.0.1:5000"),
        Option("root", "", TEXT, "Directory of the registry's images"),
        Option("tls-cert", "", TEXT, "Certificate chain (PEM); without one, plain HTTP is served"),
        Option("tls-key", "", TEXT, "Private key of the certificate (PEM)"),
        Option("token-auth", "", FLAG, "Give out tokens for passwords, as Docker Hub does"),
    ),
)
