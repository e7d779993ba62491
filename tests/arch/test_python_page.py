"""docs/user/python.md names every verb of the Python API and none that is not there, and each says what it does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import jubako
from jubako.engine.containers import EngineContainers
from jubako.engine.facades import EngineNetworks, EngineSystem, EngineVolumes
from jubako.engine.images import EngineImages
from jubako.engine.pods.pods import EnginePods
from jubako.engine.registries import EngineRegistries

PAGE = Path(__file__).resolve().parents[2] / "docs/user/python.md"
PARTS = {
    "engine.containers": EngineContainers,
    "engine.images": EngineImages,
    "engine.pods": EnginePods,
    "engine.networks": EngineNetworks,
    "engine.volumes": EngineVolumes,
    "engine.system": EngineSystem,
    "engine.registries": EngineRegistries,
}
CALLED_BY_THE_EXECUTOR = {"cleanup", "notice"}


def documented(part: str) -> set[str]:
    """The verbs in the page's line about `part`."""
    found = re.search(rf"^- `{re.escape(part)}`(?: itself)?: (.*(?:\n  .*)*)", PAGE.read_text(), re.MULTILINE)
    assert found, f"the page has no line about {part}"
    return {word.strip() for word in re.sub(r"\([^)]*\)", "", found[1]).split(",")}


@pytest.mark.parametrize("part", PARTS)
def test_page_names_every_verb_and_no_other(part: str) -> None:
    verbs = {name for name in vars(PARTS[part]) if not name.startswith("_")}
    assert documented(part) == verbs - CALLED_BY_THE_EXECUTOR


def test_verbs_of_the_engine_itself_are_there() -> None:
    assert documented("engine") <= set(dir(jubako.Engine))


@pytest.mark.parametrize("part", PARTS)
def test_every_verb_says_what_it_does(part: str) -> None:
    silent = [name for name, verb in vars(PARTS[part]).items() if not name.startswith("_") and not verb.__doc__]
    assert silent == []


def test_the_package_lists_what_it_offers() -> None:
    assert set(jubako.__all__) <= set(dir(jubako))
