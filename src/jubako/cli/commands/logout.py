"""jubako logout."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import AT_MOST_ONE, Command
from jubako.cli.commands.login import domain_of
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    from jubako.registry import client

    server = domain_of(arguments)
    if client.logout(server):
        call.line(f"Removing login credentials for {server}")
    else:
        call.line(f"Not logged in to {server}")
    return 0


COMMAND = Command(run, "[SERVER]", AT_MOST_ONE, details="If no server is specified, Docker Hub is meant.")
