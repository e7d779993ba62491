"""The file by which clients find a cluster and are let in. Spec: "Organizing Cluster Access Using kubeconfig Files"."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import yaml

from jubako.cluster.types.document import JSON, Object


def kubeconfig(name: str, server: str, authority: Path, certificate: Path, key: Path) -> bytes:
    """Return a kubeconfig with everything in it, so that it can be carried elsewhere."""
    of = f"jubako-{name}"
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


def write(path: Path, data: bytes) -> None:
    """Put the file in place, whole; it holds a key, so that nobody else may read it."""
    draft = path.with_name(f".{path.name}.new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as stream:
        stream.write(data)
    draft.rename(path)


def _one(name: str, kind: str, value: Object) -> list[JSON]:
    return [{"name": name, kind: value}]


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
