"""The C program itself: under sanitizers, at its limits, and where its installation is damaged."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .tree import TOP, Tree

pytestmark = pytest.mark.root

Install = Callable[..., Tree]


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sanitized")
    subprocess.run(["make", "-s", "-C", TOP / "executor" / "front", "sanitize", f"OUT={out}", "CC=gcc"], check=True)
    return out / "jubako-front"


def test_sanitizers_find_nothing(install: Install, sanitized: Path) -> None:
    tree = install("sanitized", front=sanitized)
    tree.warm_up()
    assert tree.state("a", "", env={"BIG": "x" * 100_000})["warm"]
    assert tree.run("exit", "200").returncode == 200
    assert tree.run("die", str(int(signal.SIGTERM))).returncode == -signal.SIGTERM
    assert not tree.state(env={"JUBAKO_KEEPER": "0"})["warm"]
    call = tree.start("wait")
    assert call.stdout is not None
    call.stdout.readline()
    call.send_signal(signal.SIGTERM)
    assert call.wait(timeout=60) == -signal.SIGTERM


@pytest.mark.parametrize(("count", "warmly"), [(0, True), (240, True), (247, True), (248, False), (300, False)])
def test_more_open_files_than_one_message_carries_run_cold(warm: Tree, count: int, warmly: bool) -> None:
    files = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
    try:
        state = warm.state(pass_fds=files)
        assert set(files) <= set(state["fds"])
        assert state["warm"] == warmly
    finally:
        for fd in files:
            os.close(fd)


def test_a_link_elsewhere_finds_its_installation(warm: Tree, tmp_path: Path) -> None:
    (tmp_path / "jubako").symlink_to(warm.command)
    result = subprocess.run([tmp_path / "jubako", "version"], env=warm.environment(), capture_output=True, text=True)
    assert result.stdout == "one\n"


def test_the_name_it_is_called_by_does_not_matter(warm: Tree) -> None:
    command = ["other name", "version"]
    assert subprocess.check_output(command, executable=warm.command, env=warm.environment(), text=True) == "one\n"


def test_the_script_that_the_installer_wrote_names_the_interpreter(tree: Tree) -> None:
    """As for an installation outside of a virtual environment, with Python elsewhere."""
    python = tree.python
    (tree.path / "bin" / "python3").unlink()
    (tree.path / "pyvenv.cfg").unlink()
    script = tree.path / "bin" / "jubako-python"
    script.write_text(script.read_text().replace("#!python\n", f"#!{python}\n"))
    assert tree.run("version").stdout == "one\n"
    tree.warm_up()
    assert subprocess.check_output([script, "version"], env={"PYTHONPATH": str(tree.site)}, text=True) == "one\n"


def test_an_environment_that_sees_system_packages_gets_them(tree: Tree) -> None:
    config = tree.path / "pyvenv.cfg"
    config.write_text(config.read_text().replace("= false", "= true"))
    assert tree.run("version").stdout == "one\n"
    tree.warm_up()


def test_without_python_it_says_what_is_wrong(tree: Tree) -> None:
    (tree.path / "bin" / "python3").unlink()
    result = tree.run("version")
    assert result.returncode == 125
    assert result.stderr.startswith("jubako: cannot find the Python that it was installed with")
    assert tree.processes() == []


def test_a_directory_that_is_gone_is_no_trouble(warm: Tree, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    script = f"cd {place} && rmdir {place} && exec {warm.command} version"
    assert subprocess.check_output(["bash", "-c", script], env=warm.environment(), text=True) == "one\n"


def test_the_oci_command_runs_its_own_module_cold(warm: Tree) -> None:
    runtime = warm.site / "jubako" / "runtime"
    runtime.mkdir()
    (runtime / "__init__.py").write_text("")
    (runtime / "oci_cli.py").write_text("import os\ndef main(argv):\n    print(os.getpid(), *argv)\n    return 0\n")
    command = [str(warm.path / "bin" / "jubako-oci"), "state", "x"]
    with subprocess.Popen(command, env=warm.environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.communicate()[0] == f"{process.pid} state x\n"
