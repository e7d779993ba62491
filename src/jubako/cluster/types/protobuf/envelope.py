"""The envelope of protobuf bodies: `k8s\\0` and a runtime.Unknown with apiVersion, kind and the object's own bytes."""

from __future__ import annotations

from jubako.cluster.types.document import Object, text
from jubako.cluster.types.protobuf.decoder import decode
from jubako.cluster.types.protobuf.encoder import encode
from jubako.cluster.types.protobuf.wire import Value, last_fields, put_bytes
from jubako.cluster.types.schema import Message
from jubako.errors import InvalidArgument

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
PREFIX = b"k8s\0"
_TYPE_META, _RAW, _ENCODING, _CONTENT_TYPE = 1, 2, 3, 4
_API_VERSION, _KIND = 1, 2


def opened(body: bytes) -> tuple[str, str, bytes]:
    """Return apiVersion, kind and the bytes of the object; the names are "" where the body has none."""
    if not body.startswith(PREFIX):
        raise InvalidArgument(
            "provided data does not appear to be a protobuf message, expected prefix " + str(list(PREFIX))
        )
    unknown = last_fields(body[len(PREFIX) :])
    if unknown.get(_ENCODING):
        raise InvalidArgument(f"unsupported content encoding: {_text(unknown, _ENCODING)}")
    meta = last_fields(_held(unknown, _TYPE_META))
    return _text(meta, _API_VERSION), _text(meta, _KIND), _held(unknown, _RAW)


def unwrap(message: Message, api_version: str, kind: str, raw: bytes) -> Object:
    """Return the object as a document that names its own kind."""
    return {"kind": kind, "apiVersion": api_version, **decode(message, raw)}


def wrap(message: Message, document: Object) -> bytes:
    meta = put_bytes(_API_VERSION, text(document.get("apiVersion")).encode())
    meta += put_bytes(_KIND, text(document.get("kind")).encode())
    unknown = put_bytes(_TYPE_META, meta) + put_bytes(_RAW, encode(message, document))
    return PREFIX + unknown + put_bytes(_ENCODING, b"") + put_bytes(_CONTENT_TYPE, b"")


def _held(found: dict[int, Value], number: int) -> bytes:
    value = found.get(number, b"")
    if not isinstance(value, bytes):
        raise InvalidArgument("proto: wrong wireType = 0 for field Unknown")
    return value


def _text(found: dict[int, Value], number: int) -> str:
    return _held(found, number).decode("utf-8", "replace")
