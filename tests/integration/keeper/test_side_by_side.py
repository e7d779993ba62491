"""Two installations and two users never meet in one keeper."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .tree import Tree, until

pytestmark = pytest.mark.root

NOBODY = 65534
Install = Callable[..., Tree]


def test_two_versions_each_answer_for_themselves(install: Install) -> None:
    one, two = install("one"), install("two", version="two")
    keepers = {one.warm_up(), two.warm_up()}
    assert len(keepers) == 2
    for _ in range(3):
        assert one.run("version").stdout == "one\n"
        assert two.run("version").stdout == "two\n"
    assert one.socket() != two.socket()


def test_installing_over_a_version_leaves_its_keeper_behind(warm: Tree) -> None:
    before = warm.keeper()
    cli = warm.site / "jubako" / "cli" / "__init__.py"
    cli.write_text(cli.read_text().replace("'one'", "'newer'"))
    # As an installer does: a new file under the old name.
    shutil.copy2(warm.command, warm.command + ".new")
    os.utime(warm.command + ".new")
    os.replace(warm.command + ".new", warm.command)
    assert warm.run("version").stdout == "newer\n"
    assert before is not None
    os.kill(before, signal.SIGTERM)
    warm.warm_up()
    assert warm.run("version").stdout == "newer\n"


def test_a_keeper_ends_when_packages_beside_it_change(warm: Tree) -> None:
    before = warm.keeper()
    (warm.site / "another-1.0.dist-info").mkdir()
    assert not warm.state()["warm"]
    assert warm.warm_up() != before


def test_a_keeper_of_a_source_tree_ends_when_a_module_is_edited(tree: Tree) -> None:
    source = tree.path / "src"
    source.mkdir()
    shutil.move(tree.site / "jubako", source / "jubako")
    (tree.site / "editable.pth").write_text(f"{source}\n")
    before = tree.warm_up()
    cli = source / "jubako" / "cli" / "__init__.py"
    cli.write_text(cli.read_text().replace("'one'", "'edited'"))
    assert tree.run("version").stdout == "edited\n"
    assert tree.warm_up() != before
    assert tree.run("version").stdout == "edited\n"


def test_two_users_have_a_keeper_each(install: Install) -> None:
    mine, theirs = install("root"), install("user", uid=NOBODY)
    root_keeper = mine.warm_up()
    shutil.copytree(theirs.path, mine.path / "same", symlinks=True)
    user_keeper = theirs.warm_up(**theirs.as_user)
    assert root_keeper != user_keeper
    assert Path(f"/proc/{user_keeper}").stat().st_uid == NOBODY
    state = theirs.state(**theirs.as_user)
    assert (state["uid"], state["warm"], state["parent"]) == (NOBODY, True, user_keeper)


def test_one_installation_used_by_two_users_keeps_them_apart(install: Install) -> None:
    tree = install("shared", uid=NOBODY)
    theirs = tree.warm_up(**tree.as_user)
    assert tree.state()["uid"] == 0
    try:
        until(lambda: tree.state()["warm"])
        state = tree.state()
        assert (state["uid"], state["parent"] == theirs) == (0, False)
        assert tree.state(**tree.as_user)["parent"] == theirs
    finally:
        for pid in tree.processes():
            os.kill(pid, signal.SIGKILL)


def test_another_user_can_not_reach_roots_keeper(warm: Tree) -> None:
    path = warm.socket()
    assert (path.stat().st_mode & 0o777, path.stat().st_uid) == (0o600, 0)
    knock = f"import socket; socket.socket(socket.AF_UNIX).connect({str(path)!r})"
    result = subprocess.run(
        [sys.executable if os.access(sys.executable, os.X_OK) else "python3", "-c", knock],
        executable="/usr/bin/python3", user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True,
    )  # fmt: skip
    assert "PermissionError" in result.stderr


def test_a_connection_of_another_user_is_refused_even_past_the_permissions(warm: Tree) -> None:
    """As if the socket's mode had not held: connected as root, the credentials are still the user's own."""
    path = warm.socket()
    program = f"""
import os, socket
link = socket.socket(socket.AF_UNIX)
os.chdir({str(path.parent)!r})
directory = os.open('.', os.O_PATH)
os.setegid({NOBODY}); os.seteuid({NOBODY})
try:
    link.connect({path.name!r})
except PermissionError:
    print('refused')
"""
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "refused\n"


def test_the_front_does_not_trust_a_socket_of_another_user(install: Install) -> None:
    tree = install("user", uid=NOBODY)
    runtime = Path(f"/tmp/jubako-{NOBODY}")
    tree.warm_up(**tree.as_user)
    path = tree.socket()
    tree.stop()
    # Root listens where the user's keeper would; to the user it is somebody else.
    with socket.socket(socket.AF_UNIX) as impostor:
        runtime.mkdir(mode=0o700, exist_ok=True)
        os.chown(runtime, NOBODY, NOBODY)
        impostor.bind(str(path))
        impostor.listen()
        impostor.settimeout(60)
        os.chmod(path, 0o777)
        assert tree.run("version", **tree.as_user).stdout == "one\n"
        connection, _ = impostor.accept()
        connection.settimeout(60)
        assert connection.recv(1) == b""
    path.unlink()


def test_a_runtime_directory_of_another_user_is_not_used(install: Install) -> None:
    tree = install("user", uid=NOBODY - 1)
    runtime = Path(f"/tmp/jubako-{NOBODY - 1}")
    runtime.mkdir(mode=0o777)
    try:
        os.chmod(runtime, 0o777)
        for _ in range(2):
            assert not tree.state(**tree.as_user)["warm"]
        assert list(runtime.iterdir()) == []
    finally:
        runtime.rmdir()
