"""kubeconfig files: several are read as one, where the first that says something is right.

Spec: "Organizing Cluster Access Using kubeconfig Files"; k8s.io/client-go/tools/clientcmd/api/v1.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path

import msgspec

from jubako.cluster.types.decoding import yamltext
from jubako.cluster.types.document import JSON, Object, at, mapping, objects, text
from jubako.errors import FailedPrecondition, InvalidArgument

_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
# What we can not do must not be left out in silence: the server would be asked by another way, or as another user.
_REFUSED = ("proxy-url", "auth-provider")


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server is, and as whom it is asked; what is absent is empty."""

    server: str
    namespace: str
    cluster: Object
    user: Object

    def material(self, name: str) -> bytes | None:
        """Return a certificate or key: as it stands in the file, or of the file that is named there."""
        for section in (self.cluster, self.user):
            if inline := text(section.get(f"{name}-data")):
                return _decoded(name, inline)
            if path := text(section.get(name)):
                return _read(Path(path))
        return None


def load(paths: Sequence[Path], context: str = "") -> Target:
    """Return what the files say of a context, the current one by default; files that are not there are passed over.

    Raises InvalidArgument, FailedPrecondition where no file says which server.
    """
    merged: dict[str, dict[str, Object]] = {"clusters": {}, "users": {}, "contexts": {}}
    for document in [_document(path) for path in paths if path.exists()]:
        context = context or text(document.get("current-context"))
        for kind, found in merged.items():
            for each in objects(document.get(kind)):
                found.setdefault(text(each.get("name")), mapping(each.get(kind[:-1])))
    if not context:
        raise FailedPrecondition("no cluster is known", hint="jubako cluster up, or --kubeconfig FILE")
    return _target(merged, context)


def _target(merged: dict[str, dict[str, Object]], context: str) -> Target:
    chosen = _named(merged["contexts"], "context", context)
    cluster = _named(merged["clusters"], "cluster", text(chosen.get("cluster")))
    user = _named(merged["users"], "user", text(chosen["user"])) if chosen.get("user") else {}
    for name in _REFUSED:
        if name in cluster or name in user:
            raise InvalidArgument(f"{name} of a kubeconfig is not supported")
    return Target(
        server=text(cluster.get("server")).rstrip("/"),
        namespace=text(chosen.get("namespace")) or "default",
        cluster=cluster,
        user=user,
    )


def _named(found: dict[str, Object], kind: str, name: str) -> Object:
    if name not in found:
        raise InvalidArgument(f'{kind} "{name}" does not exist')
    return found[name]


def _document(path: Path) -> Object:
    """Return a file, the paths in it as seen from there."""
    try:
        document = mapping(yamltext.parse(_read(path)))
    except InvalidArgument as error:
        raise InvalidArgument(f'error loading config file "{path}": {error.message}') from None
    for kind in ("clusters", "users"):
        for each in objects(document.get(kind)):
            section = mapping(at(each, kind[:-1]))
            section.update(_absolute(section, path.parent))
    return document


def _absolute(section: Object, base: Path) -> dict[str, JSON]:
    return {name: str(base / text(section[name])) for name in _FILES if text(section.get(name))}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidArgument(f"unable to read {path}: {error.strerror}") from None


def _decoded(name: str, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise InvalidArgument(f"{name}-data of the kubeconfig is not base64") from None
