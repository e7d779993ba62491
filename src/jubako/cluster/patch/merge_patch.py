"""JSON Merge Patch. Spec: RFC 7386."""

from __future__ import annotations

from jubako.cluster.types.document import JSON


def apply_merge(document: JSON, patch: JSON) -> JSON:
    """Return `document` with the members of `patch`; null removes a member, and lists are replaced."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = apply_merge(result.get(name), value)
    return result
