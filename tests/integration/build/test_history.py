"""The records of builds: how they ended, what they printed, and that they do not pile up."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jubako.build import CommandFailed
from jubako.build.history import KEPT, BuildRecord, History
from jubako.build.progress import Silent
from jubako.errors import Conflict, NotFound

from .conftest import Site

pytestmark = pytest.mark.root

KILLED = """
import os, sys
from pathlib import Path
from jubako.build.history import BuildRecord, History
from jubako.build.progress import Silent
from jubako.store import Store
root = Path(sys.argv[1])
with History(Store.open(root), root).recorded("killed", BuildRecord(name="n", context=".", dockerfile="D"), Silent()):
    os.kill(os.getpid(), 9)
"""


def test_each_build_has_a_record_and_its_plain_progress(site: Site) -> None:
    history = History(site.store, site.root)
    built = site.build("FROM base\nRUN echo hello\n", tags=["app"])
    site.build()
    with pytest.raises(CommandFailed):
        site.build("FROM base\nRUN echo last words; exit 3\n")
    (_, failed), (_, again), (ref, first) = history.list()
    assert (first.status, again.status, failed.status) == ("Completed", "Completed", "Error")
    assert ref == built.ref
    assert first.names == ["docker.io/library/app:latest"]
    assert first.image == built.image_id
    assert (first.cached, again.cached) == (0, 1)
    assert "exit code: 3" in failed.error
    assert "hello" in history.log_path(ref).read_text()
    assert "last words" in history.log_path(history.get("")[0]).read_text()
    assert history.get(ref[:10])[0] == ref
    history.remove(ref)
    assert not history.log_path(ref).exists()
    with pytest.raises(NotFound, match="no record found for ref"):
        history.get(ref)


def test_a_killed_build_is_not_shown_as_running(site: Site) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(site.root)], check=False)
    assert done.returncode == -9
    history = History(site.store, site.root)
    assert history.get("killed")[1].status == "Canceled"
    with history.recorded("running", BuildRecord(name="n", context=".", dockerfile="D"), Silent()):
        assert history.get("running")[1].status == "Running"
        with pytest.raises(Conflict):
            history.remove("running")


def test_a_log_whose_record_is_not_there_goes_with_the_next_build(site: Site) -> None:
    """As a kill leaves it between the two."""
    history = History(site.store, site.root)
    with history.recorded("runs", BuildRecord(name="n", context=".", dockerfile="D"), Silent()):
        history.log_path("left").write_text("text")
        site.build("FROM base\n")
        assert not history.log_path("left").exists()
        assert history.log_path("runs").exists()
    assert {ref for ref, _ in history.list()} == {path.stem for path in history.log_path("x").parent.iterdir()}


def test_only_the_newest_builds_are_kept(site: Site) -> None:
    history = History(site.store, site.root)
    for number in range(KEPT + 3):
        with history.recorded(f"r{number}", BuildRecord(name="n", context=".", dockerfile="D"), Silent()):
            pass
    assert len(history.list()) == KEPT
    assert not history.log_path("r0").exists()
    assert history.log_path(f"r{KEPT + 2}").exists()
