"""cp: every case of file, directory, link and trailing slash, in both directions, ends as it does with docker."""

from __future__ import annotations

import io
import os
import tarfile

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.root]

LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
SOURCES = [
    "file",
    "file/",
    "dir",
    "dir/",
    "dir/.",
    "link",
    "dirlink",
    "dirlink/.",
    "broken",
    "none",
]
TARGETS = [
    "there",
    "there/",
    "there/old",
    "new",
    "new/",
    "no/new",
    "tolink",
    "tofile",
    "tobroken",
]
TREE = (
    "mkdir -p {at}/dir/sub {at}/there; cd {at}; echo one >file; chmod 640 file; echo two >dir/two; chmod 750 dir;"
    "ln dir/two dir/hard; ln -s two dir/soft; ln -s file link; ln -s dir dirlink; ln -s nothing broken;"
    "echo old >there/old; ln -s there tolink; ln -s there/old tofile; ln -s missing tobroken"
)
LIST = (
    "cd {at}; find . | sort | while read f; do stat -c '%n %a %u:%g %F %N' \"$f\";"
    ' test -f "$f" && test ! -L "$f" && cat "$f"; done; true'
)


@pytest.fixture(params=SOURCES)
def source(request):
    return request.param


@pytest.fixture(scope="module")
def containers(state, docker):
    parties = {"ours": state, "theirs": docker}
    for party in parties.values():
        party("run", "-d", "--name", "copied", "--network", "none", *LIMITS, "busybox", "sleep", "1000")
    yield parties
    for party in parties.values():
        party("rm", "-f", "copied")


def outcome(done):
    return done.returncode != 0


def test_into_a_container(containers, source, tmp_path):
    """All targets for one source; each in a directory of its own."""
    os.system(TREE.format(at=tmp_path))
    found = {}
    for name, party in containers.items():
        make = "; ".join(f"({TREE.format(at=f'/{number}')})" for number in range(len(TARGETS)))
        party("exec", "copied", "sh", "-c", f"rm -rf /[0-9]*; {make}")
        failed = [
            outcome(party.run("cp", f"{tmp_path}/{source}", f"copied:/{number}/{target}"))
            for number, target in enumerate(TARGETS)
        ]
        lists = [party("exec", "copied", "sh", "-c", LIST.format(at=f"/{n}")) for n in range(len(TARGETS))]
        found[name] = {target: (bad, listing) for target, bad, listing in zip(TARGETS, failed, lists, strict=True)}
    assert found["ours"] == found["theirs"]


def test_out_of_a_container(containers, source, tmp_path):
    found = {}
    for name, party in containers.items():
        party("exec", "copied", "sh", "-c", f"rm -rf /s; {TREE.format(at='/s')}")
        found[name] = {}
        for number, target in enumerate(TARGETS):
            at = tmp_path / name / str(number)
            os.system(TREE.format(at=at))
            bad = outcome(party.run("cp", f"copied:/s/{source}", f"{at}/{target}"))
            found[name][target] = (bad, os.popen(LIST.format(at=at)).read())
    assert found["ours"] == found["theirs"]


def test_streams_of_tar(containers):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("a/b")
        member.size, member.uid, member.gid, member.mode = 3, 12, 13, 0o604
        archive.addfile(member, io.BytesIO(b"abc"))
    found = {}
    for name, party in containers.items():
        party("exec", "copied", "sh", "-c", "rm -rf /t; mkdir /t")
        party("cp", "-", "copied:/t", input=stream.getvalue())
        party("exec", "copied", "sh", "-c", "ln -s b /t/a/l; ln /t/a/b /t/a/h")
        with tarfile.open(fileobj=io.BytesIO(party.run("cp", "copied:/t/a", "-").stdout)) as archive:
            found[name] = {
                (m.name, m.type in (tarfile.REGTYPE, tarfile.LNKTYPE), m.mode & 0o7777, m.uid, m.gid) for m in archive
            }
        assert party.run("cp", "-", "copied:/t/a/b", input=stream.getvalue()).returncode == 1
    assert found["ours"] == found["theirs"]


@pytest.mark.parametrize("archive", [[], ["-a"]])
def test_owners(containers, archive, tmp_path):
    """Into a container files become root's unless -a; out of it the caller's."""
    (tmp_path / "f").write_text("x")
    os.chown(tmp_path / "f", 21, 22)
    found = {}
    for name, party in containers.items():
        party("cp", *archive, str(tmp_path / "f"), "copied:/owned")
        party("exec", "copied", "sh", "-c", "touch /of; chown 31:32 /of")
        party("cp", *archive, "copied:/of", str(tmp_path / name))
        out = os.stat(tmp_path / name)
        found[name] = (party("exec", "copied", "stat", "-c", "%u:%g", "/owned"), out.st_uid, out.st_gid)
    assert found["ours"] == found["theirs"]


def test_follow_link(containers, tmp_path):
    os.system(TREE.format(at=tmp_path))
    for party in containers.values():
        party("cp", "-L", str(tmp_path / "link"), "copied:/followed")
        assert party("exec", "copied", "cat", "/followed") == "one\n"
