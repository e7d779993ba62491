"""The guestbook's entries, in SQLite."""

import sqlite3
import time

SCHEMA = "CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL, at REAL)"


class Entries:
    """Entries in the database file `path`, oldest first."""

    def __init__(self, path):
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute(SCHEMA)

    def add(self, name, text):
        """Add an entry and return its number; raises ValueError when a field is empty or too long."""
        if not 0 < len(name) <= 80 or not 0 < len(text) <= 1000:
            raise ValueError("a name has 1 to 80 characters, a text 1 to 1000")
        row = self.database.execute("INSERT INTO entry (name, text, at) VALUES (?, ?, ?)", (name, text, time.time()))
        return row.lastrowid

    def all(self):
        """All entries as dictionaries."""
        rows = self.database.execute("SELECT id, name, text, at FROM entry ORDER BY id")
        return [dict(zip(("id", "name", "text", "at"), row, strict=True)) for row in rows]
