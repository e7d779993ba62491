"""What an installer gets: the front as the command itself, the executor and the data files in the package."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("setuptools", minversion="77")
pytestmark = pytest.mark.root

TOP = Path(__file__).parents[3]
PT_INTERP = 3


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree without what earlier builds left in it."""
    copy = tmp_path_factory.mktemp("source") / "jubako"
    tracked = subprocess.check_output(["git", "ls-files", "-coz", "--exclude-standard"], cwd=TOP, text=True).split("\0")
    for name in filter(None, tracked):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (TOP / name).exists():
            shutil.copy2(TOP / name, target, follow_symlinks=False)
    return copy


def pip(*arguments: str | Path, python: str | Path = sys.executable) -> None:
    command = [python, "-m", "pip", "-q", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", out, source)
    (found,) = out.iterdir()
    return found


def test_one_wheel_serves_every_python_of_the_platform(wheel: Path) -> None:
    assert "-py3-none-linux_" in wheel.name


def test_commands_are_static_programs_and_no_python(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        programs = [name for name in archive.namelist() if "/scripts/" in name or "/_bin/" in name]
        names = {name.rpartition("/")[2] for name in programs}
        assert names == {"jubako", "jubako-oci", "jubako-python", "jubako-front", "executor"}
        for name in programs:
            assert archive.getinfo(name).external_attr >> 16 & 0o111 == 0o111
            content = archive.read(name)
            if name.endswith("jubako-python"):
                assert content.startswith(b"#!python\n")
            else:
                assert content.startswith(b"\x7fELF")
                assert PT_INTERP not in segments(content)
                assert len(content) < 1 << 20


def test_the_package_has_its_data_files(wheel: Path) -> None:
    expected = {path.relative_to(TOP / "src").as_posix() for path in (TOP / "src").glob("jubako/**/*.json")}
    with zipfile.ZipFile(wheel) as archive:
        assert expected | {"jubako/py.typed"} <= set(archive.namelist())
        assert not [name for name in archive.namelist() if "__pycache__" in name or name.endswith(".c")]


def test_a_source_distribution_can_be_built_from(source: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "setup.py", "-q", "sdist", "-d", tmp_path], cwd=source, check=True, capture_output=True
    )
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "again")
    (again,) = (tmp_path / "again").iterdir()
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path / "wheel", again)


def test_installation_puts_the_front_into_bin(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / "bin" / "python3"
    pip("--python", python, "install", "--no-deps", "--no-index", wheel)
    command = tmp_path / "venv" / "bin" / "jubako"
    assert command.read_bytes().startswith(b"\x7fELF")
    assert stat.S_IMODE(command.stat().st_mode) & 0o111 == 0o111
    script = (tmp_path / "venv" / "bin" / "jubako-python").read_text()
    assert script.startswith(f"#!{tmp_path}/venv/bin/python")


def segments(elf: bytes) -> set[int]:
    """The types of the program headers of a 64-bit little-endian file."""
    start = int.from_bytes(elf[32:40], "little")
    size, count = (int.from_bytes(elf[i : i + 2], "little") for i in (54, 56))
    return {int.from_bytes(elf[start + n * size :][:4], "little") for n in range(count)}
