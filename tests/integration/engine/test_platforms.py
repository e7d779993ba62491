"""One image for several platforms, as `images --tree`, inspect, history, save and load show it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.conftest import Cli
from tests.integration.registry.images import make_image, make_index

from jubako.image.catalog import Images
from jubako.store import Store

pytestmark = pytest.mark.root


@pytest.fixture
def engine(tmp_path: Path) -> Cli:
    """An engine with `multi` for this machine, s390x (here) and riscv64 (not here), and `single`."""
    with Store.open(tmp_path / "root") as store:
        target = make_index(store, amd64=b"a" * 5000, s390x=b"s" * 7000, riscv64=b"r")
        Images(store).put("multi:1", target)
        Images(store).put("multi:2", target)
        make_image(store, "single", b"x")
        index = json.loads(store.blobs.read(target.digest))
        store.blobs.delete(index["manifests"][2]["digest"])
    return Cli(tmp_path / "root", tmp_path / "run", env={"JUBAKO_KEEPER": "0"})


def test_the_tree_shows_each_platform_and_what_of_it_is_here(engine: Cli) -> None:
    lines = engine("images", "--tree").splitlines()
    assert lines[0].split("  ")[0] == "IMAGE"
    assert lines[0].split() == ["IMAGE", "ID", "DISK", "USAGE", "CONTENT", "SIZE", "EXTRA"]
    start = lines.index("multi:1")
    names = [line.split("   ")[0].strip() for line in lines[start + 1 : start + 5]]
    assert names == ["multi:2", "├─ linux/amd64", "├─ linux/s390x", "└─ linux/riscv64"]
    assert lines[start + 4].split()[-2:] == ["0B", "0B"]
    assert lines[start + 3].split()[-1] != "0B"
    single = engine("images", "--tree", "single").splitlines()
    assert [line.split("   ")[0].strip() for line in single[1:]] == ["single:latest", "└─ linux/amd64"]
    refused = engine.run("images", "--tree", "-q")
    assert (refused.returncode, refused.stderr) == (1, b"--quiet is not yet supported with --tree\n")


def test_one_platform_is_inspected_and_saved(engine: Cli, tmp_path: Path) -> None:
    (there,) = json.loads(engine("image", "inspect", "--platform", "linux/s390x", "multi:1"))
    (here,) = json.loads(engine("image", "inspect", "multi:1"))
    assert (there["Architecture"], here["Architecture"]) == ("s390x", "amd64")
    assert there["RepoTags"] == here["RepoTags"] == ["multi:1", "multi:2"]
    missing = engine.run("image", "inspect", "--platform", "linux/riscv64", "multi:1")
    assert missing.returncode == 1
    assert b"was found but does not provide the specified platform (linux/riscv64)" in missing.stderr
    assert engine.run("history", "--platform", "linux/s390x", "single").returncode == 1
    engine("save", "--platform", "linux/s390x", "-o", str(tmp_path / "s390x.tar"), "multi:1")
    other = Cli(tmp_path / "other", tmp_path / "run2", env={"JUBAKO_KEEPER": "0"})
    refused = other.run("load", "--platform", "linux/arm64", "-i", str(tmp_path / "s390x.tar"))
    assert (refused.returncode, b"(linux/arm64)" in refused.stderr) == (1, True)
    assert other("load", "--platform", "linux/s390x", "-i", str(tmp_path / "s390x.tar")) == "Loaded image: multi:1\n"
