"""What commands that change objects share: whether it is only tried, and what is said of an object that was changed."""

from __future__ import annotations

from typing import cast

from jubako.cli.kube.chosen import Chosen
from jubako.cli.kube.client import Client
from jubako.cli.kube.output.choice import form
from jubako.cluster.client.applying import DryRun
from jubako.errors import InvalidArgument


def dry_run(client: Client) -> DryRun:
    """Return what --dry-run says. Raises InvalidArgument."""
    value = client.arguments.text("dry-run")
    if value not in ("none", "client", "server"):
        raise InvalidArgument(f'Invalid dry-run value ({value}). Must be "none", "server", or "client".')
    return cast("DryRun", value)


def dry_run_note(value: DryRun) -> str:
    """Return what stands behind a verb that was only tried."""
    return {"none": "", "client": " (dry run)", "server": " (server dry run)"}[value]


def tell(client: Client, chosen: Chosen, done: str) -> None:
    """Say what was done to an object, or print it as --output wants it."""
    output = client.arguments.text("output")
    if output == "name":
        client.line(chosen.slashed)
    elif made := form(output):
        client.out(made(client.connection.get(chosen.path)))
    else:
        client.line(f"{chosen.slashed} {done}{dry_run_note(dry_run(client))}")
