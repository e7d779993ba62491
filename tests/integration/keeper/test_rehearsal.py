"""What the keeper goes through before its first fork: it must work, and nobody else may notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from jubako.cli.keeper import rehearsal
from jubako.cli.keeper.programs import PROGRAMS
from jubako.engine import Engine
from jubako.linux import cgroup
from jubako.runtime import seccomp

from ... import isolated

pytestmark = pytest.mark.root


def survey() -> dict[str, set[str]]:
    """What there is, but for the keepers of earlier tests, which fork and end as they like."""
    found = isolated.survey()
    return found | {"processes": {line for line in found["processes"] if "jubako-python" not in line}}


def test_a_rehearsal_goes_through_and_leaves_no_container(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = survey()
    rehearsal.go_through_run(str(tmp_path / "root"), str(tmp_path / "run"))
    assert {name: found - before[name] for name, found in survey().items() if found - before[name]} == {}
    ids, errors = capfd.readouterr()
    assert (len(set(ids.split())), errors) == (rehearsal.ROUNDS, "")
    with Engine(tmp_path / "root", tmp_path / "run") as engine:
        assert engine.containers.list(all=True) == []
    assert list((tmp_path / "run" / "containers").iterdir()) == []
    assert not seccomp._filters
    assert not cgroup.manager.cache_info().currsize


def test_a_rehearsal_of_bundles_goes_through_and_leaves_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = isolated.survey()
    rehearsal.go_through_bundle(str(tmp_path))
    assert {name: found - before[name] for name, found in isolated.survey().items() if found - before[name]} == {}
    assert capfd.readouterr() == ("", "")
    assert list((tmp_path / "state").iterdir()) == []
    assert not cgroup.manager.cache_info().currsize


@pytest.mark.parametrize("name", PROGRAMS)
def test_its_directory_is_gone_afterwards_and_so_is_what_a_killed_one_left(name: str, tmp_path: Path) -> None:
    directory = tmp_path / "keeper.rehearsal"
    (directory / "root" / "layers").mkdir(parents=True)
    rehearsal.rehearse(PROGRAMS[name].rehearse, str(directory))
    assert not directory.exists()
    rehearsal.rehearse(PROGRAMS[name].rehearse, "/proc/no/such/place")
