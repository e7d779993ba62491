"""The Accept header: in which form and as which media type a client wants the answer.

Spec: RFC 9110, 12.5.1; "Kubernetes API Concepts", Alternate representations; Receiving resources as Tables.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from jubako.cluster.apiserver import failures

Form = Literal["", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"]
_FORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
JSON_TYPE, YAML_TYPE = "application/json", "application/yaml"
_TYPES = {"application/json": JSON_TYPE, "*/*": JSON_TYPE, "application/*": JSON_TYPE, "application/yaml": YAML_TYPE}


class Wanted(msgspec.Struct, frozen=True):
    """`form` is "" for objects as they are."""

    media_type: str = JSON_TYPE
    form: Form = ""


def wanted(accept: str) -> Wanted:
    """Return the first that we have of what a client accepts. Raises Failure (406)."""
    for choice in accept.split(",") if accept.strip() else ["*/*"]:
        media_type, *rest = (part.strip() for part in choice.split(";"))
        found = _TYPES.get(media_type)
        options = dict(option.partition("=")[::2] for option in rest)
        form = options.get("as", "")
        if found is None or options.get("v", "v1") != "v1" or options.get("g", "meta.k8s.io") != "meta.k8s.io":
            continue
        if form == "":
            return Wanted(found)
        for known in _FORMS:
            if form == known:
                return Wanted(found, known)  # type: ignore[arg-type]
    message = f"only the following media types are accepted: {JSON_TYPE}, {YAML_TYPE}"
    raise failures.failure(406, "NotAcceptable", message, {})
