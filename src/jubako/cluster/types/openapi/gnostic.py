"""An OpenAPI v2 document -> the bytes of an openapi.v2.Document.

`_MESSAGES` has the fields that our documents use: number and form. A form is a scalar (text, flag), a message,
"[...]" a list,
or one of the odd ones: "named" an object whose keys are names, "any" a value as YAML inside a message.

Spec: gnostic's OpenAPIv2.proto.
"""

from __future__ import annotations

import json

from jubako.cluster.types.document import JSON, Object, array, mapping, text
from jubako.cluster.types.protobuf.wire import put_bytes, put_number

_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "document": {
        "swagger": (1, "text"),
        "info": (2, "info"),
        "paths": (8, "paths"),
        "definitions": (9, "definitions"),
    },
    "info": {"title": (1, "text"), "version": (2, "text")},
    "item": {
        "get": (2, "operation"),
        "put": (3, "operation"),
        "post": (4, "operation"),
        "delete": (5, "operation"),
        "patch": (8, "operation"),
        "parameters": (9, "[parameter]"),
    },
    "operation": {
        "produces": (6, "[text]"),
        "consumes": (7, "[text]"),
        "parameters": (8, "[parameter]"),
        "responses": (9, "responses"),
    },
    "response": {"description": (1, "text"), "schema": (2, "choice-schema")},
    "body": {"name": (2, "text"), "in": (3, "text"), "required": (4, "flag"), "schema": (5, "schema")},
    "query": {"in": (2, "text"), "name": (4, "text"), "type": (6, "text")},
    "path": {"required": (1, "flag"), "in": (2, "text"), "name": (4, "text"), "type": (5, "text")},
    "schema": {
        "$ref": (1, "text"),
        "format": (2, "text"),
        "description": (4, "text"),
        "default": (5, "any"),
        "required": (19, "[text]"),
        "additionalProperties": (21, "choice-schema"),
        "type": (22, "types"),
        "items": (23, "choice-schema"),
        "properties": (25, "properties"),
    },
}
# Where a message keeps what begins with x-.
_EXTENSIONS = {"operation": 13, "schema": 31}
# The field of a container of named things, and the message of each value.
_CONTAINERS = {
    "paths": (2, "item"),
    "definitions": (1, "schema"),
    "properties": (1, "schema"),
    "responses": (1, "reply"),
}


def encode(document: Object) -> bytes:
    return _message("document", document)


def _message(form: str, value: Object) -> bytes:
    parts = []
    for name, (number, of) in _MESSAGES[form].items():
        if name in value:
            parts.append(_field(number, of, value[name]))
    if form in _EXTENSIONS:
        extensions = sorted((name, held) for name, held in value.items() if name.startswith("x-"))
        parts += [put_bytes(_EXTENSIONS[form], _named(name, _any(held))) for name, held in extensions]
    return b"".join(parts)


def _field(number: int, form: str, value: JSON) -> bytes:
    if form.startswith("["):
        return b"".join(_field(number, form.strip("[]"), item) for item in array(value))
    if form == "flag":
        return put_number(number, int(bool(value)))
    return put_bytes(number, _value(form, value))


def _value(form: str, value: JSON) -> bytes:
    if form == "text":
        return text(value).encode()
    if form == "any":
        return _any(value)
    if form == "types":
        return put_bytes(1, text(value).encode())
    if form == "choice-schema":
        return put_bytes(1, _message("schema", mapping(value)))
    if form == "parameter":
        return _parameter(mapping(value))
    if form == "reply":
        return put_bytes(1, _message("response", mapping(value)))
    if form in _CONTAINERS:
        number, of = _CONTAINERS[form]
        return b"".join(put_bytes(number, _named(name, _value(of, item))) for name, item in mapping(value).items())
    return _message(form, mapping(value))


def _named(name: str, value: bytes) -> bytes:
    return put_bytes(1, name.encode()) + put_bytes(2, value)


def _any(value: JSON) -> bytes:
    """Return an Any. Its value is YAML, of which JSON is a part."""
    return put_bytes(2, json.dumps(value).encode())


def _parameter(value: Object) -> bytes:
    """Return a ParametersItem, which holds a Parameter, which holds what its place makes of it."""
    if value["in"] == "body":
        return put_bytes(1, put_bytes(1, _message("body", value)))
    place = (4, "path") if value["in"] == "path" else (3, "query")
    return put_bytes(1, put_bytes(2, put_bytes(place[0], _message(place[1], value))))
