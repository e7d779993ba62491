"""The objects that a command is about: by files, by names, by a selector, or all of a type."""

from __future__ import annotations

import msgspec

from jubako.cli.kube import fetching
from jubako.cli.kube.client import Client
from jubako.cli.kube.output import documents
from jubako.cluster.client import manifests, operands
from jubako.cluster.client.discovery import Type
from jubako.cluster.client.failure import Refused
from jubako.cluster.client.operands import Wanted
from jubako.cluster.types.document import Object, at, text
from jubako.errors import InvalidArgument, JubakoError

NOTHING_GIVEN = """You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """One object: as the server has it, or (`document` is empty) only by its name."""

    type: Type
    namespace: str
    name: str
    document: Object

    @property
    def path(self) -> str:
        return self.type.path(self.namespace, self.name)

    @property
    def slashed(self) -> str:
        return f"{self.type.full_name}/{self.name}"

    @property
    def uid(self) -> str:
        return text(at(self.document, "metadata", "uid"))


def choose(
    client: Client, words: list[str], *, everything: bool, fetched: bool = True
) -> tuple[list[Chosen], list[JubakoError]]:
    """Return the objects and what could not be had; `everything` says that a type alone means all of it.

    Without `fetched` what is named is not asked for.
    """
    arguments = client.arguments
    if files := arguments.texts("filename"):
        stdin = client.read_stdin() if "-" in files else None
        named = [_named(client, each) for each in manifests.read(files, stdin, recursive=arguments.flag("recursive"))]
        return _fetched(client, named) if fetched else (named, [])
    selected = bool(arguments.text("selector") or arguments.text("field-selector"))
    if not words:
        raise InvalidArgument(NOTHING_GIVEN)
    wanted = operands.read(words, client.discovery, everything=everything or selected, selected=selected)
    if wanted.by_name:
        named = [_of(each, client.namespace, each.name) for each in wanted.wanted]
        return _fetched(client, named) if fetched else (named, [])
    return [one for each in wanted.wanted for one in _all(client, each)], []


def _named(client: Client, manifest: manifests.Manifest) -> Chosen:
    of = client.type_of(manifest)
    namespace = text(at(manifest.document, "metadata", "namespace")) or client.namespace
    return _of(Wanted(type=of), namespace, documents.name_of(manifest.document))


def _of(wanted: Wanted, namespace: str, name: str, document: Object | None = None) -> Chosen:
    within = namespace if wanted.type.namespaced else ""
    return Chosen(type=wanted.type, namespace=within, name=name, document=document or {})


def _fetched(client: Client, named: list[Chosen]) -> tuple[list[Chosen], list[JubakoError]]:
    found: list[Chosen] = []
    failures: list[JubakoError] = []
    for each in named:
        try:
            document = fetching.get(client, each.type, each.name, namespace=each.namespace)
            found.append(msgspec.structs.replace(each, document=document))
        except Refused as refused:
            failures.append(refused)
    return found, failures


def _all(client: Client, wanted: Wanted) -> list[Chosen]:
    arguments = client.arguments
    namespace = "" if arguments.flag("all-namespaces") else client.namespace
    found = fetching.items(
        client,
        wanted,
        namespace=namespace,
        labelSelector=arguments.text("selector"),
        fieldSelector=arguments.text("field-selector"),
    )
    return [_of(wanted, text(at(each, "metadata", "namespace")), documents.name_of(each), each) for each in found]
