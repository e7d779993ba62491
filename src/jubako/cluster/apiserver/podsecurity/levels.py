"""Levels, versions and policies of the Pod Security Standards, as the labels of a namespace name them.

Invariant:    there is always a policy. A label that can not be read enforces the strictest there is, and is audited and
              warned of as if it were not there.
Spec:         "Pod Security Admission", Pod Security Admission labels for namespaces.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from jubako.cluster.types.document import Object, strings
from jubako.cluster.types.validation.errors import Errors, FieldError

Level = Literal["privileged", "baseline", "restricted"]
LEVELS: tuple[Level, ...] = ("privileged", "baseline", "restricted")
"""From what allows all to what allows least."""
PREFIX = "pod-security.kubernetes.io/"
LATEST = 1 << 30
"""The minor version that is newer than any other."""
_VERSION = re.compile(r"v1\.(0|[1-9][0-9]{0,7})", re.ASCII)


class Standard(msgspec.Struct, frozen=True):
    """A level as a version of Kubernetes, v1.`minor`, had it."""

    level: Level = "privileged"
    minor: int = LATEST

    def __str__(self) -> str:
        return f"{self.level}:{'latest' if self.minor == LATEST else f'v1.{self.minor}'}"


class Policy(msgspec.Struct, frozen=True):
    enforce: Standard = Standard()
    audit: Standard = Standard()
    warn: Standard = Standard()


def policy_of(namespace: Object) -> tuple[Policy, list[FieldError]]:
    """Return what a namespace wants, and what is wrong with its labels."""
    labels, errors = strings(namespace.get("labels")), Errors()
    found = {
        mode: Standard(_level(errors, labels, mode), _minor(errors, labels, f"{mode}-version"))
        for mode in ("enforce", "audit", "warn")
    }
    return Policy(**found), errors.found


def _level(errors: Errors, labels: dict[str, str], mode: str) -> Level:
    label = f"{PREFIX}{mode}"
    given = labels.get(label, LEVELS[0])
    if given in LEVELS:
        return given
    errors.invalid(_field(label), given, f"must be one of {', '.join(LEVELS)}")
    return LEVELS[-1] if mode == "enforce" else LEVELS[0]


def _minor(errors: Errors, labels: dict[str, str], name: str) -> int:
    label = f"{PREFIX}{name}"
    given = labels.get(label, "latest")
    if match := _VERSION.fullmatch(given):
        return int(match[1])
    if given != "latest":
        errors.invalid(_field(label), given, 'must be "latest" or "v1.x"')
    return LATEST


def _field(label: str) -> str:
    return f"metadata.labels[{label}]"
