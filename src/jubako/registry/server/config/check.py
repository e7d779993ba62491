"""What a configuration must satisfy beyond the types of its values. Messages end in the key's path, as msgspec's do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from jubako.registry.server.config.schema import Configuration, Remote
from jubako.spec.distribution import is_repository

_PROCESSES_LIMIT = 64


def check(configuration: Configuration) -> None:
    """Raise msgspec.ValidationError for the first thing that cannot be."""
    for problem, where in _problems(configuration):
        raise msgspec.ValidationError(f"{problem} - at `$.{where}`")


def _problems(found: Configuration) -> Iterator[tuple[str, str]]:
    if not 1 <= found.processes <= _PROCESSES_LIMIT:
        yield f"expected a number from 1 to {_PROCESSES_LIMIT}", "processes"
    yield from _access(found)
    yield from _remotes(found)
    for number, hook in enumerate(found.webhooks):
        yield from _url(hook.url, f"webhooks[{number}].url")
    for number, rules in enumerate(found.repositories):
        for position, retention in enumerate(rules.retention or ()):
            if retention.newest is None and retention.max_age is None:
                yield "expected newest, max_age or both", f"repositories[{number}].retention[{position}]"
    for path, where in _files(found):
        if not path.is_file():
            yield f"there is no file {path}", where


def _access(found: Configuration) -> Iterator[tuple[str, str]]:
    access = found.access
    if access.token_service and not (access.htpasswd or access.oidc):
        yield "token authentication needs users: htpasswd or oidc", "access.token_service"
    for number, issuer in enumerate(access.oidc):
        yield from _url(issuer.issuer, f"access.oidc[{number}].issuer")
    for number, rule in enumerate(access.policy or ()):
        for group in sorted(rule.groups - access.groups.keys()):
            if not access.oidc and found.tls is None:
                yield f"there is no group {group}", f"access.policy[{number}].groups"


def _remotes(found: Configuration) -> Iterator[tuple[str, str]]:
    for section, remotes in (("upstreams", found.upstreams), ("peers", found.peers)):
        for number, remote in enumerate(remotes):
            yield from _url(remote.url, f"{section}[{number}].url")
    for number, upstream in enumerate(found.upstreams):
        if not is_repository(upstream.prefix):
            yield f"{upstream.prefix!r} cannot begin a repository's name", f"upstreams[{number}].prefix"


def _url(url: str, where: str) -> Iterator[tuple[str, str]]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        yield f"{url!r} is not an http or https URL without credentials", where


def _files(found: Configuration) -> Iterator[tuple[Path, str]]:
    wanted: list[tuple[Path | None, str]] = [(found.access.htpasswd, "access.htpasswd")]
    if found.tls:
        tls = found.tls
        wanted += [(tls.certificate, "tls.certificate"), (tls.key, "tls.key")]
        wanted.append((tls.client_authorities, "tls.client_authorities"))
    if found.storage.s3:
        wanted.append((found.storage.s3.secret_access_key_file, "storage.s3.secret_access_key_file"))
    remotes: list[tuple[str, Remote]] = [(f"upstreams[{n}]", remote) for n, remote in enumerate(found.upstreams)]
    remotes += [(f"peers[{n}]", remote) for n, remote in enumerate(found.peers)]
    for where, remote in remotes:
        wanted += [(remote.password_file, f"{where}.password_file"), (remote.ca_file, f"{where}.ca_file")]
    wanted += [(hook.secret_file, f"webhooks[{n}].secret_file") for n, hook in enumerate(found.webhooks)]
    return ((path, where) for path, where in wanted if path is not None)
