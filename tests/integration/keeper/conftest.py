"""Trees with the front compiled once; whatever a test leaves running there is ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .tree import TOP, Tree

Install = Callable[..., Tree]


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("front")
    compiler = shutil.which("musl-gcc") or "cc"
    subprocess.run(["make", "-s", "-C", TOP / "executor" / "front", f"OUT={out}", f"CC={compiler}"], check=True)
    return out / "jubako-front"


@pytest.fixture
def install(front: Path) -> Iterator[Install]:
    """Make trees; in a directory that another user can enter, which tmp_path is not."""
    trees: list[Tree] = []
    with tempfile.TemporaryDirectory(prefix="jubako-tree-") as directory:
        os.chmod(directory, 0o755)

        def make(name: str = "tree", **options: object) -> Tree:
            tree = Tree(Path(directory) / name, **({"front": front} | options))  # type: ignore[arg-type]
            trees.append(tree)
            return tree

        yield make
        for tree in trees:
            tree.stop()


@pytest.fixture
def tree(install: Install) -> Tree:
    return install()


@pytest.fixture
def warm(tree: Tree) -> Tree:
    """A tree whose keeper already serves."""
    tree.warm_up()
    return tree
