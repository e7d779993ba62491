"""Configuration files in TOML, of which a person wrote each: what is wrong with one is told with its path."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

# By its own name: our commands start with msgspec alone (_lean.py).
import msgspec.toml

from jubako.errors import InvalidArgument
from jubako.spec import decoding
from jubako.store.failure import explained

T = TypeVar("T")


def load(path: Path, type: type[T], hint: str) -> T:
    """The file as `type`. Raises InvalidArgument with `hint`, which says where its keys are described."""
    with explained("read", path):
        data = path.read_bytes()
    try:
        return msgspec.toml.decode(data, type=decoding.known(type))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidArgument(f"{path}: {error}", hint=hint) from error
