"""The table has the fields that the Python client's models have, every one and no other."""

from __future__ import annotations

from pathlib import Path

import kubernetes.client
import pytest

import jubako.cluster.types
from jubako.cluster.types.schema import message

pytestmark = pytest.mark.clients
FACTS = Path(jubako.cluster.types.__file__).parent / "facts"
# The model of this name is that of the meta package; core's, of a pod's condition, has the uid alone.
OTHER = {"core/v1.Preconditions"}


def messages() -> list[str]:
    found = []
    for path in sorted(FACTS.glob("*_v*.txt")):
        lines = path.read_text("utf-8").splitlines()
        found += [f"{path.stem.replace('_', '/')}.{line.split()[0]}" for line in lines if not line.startswith(" ")]
    return found


def model(name: str) -> type | None:
    """Return the client's model of a message: V1Pod, or with the group in front where several have the name."""
    package, _, local = name.partition(".")
    group, version = package.split("/")
    for prefix in ("", group.capitalize()):
        if found := getattr(kubernetes.client, f"{prefix}{version.upper()}{local}", None):
            return found
    return None


def test_fields_are_those_of_the_clients_models() -> None:
    compared = 0
    for name in messages():
        if name not in OTHER and (found := model(name)):
            assert set(found.attribute_map.values()) == message(name).by_name.keys(), name
            compared += 1
    assert compared > 400
