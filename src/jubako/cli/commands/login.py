"""jubako login."""

from __future__ import annotations

import os

from jubako.cli.call import Call
from jubako.cli.command import AT_MOST_ONE, Command
from jubako.cli.failure import Exit
from jubako.cli.options import FLAG, TEXT, Arguments, Option

HUB = "docker.io"


def run(call: Call, arguments: Arguments) -> int:
    from jubako.registry import client

    server = domain_of(arguments)
    user = arguments.text("username")
    password = _password(call, arguments, user)
    if not user:
        user = _ask(call, "Username: ")
    if not password:
        password = _ask_secret(call)
    stored = client.login(server, user, password)
    if stored:
        call.error(
            f"\nWARNING! Your credentials are stored unencrypted in '{stored}'.\n"
            "Configure a credential helper to remove this warning.\n"
        )
    call.line("Login Succeeded")
    return 0


def domain_of(arguments: Arguments) -> str:
    """The registry that was named, without a scheme; Docker Hub by default."""
    if not arguments.operands:
        return HUB
    text = arguments.operands[0]
    return text.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _password(call: Call, arguments: Arguments, user: str) -> str:
    if not arguments.flag("password-stdin"):
        if arguments.text("password"):
            call.error("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
        return arguments.text("password")
    if arguments.text("password"):
        raise Exit(1, "--password and --password-stdin are mutually exclusive")
    if not user:
        raise Exit(1, "the --password-stdin option requires --username to be set")
    data = b""
    while chunk := os.read(call.streams.stdin, 65536):
        data += chunk
    return data.decode().rstrip("\r\n")


def _ask(call: Call, prompt: str) -> str:
    if not call.is_terminal(call.streams.stdin):
        raise Exit(1, "Error: Cannot perform an interactive login from a non TTY device")
    call.out(prompt)
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(call.streams.stdin, 1)
        if not byte:
            break
        line += byte
    answer = line.decode().strip()
    if not answer:
        raise Exit(1, "Error: username is required")
    return answer


def _ask_secret(call: Call) -> str:
    if not call.is_terminal(call.streams.stdin):
        raise Exit(1, "Error: Cannot perform an interactive login from a non TTY device")
    import getpass

    secret = getpass.getpass("Password: ")
    if not secret:
        raise Exit(1, "Error: password is required")
    return secret


COMMAND = Command(
    run,
    "[OPTIONS] [SERVER]",
    AT_MOST_ONE,
    (
        Option("password", "p", TEXT, "Password or Personal Access Token (PAT)"),
        Option("password-stdin", "", FLAG, "Take the Password or Personal Access Token (PAT) from stdin"),
        Option("username", "u", TEXT, "Username"),
    ),
    details="Defaults to Docker Hub if no server is specified.",
)
