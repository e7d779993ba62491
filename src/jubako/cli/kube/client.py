"""One command's way to a cluster: which server, which namespace, and what becomes of failures."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from jubako.cli.call import Call
from jubako.cli.failure import Exit
from jubako.cli.options import Arguments
from jubako.cluster.client import config, failure
from jubako.cluster.client.connection import Connection
from jubako.cluster.client.discovery import Discovery, Type
from jubako.cluster.client.failure import Said
from jubako.cluster.client.manifests import Manifest
from jubako.cluster.types.document import at, text
from jubako.errors import JubakoError


class Client:
    """What a verb gets: `connection` and `discovery` open at their first use; `namespace` is the one that is meant."""

    def __init__(self, call: Call, arguments: Arguments) -> None:
        self.call, self.arguments = call, arguments
        self.out, self.error = call.out, call.error

    def line(self, text: str) -> None:
        self.out(f"{text}\n")

    @cached_property
    def target(self) -> config.Target:
        return config.load(_paths(self.call, self.arguments), self.arguments.text("context"))

    @cached_property
    def connection(self) -> Connection:
        return Connection(self.target, self.error)

    @cached_property
    def discovery(self) -> Discovery:
        return Discovery(self.connection)

    def type_of(self, manifest: Manifest) -> Type:
        """Return the type of an object in a file. Raises Said."""
        if found := self.discovery.of(manifest.document):
            return found
        kind, version = (str(manifest.document.get(name)) for name in ("kind", "apiVersion"))
        name = text(at(manifest.document, "metadata", "name"))
        raise Said(
            f'error: resource mapping not found for name: "{name}" namespace: "{self.explicit_namespace}" from '
            f'"{manifest.source}": no matches for kind "{kind}" in version "{version}"\nensure CRDs are installed first'
        )

    def read_stdin(self) -> bytes:
        """Return all of standard input."""
        with open(self.call.streams.stdin, "rb", closefd=False) as stream:
            return stream.read()

    @property
    def explicit_namespace(self) -> str:
        return self.arguments.text("namespace")

    @property
    def namespace(self) -> str:
        return self.explicit_namespace or self.target.namespace


def run(call: Call, arguments: Arguments, verb: Callable[[Client], int | None]) -> int:
    """Do what a verb does; what goes wrong is said in kubectl's words, and ends with 1."""
    try:
        return verb(Client(call, arguments)) or 0
    except JubakoError as error:
        if call.debug:
            raise
        raise Exit(1, failure.words(error)) from None


def _paths(call: Call, arguments: Arguments) -> list[Path]:
    """Return the kubeconfig files that count: what was named, else this machine's cluster, else the user's own."""
    from jubako.cli.cluster import place_named

    if given := arguments.text("kubeconfig"):
        if not Path(given).exists():
            raise Exit(1, f"error: stat {given}: no such file or directory")
        return [Path(given)]
    if name := arguments.text("cluster"):
        return [place_named(call, name).kubeconfig]
    if listed := [Path(part) for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]:
        return listed
    own = place_named(call, "default").kubeconfig
    return [own] if own.exists() else [Path.home() / ".kube" / "config"]
