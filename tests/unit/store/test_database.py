"""Transactions that are interrupted where nothing of ours runs."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn

import pytest
from tests.waiting import until

from jubako.store.database import Database

WRITE = "INSERT INTO records VALUES ('c', ?, '')"


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def wait_in_begin(thread: int) -> None:
    """Return when a thread stays where it is in transaction(): it waits for its turn to write."""
    places: list[tuple[str, int]] = []

    def stays() -> bool:
        frame = sys._current_frames()[thread]
        places.append((frame.f_code.co_name, frame.f_lasti))
        return len(places) > 20 and {*places[-20:]} == {("transaction", frame.f_lasti)}

    until(stays)


def test_an_interrupt_while_it_waits_to_write_leaves_no_transaction_behind(tmp_path: Path) -> None:
    database = Database(tmp_path / "jubako.db")
    database.execute("SELECT 1")
    other = sqlite3.connect(database.path, isolation_level=None, check_same_thread=False, timeout=0)
    other.execute("BEGIN IMMEDIATE")
    main = threading.get_ident()

    def free_after_interrupt() -> None:
        try:
            wait_in_begin(main)
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            other.execute("ROLLBACK")

    freeing = threading.Thread(target=free_after_interrupt, daemon=True)
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        freeing.start()
        with pytest.raises(KeyboardInterrupt), database.transaction():
            pytest.fail("it was not interrupted")
    finally:
        signal.signal(signal.SIGINT, before)
        freeing.join()
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    with database.transaction():
        database.change(WRITE, "after", lasting=False)
    assert other.execute("SELECT key FROM records").fetchall() == [("after",)]
    other.close()
    database.close()
