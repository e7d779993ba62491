"""The picture in ARCHITECTURE.md is the contract that the linter holds."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

TOP = Path(__file__).parents[2]


def documented() -> list[set[str]]:
    text = (TOP / "ARCHITECTURE.md").read_text()
    block = re.search(r"## The layers.*?```\n(.*?)```", text, re.DOTALL)
    assert block
    return [set(line.replace("|", " ").split()) for line in block[1].strip().splitlines()]


def enforced() -> list[set[str]]:
    config = configparser.ConfigParser()
    config.read(TOP / ".importlinter")
    lines = config["importlinter:contract:layers"]["layers"].strip().splitlines()
    return [set(line.replace("|", " ").split()) for line in lines]


def test_documented_layers_are_the_enforced_ones() -> None:
    assert documented() == enforced()


def test_every_package_is_in_a_layer() -> None:
    present = {
        path.name.removesuffix(".py")
        for path in (TOP / "src/jubako").iterdir()
        if path.suffix != ".typed" and not path.name.startswith("_")
    }
    assert present == set().union(*enforced())
