"""What Kubernetes refuses, in its words: `spec.containers[0].image: Required value`.

errors      what is wrong with which field; the 422 Status
names       the rules for names, labels and keys
metadata    what every object carries
enums       the closed sets of values, by a walk through the table
kinds       which functions check a kind, when it is new and when it changes
and one module for each family of kinds

Model:      a check takes `Errors`, a path and a part of a defaulted document, and adds what it finds; it never stops
            at the first.
Invariant:  a document that passed no check is never stored; one that is stored passes again unchanged.
Spec:       k8s.io/kubernetes/pkg/apis/*/validation, as of 1.32.
"""

from __future__ import annotations

from jubako.cluster.types.validation.errors import Errors, FieldError, invalid_status
from jubako.cluster.types.validation.kinds import (
    validate,
    validate_ephemeral_containers,
    validate_status_update,
    validate_update,
)

__all__ = [
    "Errors",
    "FieldError",
    "invalid_status",
    "validate",
    "validate_ephemeral_containers",
    "validate_status_update",
    "validate_update",
]
