"""Records: typed JSON documents by collection and key, with strings that are unique within their collection.

Invariant:    a document and its unique strings come and go together.
Concurrency:  many processes and threads; every call is one transaction, or part of the enclosing one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from jubako.errors import AlreadyExists, DataLoss, NotFound
from jubako.spec import decoding
from jubako.store.database import Database

T = TypeVar("T")
Unique = Mapping[str, str] | Iterable[str]
_LAST = "\U0010ffff"


class Records:
    """All collections of one store."""

    def __init__(self, root: Path) -> None:
        self._database = Database(root / "jubako.db")

    def transaction(self) -> AbstractContextManager[None]:
        """Begin a write transaction (it excludes all other writers: keep slow work out); nested ones join it."""
        return self._database.transaction()

    def collection(self, name: str, type: type[T], *, lasting: bool = True) -> Collection[T]:
        """Return the documents called `name`, each decoded as `type`.

        What is written while it is not `lasting` survives the end of every process, but perhaps not a power cut.
        """
        return Collection(self._database, name, type, lasting=lasting)

    def check(self) -> list[str]:
        """What SQLite finds wrong with the database; nothing, if all is well."""
        return [str(text) for (text,) in self._database.execute("PRAGMA integrity_check(20)") if text != "ok"]

    def close(self) -> None:
        self._database.close()

    def leave(self) -> None:
        """As `close`, but cheap, for a process that is about to end."""
        self._database.leave()


class Collection(Generic[T]):
    """Documents of one type by key. `name` is the word that errors use for one of them."""

    def __init__(self, database: Database, name: str, type: type[T], *, lasting: bool) -> None:
        self.name = name
        self._lasting = lasting
        self._database = database
        self._type = type
        self._decoder = decoding.decoder(type)

    def get(self, key: str) -> T:
        """Return the document of `key`, or raise NotFound."""
        value = self.find(key)
        if value is None:
            raise NotFound(self.name, key)
        return value

    def find(self, key: str) -> T | None:
        rows = self._database.execute("SELECT value FROM records WHERE collection = ? AND key = ?", self.name, key)
        return self._decode(key, rows[0][0]) if rows else None

    def insert(self, key: str, value: T, *, unique: Unique = ()) -> None:
        """Add a document; AlreadyExists names the key or unique string that is taken, and its holder.

        Raises InvalidArgument for one that is not of the collection's type.
        """
        with self._database.transaction():
            try:
                self._change("INSERT INTO records VALUES (?, ?, ?)", self.name, key, self._encode(value))
            except sqlite3.IntegrityError:
                raise AlreadyExists(self.name, key, holder=key) from None
            self._claim(key, unique)

    def replace(self, key: str, value: T, *, unique: Unique | None = None) -> None:
        """Change a document, and its unique strings unless `unique` is None; NotFound, AlreadyExists."""
        self._database.ballast.drop_if_low()
        with self._database.transaction():
            if not self._change(
                "UPDATE records SET value = ? WHERE collection = ? AND key = ?",
                self._encode(value),
                self.name,
                key,
            ):
                raise NotFound(self.name, key)
            if unique is not None:
                self._release(key)
                self._claim(key, unique)

    def delete(self, key: str) -> bool:
        """Remove a document with its unique strings, and say whether it was there."""
        self._database.ballast.drop_if_low()
        with self._database.transaction():
            self._release(key)
            return bool(self._change("DELETE FROM records WHERE collection = ? AND key = ?", self.name, key))

    def by_unique(self, text: str) -> tuple[str, T] | None:
        """Return the key and document that hold a unique string."""
        rows = self._database.execute(
            "SELECT key, value FROM uniques JOIN records USING (collection, key) WHERE collection = ? AND text = ?",
            self.name,
            text,
        )
        return (str(rows[0][0]), self._decode(str(rows[0][0]), rows[0][1])) if rows else None

    def items(self, prefix: str = "", *, after: str = "") -> list[tuple[str, T]]:
        """Return the keys that begin with `prefix` and come after `after`, in order, with their documents."""
        rows = self._database.execute(
            "SELECT key, value FROM records WHERE collection = ? AND key >= ? AND key < ? AND key > ? ORDER BY key",
            self.name,
            prefix,
            prefix + _LAST,
            after,
        )
        return [(str(key), self._decode(str(key), value)) for key, value in rows]

    def holding(self, prefix: str) -> list[tuple[str, T]]:
        """Return the keys and documents that hold a unique string which begins with `prefix`, in order of these."""
        rows = self._database.execute(
            "SELECT key, value FROM uniques JOIN records USING (collection, key)"
            " WHERE collection = ? AND text >= ? AND text < ? ORDER BY text",
            self.name,
            prefix,
            prefix + _LAST,
        )
        return [(str(key), self._decode(str(key), value)) for key, value in rows]

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that begin with `prefix`, in order."""
        rows = self._database.execute(
            "SELECT key FROM records WHERE collection = ? AND key >= ? AND key < ? ORDER BY key",
            self.name,
            prefix,
            prefix + _LAST,
        )
        return [str(key) for (key,) in rows]

    def _change(self, statement: str, *parameters: str | bytes) -> int:
        return self._database.change(statement, *parameters, lasting=self._lasting)

    def _claim(self, key: str, unique: Unique) -> None:
        texts = unique.values() if isinstance(unique, Mapping) else unique
        for text in dict.fromkeys(texts):
            try:
                self._change("INSERT INTO uniques VALUES (?, ?, ?)", self.name, text, key)
            except sqlite3.IntegrityError:
                holder = self._database.execute(
                    "SELECT key FROM uniques WHERE collection = ? AND text = ?", self.name, text
                )
                raise AlreadyExists(self.name, text, holder=str(holder[0][0])) from None

    def _release(self, key: str) -> None:
        self._change("DELETE FROM uniques WHERE collection = ? AND key = ?", self.name, key)

    def _encode(self, value: T) -> bytes:
        """A document that could not be read again would keep everybody from all of the collection."""
        return decoding.encode_checked(value, self._type)

    def _decode(self, key: str, value: object) -> T:
        try:
            return self._decoder.decode(bytes(value))  # type: ignore[call-overload]
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
            raise DataLoss(f"the record of {self.name} {key} is damaged: {error}") from error
