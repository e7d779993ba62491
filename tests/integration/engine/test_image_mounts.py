"""Images mounted on the host: what is seen there, and that neither removal nor collection takes it from under one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Cli

pytestmark = pytest.mark.root


@pytest.fixture
def engine(state: Cli, tmp_path: Path) -> Iterator[Cli]:
    """An engine with busybox, and `child`, one layer more."""
    cli = Cli(tmp_path / "root", tmp_path / "run", env={"JUBAKO_KEEPER": "0"})
    state("save", "-o", str(tmp_path / "busybox.tar"), "busybox")
    cli("load", "-i", str(tmp_path / "busybox.tar"))
    (tmp_path / "Dockerfile").write_text("FROM busybox\nCOPY Dockerfile /copied\nRUN rm -r /bin/ls\n")
    cli("build", "-q", "-t", "child", "--label", "kind=test", str(tmp_path))
    yield cli
    cli("image", "unmount", "--all", "--force")
    cli("system", "prune", "-a", "-f", "--volumes")


def mounts_beneath(path: Path) -> list[str]:
    return [
        line.split()[1]
        for line in Path("/proc/mounts").read_text().splitlines()
        if line.split()[1].startswith(str(path))
    ]


def test_a_mounted_image_is_its_root_read_only_until_it_is_unmounted(engine: Cli, tmp_path: Path) -> None:
    root = Path(engine("image", "mount", "child").strip())
    assert (root / "copied").read_text().startswith("FROM busybox")
    assert os.path.lexists(root / "bin/cat")
    assert not os.path.lexists(root / "bin/ls")
    with pytest.raises(OSError, match="Read-only"):
        (root / "new").touch()
    assert engine("image", "mount", "child").strip() == str(root), "once more is content"
    header, line = engine("image", "mount").splitlines()
    assert header.split("  ")[0] == "IMAGE ID"
    assert line.split()[1:] == ["child:latest", str(root)]
    assert engine("image", "unmount", "child") == "child\n"
    assert mounts_beneath(tmp_path) == []
    assert "is not mounted" in engine.run("image", "umount", "child").stderr.decode()


def test_a_mounted_image_is_neither_pruned_nor_removed_and_forced_keeps_its_layers(engine: Cli, tmp_path: Path) -> None:
    root = Path(engine("image", "mount", "child").strip())
    refused = engine.run("rmi", "child")
    assert refused.returncode == 1
    assert "image is mounted on the host" in refused.stderr.decode()
    engine("image", "prune", "-a", "-f")
    assert engine("images", "-q", "child")
    engine("rmi", "-f", "child")
    engine("system", "prune", "-a", "-f")
    assert (root / "copied").read_text().startswith("FROM busybox")
    assert engine("image", "mount").splitlines()[1].split()[1:] == ["<none>", str(root)]
    assert engine("image", "unmount", "--all").count("\n") == 1
    engine("system", "prune", "-a", "-f")
    assert not any((tmp_path / "root/layers/sha256").iterdir())


def test_what_somebody_is_in_is_unmounted_only_by_force(engine: Cli, tmp_path: Path) -> None:
    root = engine("image", "mount", "busybox").strip()
    with subprocess.Popen(["sleep", "60"], cwd=root) as process:
        try:
            refused = engine.run("image", "unmount", "busybox")
            assert (refused.returncode, "is in use at" in refused.stderr.decode()) == (1, True)
            engine("image", "unmount", "--force", "busybox")
            assert mounts_beneath(tmp_path) == []
        finally:
            process.kill()


def test_the_tree_of_an_image_shows_layers_and_who_shares_them(engine: Cli) -> None:
    lines = engine("image", "tree", "child").splitlines()
    assert lines[0].startswith("Image ID: ")
    assert lines[1] == "Tags:     [child:latest]"
    assert lines[3] == "Image Layers"
    assert len(lines) == 7
    assert lines[4].startswith("├── ID: ")
    assert lines[4].endswith("Top Layer of: [busybox:latest]")
    assert lines[6].startswith("└── ID: ")
    assert lines[6].endswith("Top Layer of: [child:latest]")
    above = engine("image", "tree", "--whatrequires", "busybox").splitlines()
    assert above[3] == "Required by"
    assert above[4].endswith("Tags: [child:latest]")


def test_prune_takes_only_what_its_filters_say(engine: Cli) -> None:
    def left() -> set[str]:
        return set(engine("images", "--format", "{{.Repository}}").split())

    engine("image", "prune", "-a", "-f", "--filter", "label=kind=other")
    engine("image", "prune", "-a", "-f", "--filter", "until=87600h")
    assert left() == {"busybox", "child"}
    engine("image", "prune", "-a", "-f", "--filter", "label!=kind=test")
    assert left() == {"child"}
    wrong = engine.run("image", "prune", "-f", "--filter", "size=3")
    assert (wrong.returncode, wrong.stderr.decode()) == (1, "Error: invalid filter 'size'\n")
    engine("image", "prune", "-a", "-f", "--filter", "label=kind")
    assert left() == set()


def within(engine: Cli, mount: str, script: str) -> str:
    return engine("run", "--rm", "--network", "none", "--mount", mount, "busybox", "sh", "-c", script)


def test_a_container_mounts_another_image_read_only(engine: Cli, tmp_path: Path) -> None:
    mount = "type=image,source=child,target=/mnt"
    found = within(engine, mount, "head -1 /mnt/copied; ls -d /mnt/bin/ls; touch /mnt/x; /mnt/bin/echo runs").split(
        "\n"
    )
    assert found == ["FROM busybox", "runs", ""]
    done = engine.run("run", "--rm", "--mount", f"{mount},noexec", "busybox", "/mnt/bin/echo")
    assert done.returncode == 126
    assert mounts_beneath(tmp_path) == []


@pytest.mark.parametrize(
    ("part", "script", "expected"),
    [
        ("bin", "ls -d /mnt/cat", "/mnt/cat\n"),
        ("copied", "head -1 /mnt", "FROM busybox\n"),
        ("loop/etc", "cat /mnt/x; true", "inside\n"),
    ],
)
def test_a_part_of_an_image_is_found_within_it(
    engine: Cli, tmp_path: Path, part: str, script: str, expected: str
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM child\nRUN mkdir -p /etc && echo inside >/etc/x && ln -s / /loop\n")
    engine("build", "-q", "-t", "looped", str(tmp_path))
    (tmp_path / "etc").mkdir()
    assert within(engine, f"type=image,source=looped,target=/mnt,image-subpath={part}", script) == expected


def test_what_is_no_image_or_no_part_of_it_is_refused(engine: Cli) -> None:
    for mount, why in (
        ("type=image,target=/mnt", "field Source must not be empty"),
        ("type=image,source=nothing,target=/mnt", 'type "image": No such image: nothing:latest'),
        ("type=image,source=child,target=/mnt,image-subpath=none", "cannot access subpath none of child"),
    ):
        done = engine.run("run", "--rm", "--mount", mount, "busybox", "true")
        assert done.returncode == 125
        assert why in done.stderr.decode()


def test_an_image_that_a_container_mounts_stays_for_it(engine: Cli, tmp_path: Path) -> None:
    engine(
        "create", "--name", "holder", "--mount", "type=image,source=child,target=/mnt", "busybox", "cat", "/mnt/copied"
    )
    assert "is using its referenced image" in engine.run("rmi", "child").stderr.decode()
    engine("image", "prune", "-a", "-f")
    assert engine("start", "-a", "holder").startswith("FROM busybox")
    engine("rmi", "--force", "child")
    engine("image", "prune", "-f")
    assert engine("start", "-a", "holder").startswith("FROM busybox")
    engine("rm", "holder")
