"""jubako registry serve."""

from __future__ import annotations

from pathlib import Path

from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.options import FLAG, INT, TEXT, Arguments, Option, UsageError

_FROM_FILE = ("anonymous-pull", "htpasswd", "listen", "processes", "root", "tls-cert", "tls-key", "token-auth")


def run(call: Call, arguments: Arguments) -> int:
    from jubako.registry.server import configured, load, serve

    file = _path(arguments, "config")
    if file is not None:
        if given := [name for name in _FROM_FILE if arguments.given(name)]:
            raise UsageError(f"--config says it all: leave --{given[0]} out, or write it into the file", 1)
        configuration = load(file)
    else:
        root = arguments.text("root")
        if not root:
            raise UsageError("where are the registry's images? Name a directory with --root", 1)
        configuration = configured(
            Path(root),
            arguments.text("listen"),
            htpasswd=_path(arguments, "htpasswd"),
            token_auth=arguments.flag("token-auth"),
            anonymous_pull=arguments.flag("anonymous-pull"),
            tls_cert=_path(arguments, "tls-cert"),
            tls_key=_path(arguments, "tls-key"),
            processes=arguments.number("processes") or 1,
        )
    serve(configuration, file=file, ready=lambda url: call.line(f"Serving {configuration.root} at {url}"))
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
        Option("config", "", TEXT, "Configuration file (YAML), instead of all other options; SIGHUP reads it again"),
        Option("htpasswd", "", TEXT, "File of users and their bcrypt password hashes"),
        Option("listen", "", TEXT, "ADDRESS:PORT to listen on; port 0 chooses one", "127.0.0.1:5000"),
        Option("processes", "", INT, "Processes that serve", 1),
        Option("root", "", TEXT, "Directory of the registry's images"),
        Option("tls-cert", "", TEXT, "Certificate chain (PEM); without one, plain HTTP is served"),
        Option("tls-key", "", TEXT, "Private key of the certificate (PEM)"),
        Option("token-auth", "", FLAG, "Give out tokens for passwords, as Docker Hub does"),
    ),
    examples=(
        "registry serve --root /srv/registry",
        "registry serve --root /srv/registry --listen 0.0.0.0:443 --tls-cert tls.pem --tls-key tls.key",
        "registry serve --config registry.yaml",
    ),
)
