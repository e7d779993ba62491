"""What an ordinary user lacks: ids, helpers, containers. Each is said, with what to do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ... import ordinary
from .conftest import COMMAND, HEAD, User

pytestmark = pytest.mark.root

SINGLE = "this user has no id but its own"
HINT = "its owner may be none of the ids that this user has: install uidmap"


@pytest.fixture(params=["no ranges", "no newuidmap"])
def single(request: pytest.FixtureRequest, user: User) -> User:
    """A user with its own id alone; without its helpers the ranges are worth nothing."""
    if request.param == "no ranges":
        user.etc |= {"subuid": "", "subgid": ""}
    else:
        user.etc["../usr/bin/newuidmap"] = "not to be executed"
    return user


def test_a_single_id_builds_what_needs_no_other(single: User) -> None:
    single.dockerfile(f"{HEAD}RUN echo here >/here && exec cat /proc/self/uid_map\n")
    done = single.build("--progress", "plain", "-o", f"{single.home}/out")
    assert done.count(SINGLE) == 1
    assert "jubako doctor tells" in done
    assert f"0 {ordinary.UID} 1" in " ".join(done.split())
    assert (single.home / "out/here").read_text() == "here\n"


def test_a_single_id_can_not_be_two(single: User) -> None:
    single.dockerfile("FROM scratch\nCOPY --chown=77:88 busybox /bin/sh\n")
    done = single.run("build", "--network", "none", str(single.context))
    assert done.returncode == 1
    assert "Dockerfile:2:1" in done.stdout
    assert HINT in done.stdout


def test_an_image_of_other_owners_can_not_be_unpacked(single: User, tmp_path: Path) -> None:
    """Built by root, who has all ids."""
    single.dockerfile("FROM scratch\nCOPY --chown=77:88 busybox /bin/sh\n")
    roots = [COMMAND, "--root", tmp_path / "root"]
    saved = f"type=docker,dest={single.base}/image.tar,name=other"
    subprocess.run([*roots, "build", "-q", "-o", saved, single.context], check=True, capture_output=True)
    subprocess.run([*roots, "system", "prune", "-af"], check=True, capture_output=True)
    (single.base / "image.tar").chmod(0o644)
    done = single.run("load", "-i", f"{single.base}/image.tar")
    assert done.returncode == 1
    assert HINT in done.stdout
    assert list((single.home / ".local/share/jubako/layers").glob("sha256/*")) == []


def test_doctor_tells_what_is_lacking(single: User) -> None:
    lines = {line.split()[1]: line for line in single.run("doctor").stdout.splitlines()}
    assert lines["ids"].startswith("warning")
    assert f"--add-subgids 100000-165535 {ordinary.NAME}" in lines["ids"]
    assert "warning   user  " in lines["user"] or "works" in lines["user"]


def test_doctor_is_content_with_ranges(user: User) -> None:
    report = user.run("doctor").stdout
    assert "ok        ids" in report
    assert "ok        user namespace" in report


def test_without_user_namespaces_doctor_still_answers(user: User) -> None:
    """One that is root of a namespace where no more are allowed stands for a machine that allows none."""
    argv = ["unshare", "--user", "--map-user=1000", "sh", "-c", 'exec "$@"', "sh"]
    forbid = [
        "unshare",
        "--user",
        "--map-root-user",
        "sh",
        "-c",
        'echo 1 >/proc/sys/user/max_user_namespaces; exec "$@"',
        "sh",
    ]
    done = user.finished(ordinary.command([*forbid, *argv, COMMAND, "doctor"], user.etc, base=user.base), None)
    assert "error     user namespace" in done.stdout, done.stdout
    done = user.finished(ordinary.command([*forbid, *argv, COMMAND, "images"], user.etc, base=user.base), None)
    assert done.returncode == 1
    assert "cannot make a user namespace\njubako doctor tells what this host lacks" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("pod", "create"), 1),
        (("network", "create", "mine"), 1),
        (("cluster", "up"), 1),
    ],
)
def test_what_is_not_there_is_refused_by_name(user: User, arguments: tuple[str, ...], code: int) -> None:
    done = user.run(*arguments)
    assert done.returncode == code
    assert "is not supported for ordinary users\nsudo jubako" in done.stdout


def test_a_mount_that_nobody_would_see_is_refused(user: User) -> None:
    user.dockerfile("FROM scratch\nCOPY busybox /\n")
    user.build("-t", "made")
    done = user.run("image", "mount", "made")
    assert done.returncode == 1
    assert "image mount is not supported for ordinary users" in done.stdout


def test_there_are_no_containers_to_list_or_stop(user: User) -> None:
    assert user("ps", "-aq") == ""
    assert "No such container: x" in user.run("stop", "x").stdout


def test_a_directory_in_tmp_that_is_anothers_is_not_used(user: User) -> None:
    path = Path(f"/tmp/jubako-run-{ordinary.UID}")
    assert not path.exists()
    sessionless = {"XDG_RUNTIME_DIR": ""}
    path.mkdir(mode=0o777)
    try:
        done = user.run("images", env=sessionless)
        assert done.returncode == 1
        assert f"{path} is not this user's alone\nset XDG_RUNTIME_DIR" in done.stdout
        os.chown(path, ordinary.UID, ordinary.UID)
        path.chmod(0o700)
        assert f"Run Root: {path}" in user("info", env=sessionless)
    finally:
        subprocess.run(["rm", "-r", path], check=True)
