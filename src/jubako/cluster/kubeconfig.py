"""The file by which clients find a cluster and are let in. Spec: "Organizing Cluster Access Using kubeconfig Files"."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import yaml

from jubako.cluster.types.document import JSON, Object
from jubako.errors import FailedPrecondition


def kubeconfig(name: str, server: str, authority: Path, certificate: Path, key: Path) -> bytes:
    """Return a kubeconfig with everything in it, so that it can be carried elsewhere."""
    of = _of(name)
    document: Object = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": _one(of, "cluster", {"server": server, "certificate-authority-data": _data(authority)}),
        "users": _one(
            f"{of}-admin", "user", {"client-certificate-data": _data(certificate), "client-key-data": _data(key)}
        ),
        "contexts": _one(of, "context", {"cluster": of, "user": f"{of}-admin"}),
        "current-context": of,
    }
    return yaml.safe_dump(document, sort_keys=False).encode()


def check_replaceable(path: Path, name: str) -> None:
    """Raise FailedPrecondition where the file leads to other clusters than `name` too: they would be lost with it."""
    if not path.exists():
        return
    try:
        known = yaml.safe_load(path.read_bytes())
        clusters = {each["name"] for each in known["clusters"]} if known else set()
    except (yaml.YAMLError, TypeError, KeyError):
        clusters = {""}
    if clusters - {_of(name)}:
        raise FailedPrecondition(
            f"{path} is no kubeconfig of cluster {name} alone, and would be replaced",
            hint="name another file; KUBECONFIG takes several, with a colon between them",
        )


def write(path: Path, data: bytes) -> None:
    """Put the file in place, whole; it holds a key, so that nobody else may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as stream:
        stream.write(data)
    draft.rename(path)


def _of(name: str) -> str:
    return f"jubako-{name}"


def _one(name: str, kind: str, value: Object) -> list[JSON]:
    return [{"name": name, kind: value}]


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
