"""Which registries stand in for which: mirrors, other locations, plain HTTP, blocked ones; and certificates by host.

Files:  JUBAKO_REGISTRIES_CONF, or ~/.config/jubako/registries.conf, or /etc/jubako/registries.conf; the first there is.
        certs.d/HOST[:PORT]/{ca.crt,client.cert,client.key} beside it, or in /etc/containers or /etc/docker.
Spec:   containers-registries.conf(5), version 2, its [[registry]] tables; a key that is not known here is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from jubako.errors import InvalidArgument, PermissionDenied
from jubako.image.reference import Reference, parse
from jubako.registry.client.options import ClientOptions
from jubako.store import configuration as files

_SYSTEM = Path("/etc/jubako/registries.conf")
_CERTIFICATES = (Path("/etc/containers/certs.d"), Path("/etc/docker/certs.d"))


class Mirror(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    location: str
    insecure: bool = False
    pull_from_mirror: Literal["all", "digest-only", "tag-only"] = "all"


class Registry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Of several that match a name, the one with the longest prefix counts."""

    prefix: str = ""
    location: str = ""
    insecure: bool = False
    blocked: bool = False
    mirror_by_digest_only: bool = False
    mirror: list[Mirror] = []

    @property
    def beginning(self) -> str:
        """What names must begin with."""
        return self.prefix or self.location

    def matches(self, name: str) -> bool:
        wanted = self.beginning
        if wanted.startswith("*."):
            return name.partition("/")[0].partition(":")[0].endswith(wanted[1:])
        return name == wanted or name.startswith((f"{wanted}/", f"{wanted}:"))


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    registry: list[Registry] = []


class Source(msgspec.Struct, frozen=True):
    """One place to ask for an image."""

    ref: Reference
    insecure: bool = False

    def options(self, options: ClientOptions) -> ClientOptions:
        """`options` for this place: its certificates, and whether they matter."""
        own = msgspec.structs.replace(options, insecure=options.insecure or self.insecure)
        return with_certificates(own, self.ref.domain)


def load(path: Path | None = None) -> Configuration:
    """The configuration at `path`, or the first of the usual files; an empty one where there is none."""
    path = path or next((candidate for candidate in _candidates() if candidate.exists()), None)
    if path is None:
        return Configuration()
    return files.load(path, Configuration, "see containers-registries.conf(5), [[registry]]")


def sources(ref: Reference, configuration: Configuration) -> list[Source]:
    """Where to pull `ref` from, in order: mirrors, then the registry itself. PermissionDenied if that is blocked."""
    found = _find(ref, configuration)
    if found is None:
        return [Source(ref)]
    mirrors = [
        _at(ref, found, mirror.location, mirror.insecure) for mirror in found.mirror if _serves(mirror, found, ref)
    ]
    return [*mirrors, origin(ref, configuration)]


def origin(ref: Reference, configuration: Configuration) -> Source:
    """Where `ref` itself is, to push to or as the last to ask."""
    found = _find(ref, configuration)
    if found is None:
        return Source(ref)
    if found.blocked:
        raise PermissionDenied(f"registry {found.beginning} is blocked by registries.conf")
    return _at(ref, found, found.location or found.prefix, found.insecure)


def with_certificates(options: ClientOptions, domain: str) -> ClientOptions:
    """`options` with what certs.d has for the registry called `domain`, where they name nothing of their own."""
    for base in (_SYSTEM.with_name("certs.d"), *_CERTIFICATES):
        directory = base / domain
        if directory.is_dir():
            pair = (directory / "client.cert", directory / "client.key")
            return msgspec.structs.replace(
                options,
                ca_file=options.ca_file or _present(directory / "ca.crt"),
                client_certificate=options.client_certificate or (pair if all(map(_present, pair)) else None),
            )
    return options


def _candidates() -> Iterator[Path]:
    if named := os.environ.get("JUBAKO_REGISTRIES_CONF"):
        yield Path(named)
        return
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    yield Path(home) / "jubako" / "registries.conf"
    yield _SYSTEM


def _find(ref: Reference, configuration: Configuration) -> Registry | None:
    matching = [entry for entry in configuration.registry if entry.beginning and entry.matches(ref.name)]
    return max(matching, key=lambda entry: len(entry.beginning), default=None)


def _serves(mirror: Mirror, registry: Registry, ref: Reference) -> bool:
    if ref.digest:
        return mirror.pull_from_mirror != "tag-only"
    return mirror.pull_from_mirror != "digest-only" and not registry.mirror_by_digest_only


def _at(ref: Reference, registry: Registry, location: str, insecure: bool) -> Source:
    if registry.beginning.startswith("*."):
        if location != registry.beginning:
            raise InvalidArgument(f"registries.conf: {registry.beginning} can not have a location or mirrors")
        return Source(ref, insecure)
    moved = parse(location + ref.name[len(registry.beginning) :] + "@sha256:" + "0" * 64)
    return Source(Reference(moved.domain, moved.path, ref.tag, ref.digest), insecure)


def _present(path: Path) -> Path | None:
    return path if path.exists() else None
