"""Import what every call needs without what it brings along and no call uses: a third of a cold start.

For the processes of our own commands alone: a program that imports jubako has its modules as they are.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType

from jubako._invoke import FEW_COLLECTIONS

_URLS = ("urllib", "urllib.parse")
_UNUSED = (
    "decimal",
    "typing_extensions",
    "uuid",
    "msgspec._json_schema",
    "msgspec.inspect",
    "msgspec.msgpack",
    "msgspec.toml",
    "msgspec.yaml",
)


def import_lean() -> None:
    """Import pathlib and msgspec, each alone."""
    gc.set_threshold(FEW_COLLECTIONS)
    _import_pathlib()
    _import_msgspec()


def _import_pathlib() -> None:
    """It knows how to write a file: URL, until Python 3.12 by names from urllib, which brings ipaddress."""
    with _hidden(_URLS):
        import pathlib
    if hasattr(pathlib, "urlquote_from_bytes"):
        pathlib.urlquote_from_bytes = _quote


def _quote(path: bytes) -> str:
    from urllib.parse import quote_from_bytes

    return quote_from_bytes(path)


def _import_msgspec() -> None:
    """It prefers typing_extensions to typing where that is installed, which has inspect, ast and tokenize with it.

    Since Python 3.11 typing has all that msgspec takes from there. It can read and write decimal numbers and UUIDs,
    which no document of ours has. Of its own modules the formats but JSON, and schemas, can be imported by name
    afterwards.
    """
    with _hidden(_UNUSED) as names, suppress(ImportError):  # The command that needs it says so.
        import msgspec

        for name in names:
            msgspec.__dict__.pop(name.rpartition(".")[2], None)


@contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[list[str]]:
    """Have imports of `names` find an empty module, but for those that are imported already; yields those hidden."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update({name: _Absent(name) for name in hidden})
    try:
        yield hidden
    finally:
        for name in hidden:
            del sys.modules[name]


class _Absent(ModuleType):
    """In the place of a module: whatever is taken from it is a class without objects."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__") or self.__name__ == "typing_extensions":  # as if it were not installed
            raise AttributeError(name)
        return type(name, (), {"unknown": None})  # msgspec looks for uuid.SafeUUID.unknown
