"""`jubako build` as an ordinary user: what it makes is what root's makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from ... import ordinary
from .conftest import COMMAND, HEAD, User

pytestmark = pytest.mark.root

# Owners, set-ids, links and nodes; deletions, an opaque directory and a renamed one; several stages, users and shells.
DOCKERFILE = """FROM scratch AS base
COPY busybox /bin/sh
COPY --chown=77:88 file /own/file
ENV PATH=/bin
RUN /bin/sh --install -s /bin && mkdir -p /etc /d/e /tmp
RUN echo root:x:0:0::/:/bin/sh >/etc/passwd && echo u:x:1000:1000::/:/bin/sh >>/etc/passwd
RUN chown 1000:50000 /d && touch /d/x /d/e/y && ln /d/x /d/z && chmod 6755 /d/x && chmod 1777 /tmp && mkfifo /d/fifo
RUN ln -s x /d/link && chown -h 5:6 /d/link
USER u
RUN id >/tmp/id && cat /proc/self/uid_map >/dev/null
USER root
RUN rm /own/file && rm -r /d/e && mkdir /d/e && touch /d/e/new && chown 3:65535 /d/e
FROM base AS other
RUN echo other >/other
FROM base
RUN rm -rf /d && mkdir /d && touch /d/only
RUN mv /own /own2
COPY --from=other --chown=u:9 /other /d/
COPY --from=base /d /copy
"""


def test_digests_are_those_of_roots_build(user: User, tmp_path: Path) -> None:
    user.dockerfile(DOCKERFILE)
    user.file("file", "one\n")
    epoch = {"SOURCE_DATE_EPOCH": "1700000000"}
    mine = user.build("-q", env=epoch)
    done = subprocess.run(
        [COMMAND, "--root", tmp_path / "root", "build", "-q", "--network", "none", user.context],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **epoch},
    )
    assert mine == done.stdout
    assert user("system", "check").endswith("0 damaged or missing\n")
    subprocess.run([COMMAND, "--root", tmp_path / "root", "system", "prune", "-af"], check=True, capture_output=True)


def test_files_belong_to_the_users_range_outside(user: User) -> None:
    user.dockerfile(DOCKERFILE)
    user.file("file", "one\n")
    user.build("-t", "made")
    layers = user.home / ".local/share/jubako/layers/sha256"
    owners = {(path.lstat().st_uid, path.lstat().st_gid) for path in layers.rglob("*")}
    assert {(ordinary.UID, ordinary.UID), (700076, 700087), (700999, 749999), (700002, 765534)} <= owners
    assert all(uid == ordinary.UID or 700000 <= uid < 765536 for uid, _ in owners)


def test_mounts_secrets_and_caches(user: User) -> None:
    user.dockerfile(f"""{HEAD}
RUN --mount=type=cache,target=/c,uid=5,gid=6,mode=700 --mount=type=tmpfs,target=/t,size=1m \\
    --mount=type=bind,target=/b --mount=type=bind,target=/w,rw --mount=type=secret,id=s,uid=7,mode=0400 \\
    set -e; test -f /b/Dockerfile; echo x >/w/x; echo x >/t/x; \\
    test "$(stat -c %u /run/secrets/s)" = 7; test "$(stat -c %u:%g:%a /c)" = 5:6:700; \\
    echo "secret is $(cat /run/secrets/s)"; echo n >>/c/n; echo "cache has $(wc -l </c/n) lines"
""")
    first = user.build("--secret", "id=s,env=TOKEN", "--progress", "plain", env={"TOKEN": "hush"})
    assert "secret is hush" in first
    assert "cache has 1 lines" in first
    assert "cache has 2 lines" in user.build("--no-cache", "--secret", "id=s,env=TOKEN", env={"TOKEN": "hush"})
    layers = user.home / ".local/share/jubako/layers"
    assert not [path for path in layers.rglob("*") if path.stat().st_size < 1 << 16 and b"hush" in content(path)]


def content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def test_outputs_are_the_users_files(user: User) -> None:
    user.dockerfile("FROM scratch\nCOPY --chown=5:6 --chmod=640 file /file\n")
    user.file("file", "one\n")
    user.build("-o", f"{user.home}/out", "--iidfile", f"{user.home}/iid", "-o", f"type=tar,dest={user.home}/out.tar")
    for name in ("out/file", "iid", "out.tar"):
        assert (user.home / name).stat().st_uid == ordinary.UID
    with tarfile.open(user.home / "out.tar") as tar:
        assert (tar.getmember("file").uid, tar.getmember("file").gid) == (5, 6)


def test_images_are_pushed_pulled_saved_and_loaded(user: User) -> None:
    user.dockerfile("FROM scratch\nCOPY --chown=5:6 file /file\n")
    user.file("file", "one\n")
    script = f"""set -e
    cd {user.home}; jubako registry serve --listen 127.0.0.1:0 --root registry >log 2>&1 & server=$!
    trap "kill $server" EXIT
    until grep -q 'http://127.0.0.1:[0-9]' log; do sleep 0.1; kill -0 $server || {{ cat log; exit 1; }}; done
    R=$(grep -o '127.0.0.1:[0-9]*' log | head -1)
    jubako build -q --network none -t $R/made:1 {user.context} >built
    jubako push -q $R/made:1 >/dev/null; jubako save -o made.tar $R/made:1; jubako rmi $R/made:1 >/dev/null
    jubako pull -q $R/made:1 >/dev/null; jubako inspect -f '{{{{.Id}}}}' $R/made:1 >pulled
    jubako rmi $R/made:1 >/dev/null; jubako load -q -i made.tar >/dev/null
    jubako inspect -f '{{{{.Id}}}}' $R/made:1 >loaded
    cat built pulled loaded"""
    done = user.shell(script)
    assert done.returncode == 0, done.stdout
    assert len({*done.stdout.split()}) == 1
    assert len(done.stdout.split()) == 3


def test_python_builds_in_a_namespace_of_its_own(user: User) -> None:
    user.dockerfile("FROM scratch\nCOPY --chown=5:6 busybox /bin/sh\nRUN test -w /bin\n")
    program = f"""
import jubako, os
jubako.enter_user_namespace()
with jubako.Engine() as engine:
    engine.build({str(user.context)!r}, network="none", tags=["made"])
    print(os.geteuid(), engine.drivers.root, len(engine.images.get("made").diff_ids))
"""
    done = user.finished(ordinary.command([sys.executable, "-c", program], user.etc, base=user.base), None)
    assert done.stdout.split() == ["0", str(user.home / ".local/share/jubako"), "1"]
    assert "made" in user("images")


def test_history_and_cache_are_the_users(user: User) -> None:
    user.dockerfile("FROM scratch\nCOPY busybox /bin/sh\nRUN >/made\n")
    user.build("-t", "made")
    assert user.build("-t", "made").count("CACHED") == 2
    assert "Total:" in user("builder", "du")
    assert len(json.loads(user("builder", "history", "ls", "--format", "json").splitlines()[0])) > 1
    assert "Total" in user("builder", "prune", "-af")
    assert "CACHED" not in user.build("-t", "made")
