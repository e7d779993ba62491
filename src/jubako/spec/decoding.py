"""Decoders by the type of what they read, each made once and by one thread at a time.

Model:        msgspec keeps what it knows of a class on the class, and puts it there before it has all of it, since a
              class may contain itself. Python code runs meanwhile: another thread that decoded then would find null
              pointers, a segmentation fault. msgspec 0.22, StructInfo_Convert; may go when that waits as without a GIL.
Invariant:    msgspec is given no type but through here (tests/arch).
Concurrency:  any thread. The lock is held while msgspec looks at a type; what is known is found without it.
"""

from __future__ import annotations

from _thread import RLock
from typing import Any, TypeVar

import msgspec

from jubako.errors import InvalidArgument

T = TypeVar("T")

# One for all types, since they share classes. A signal handler may come here within the same thread.
_lock = RLock()
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def decode(data: bytes | str, type: type[T]) -> T:
    """Decode JSON as `type`; raises msgspec.DecodeError, and ValidationError with the path of what is wrong."""
    return decoder(type).decode(data)


def decoder(type: type[T]) -> msgspec.json.Decoder[T]:
    """The decoder of JSON as `type`, for any thread to use."""
    found = _decoders.get(type)
    if found is None:
        with _lock:
            found = _decoders[type] = msgspec.json.Decoder(type)
    return found


def encode_checked(value: T, type: type[T]) -> bytes:
    """The JSON of a value, which can be read again as `type`; raises InvalidArgument with the path of what is wrong."""
    try:
        data = msgspec.json.encode(value)
        decoder(type).decode(data)
    except UnicodeEncodeError as error:
        raise InvalidArgument(not_utf8(error)) from None
    except (msgspec.ValidationError, TypeError) as error:
        raise InvalidArgument(f"{type.__name__}: {error}") from None
    return data


def not_utf8(error: UnicodeEncodeError) -> str:
    """What is wrong with a text that came from bytes which are no text."""
    shown = error.object.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return f"'{shown}' is not valid UTF-8"


def known(type: T) -> T:
    """Return a type itself, which may be given to msgspec's other functions from here on."""
    kind: Any = type
    decoder(kind)
    return type
