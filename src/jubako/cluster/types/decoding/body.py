"""A request body -> a document of a kind that the table has: media type, kind, and what fieldValidation says of the
rest.

JSON and YAML are conformed; protobuf carries field numbers, so that what is unknown there is skipped unseen, as in
Kubernetes.
All that can be wrong with a body is InvalidArgument with the sentence that Kubernetes answers 400 with.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from jubako.cluster.types.decoding.conform import Conforming
from jubako.cluster.types.decoding.parsing import parse as parse_json
from jubako.cluster.types.document import JSON, Object, text
from jubako.cluster.types.protobuf import envelope
from jubako.cluster.types.resources import kind
from jubako.cluster.types.served import Kind
from jubako.errors import InvalidArgument, ResourceExhausted

MAX_BODY_BYTES = 3 * 1024 * 1024
JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE = "application/json", "application/yaml", envelope.MEDIA_TYPE
MEDIA_TYPES = (JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE)
FieldValidation = Literal["Ignore", "Warn", "Strict"]


class Decoded(msgspec.Struct, frozen=True):
    """A document of `kind`, and the warnings that go into the answer's headers."""

    kind: Kind
    document: Object
    warnings: list[str]


def decode(
    body: bytes,
    expected: Kind,
    *,
    media_type: str = JSON_TYPE,
    validation: FieldValidation = "Warn",
    any_kind: bool = False,
) -> Decoded:
    """Return the document in a body that is sent to where `expected` lives.

    A body without apiVersion and kind is of the expected kind; one of another kind is refused, unless `any_kind`
    says that
    the caller takes several.
    """
    if len(body) > MAX_BODY_BYTES:
        raise ResourceExhausted(f"Request entity too large: limit is {MAX_BODY_BYTES}")
    if media_type == PROTOBUF_TYPE:
        return Decoded(*_protobuf(body, expected, any_kind), [])
    value = _parsed(body, expected, media_type)
    if not isinstance(value, dict):
        raise _unrecognized(expected, "json: cannot unmarshal value into Go value of type struct", body)
    found = _kind(text(value.get("apiVersion")), text(value.get("kind")), expected, any_kind, body)
    document, warnings = conform(found, value, validation)
    return Decoded(found, document, warnings)


def conform(found: Kind, value: Object, validation: FieldValidation = "Warn") -> tuple[Object, list[str]]:
    """Return a document of a kind from parsed values (a body, or what a patch made), and the warnings."""
    walk = Conforming()
    try:
        document = walk.message(found.message, value)
    except InvalidArgument as error:
        raise InvalidArgument(_cannot_be(found, found, error.message)) from None
    problems = list(walk.problems.found)
    if problems and validation == "Strict":
        raise InvalidArgument(_cannot_be(found, found, "strict decoding error: " + ", ".join(problems)))
    named: Object = {"kind": found.name, "apiVersion": found.api_version}
    return {**named, **document, **named}, problems if validation == "Warn" else []


def _parsed(body: bytes, expected: Kind, media_type: str) -> JSON:
    try:
        if media_type == YAML_TYPE:
            from jubako.cluster.types.decoding import yamltext

            return yamltext.parse(body)
        return parse_json(body)
    except InvalidArgument as error:
        raise _unrecognized(expected, f"couldn't get version/kind; json parse error: {error.message}", body) from None


def _protobuf(body: bytes, expected: Kind, any_kind: bool) -> tuple[Kind, Object]:
    try:
        api_version, name, raw = envelope.opened(body)
    except InvalidArgument as error:
        raise _unrecognized(expected, error.message, body) from None
    found = _kind(api_version, name, expected, any_kind, body)
    try:
        return found, envelope.unwrap(found.message, found.api_version, found.name, raw)
    except InvalidArgument as error:
        raise InvalidArgument(_cannot_be(found, expected, error.message)) from None


def _kind(api_version: str, name: str, expected: Kind, any_kind: bool, body: bytes) -> Kind:
    name, api_version = name or expected.name, api_version or expected.api_version
    found = kind(api_version, name)
    if found is None and (api_version, name) == (expected.api_version, expected.name):
        found = expected
    if found is None:
        raise _unrecognized(expected, f'no kind "{name}" is registered for version "{api_version}"', body)
    if any_kind or (found.api_version, found.name) == (expected.api_version, expected.name):
        return found
    if found.message_name == expected.message_name:
        # Another version of the same form, as old clients send it.
        return expected
    if found.name != expected.name:
        converting = f"converting ({found.name}) to ({expected.name}): unknown conversion"
        raise InvalidArgument(_cannot_be(found, expected, converting))
    given, wanted = found.api_version, expected.api_version
    raise InvalidArgument(f"the API version in the data ({given}) does not match the expected API version ({wanted})")


def _cannot_be(found: Kind, expected: Kind, reason: str) -> str:
    return f'{found.name} in version "{found.version}" cannot be handled as a {expected.name}: {reason}'


def _unrecognized(expected: Kind, reason: str, body: bytes) -> InvalidArgument:
    shown = body[:30].decode("utf-8", "replace") + (" ..." if len(body) > 30 else "")
    return InvalidArgument(f"the object provided is unrecognized (must be of type {expected.name}): {reason} ({shown})")
