"""What every object is given when it is made, and what of its metadata a client can not set.

Spec: API conventions, "Metadata"; k8s.io/apiserver/pkg/registry/rest (create, meta).
"""

from __future__ import annotations

import os
import uuid
from datetime import datetime

from jubako.cluster.apiserver import failures
from jubako.cluster.types import times
from jubako.cluster.types.document import Object, child, mapping, text
from jubako.cluster.types.served import Resource

# No vowels, and nothing that reads as another: five of them never make a word.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX, _GENERATED_MAX = 5, 58
_OURS = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion")
_KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


def place(document: Object, resource: Resource, namespace: str) -> None:
    """Put the object into the namespace of its request. Raises Failure where it names another."""
    metadata = child(document, "metadata")
    given = text(metadata.get("namespace"))
    if given not in ("", namespace):
        raise failures.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if resource.namespaced:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)


def begin(document: Object, now: datetime) -> None:
    """Give a new object its uid and time; names that are to be made up are made up by `named`."""
    metadata = child(document, "metadata")
    if metadata.get("resourceVersion"):
        raise failures.bad_request("resourceVersion should not be set on objects to be created")
    for name in _OURS:
        metadata.pop(name, None)
    metadata["uid"] = str(uuid.uuid4())
    metadata["creationTimestamp"] = times.render(now)


def named(document: Object) -> bool:
    """Make up a name from generateName where there is none; tell whether it was made up."""
    metadata = child(document, "metadata")
    beginning = text(metadata.get("generateName"))
    if metadata.get("name") or not beginning:
        return False
    metadata["name"] = beginning[:_GENERATED_MAX] + suffix()
    return True


def suffix() -> str:
    """Return what makes a name unlike all others."""
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in os.urandom(_SUFFIX))


def keep(document: Object, old: Object) -> None:
    """What an update can not change of the metadata stays as it was."""
    metadata, before = child(document, "metadata"), mapping(old.get("metadata"))
    for name in _KEPT:
        metadata.pop(name, None)
        if name in before:
            metadata[name] = before[name]


def name_of(document: Object) -> str:
    return text(mapping(document.get("metadata")).get("name"))


def finalizers(document: Object) -> list[str]:
    found = mapping(document.get("metadata")).get("finalizers")
    return [text(each) for each in found] if isinstance(found, list) else []
