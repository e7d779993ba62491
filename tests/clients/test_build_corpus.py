"""The corpus: each Dockerfile in it gives the same files, configuration and history with us, docker and buildah.

build_case says how a case is written and what each peer lacks; build_context makes what they are built in. buildah
writes other words into a history, so that only the names of the instructions are compared with its.
"""

from __future__ import annotations

import operator
import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.conftest import Cli

from .build_case import CASES, LACKS, PEERS, Case
from .build_context import make_context, web_server
from .built_images import BUILDAH_BITS, Built, keywords, read_archive
from .conftest import Peer

pytestmark = [pytest.mark.root, pytest.mark.clients, pytest.mark.timeout(600)]

OURS = "jubako"
Outcome = subprocess.CompletedProcess[bytes]


class Results(NamedTuple):
    """By builder, then by case: how the build ended, and the image when there is one."""

    outcomes: dict[str, dict[str, Outcome]]
    images: dict[str, dict[str, Built]]


class Site:
    """The builders over one context."""

    def __init__(self, ours: Cli, docker: Peer, buildah: Peer, base: Path, url: str) -> None:
        self._commands = {
            OURS: [*ours.argv, "build", "-q", "--network=none"],
            "docker": ["/usr/bin/docker", *docker.argv[1:], "build", "-q", "--network=none"],
            "buildah": [*buildah.argv, "bud", "-q", "--isolation=chroot", "--network=host", "--format=docker"],
        }
        self._base, self._url = base, url

    def build(self, builder: str, case: Case) -> Outcome:
        options = [option.format(base=self._base, url=self._url) for option in case.options]
        if builder == "buildah" and (ignore := case.ignore_file()):
            options += ["--ignorefile", str(ignore)]
        argv = [*self._commands[builder], "-t", tag(case), *options, "-f", str(case.file)]
        env = {**os.environ, "DOCKER_BUILDKIT": "1"}
        return subprocess.run([*argv, str(self._base / "context")], capture_output=True, env=env, timeout=180)


def tag(case: Case) -> str:
    return f"corpus-{case.name}"


@pytest.fixture(scope="module")
def results(state: Cli, docker: Peer, buildah: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    """The whole corpus, built by all, some cases at a time."""
    base = tmp_path_factory.mktemp("corpus")
    work = [(OURS, case) for case in CASES.values()]
    work += [(peer, form) for case in CASES.values() for peer in PEERS if (form := case.for_peer(peer))]
    outcomes: dict[str, dict[str, Outcome]] = {OURS: {}, **{peer: {} for peer in PEERS}}
    make_context(base / "context")
    (base / "secret").write_text("hush hush")
    with web_server(base / "web", base / "context") as url, ThreadPoolExecutor(3) as pool:
        site = Site(state, docker, buildah, base, url)
        for (builder, case), outcome in zip(work, pool.map(lambda item: site.build(*item), work), strict=True):
            outcomes[builder][case.name] = outcome
    tags = {
        builder: [f"corpus-{name}" for name, outcome in done.items() if not outcome.returncode]
        for builder, done in outcomes.items()
    }
    try:
        yield Results(outcomes, _images(state, docker, buildah, base, tags))
    finally:
        state.run("rmi", "-f", *tags[OURS])
        docker.run("rmi", "-f", *tags["docker"])


def _images(
    state: Cli, docker: Peer, buildah: Peer, base: Path, tags: dict[str, list[str]]
) -> dict[str, dict[str, Built]]:
    state("save", "-o", str(base / "jubako.tar"), *tags[OURS])
    docker("save", "-o", str(base / "docker.tar"), *tags["docker"])
    podman = ["podman", *buildah.argv[1:], "save", "-q", "-m", "-o", str(base / "buildah.tar"), *tags["buildah"]]
    subprocess.run(podman, check=True, capture_output=True)
    return {builder: read_archive(base / f"{builder}.tar") for builder in tags}


@pytest.mark.parametrize("name", CASES)
def test_case_ends_as_it_shall(results: Results, name: str) -> None:
    case, outcome = CASES[name], results.outcomes[OURS][name]
    said = outcome.stderr.decode()
    if case.refused is None:
        assert outcome.returncode == 0, said
        return
    assert outcome.returncode == 1, said
    assert re.search(case.refused, said, re.IGNORECASE | re.DOTALL), said


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("name", CASES)
def test_case_gives_what_a_peer_gives(results: Results, name: str, peer: str) -> None:
    form = CASES[name].for_peer(peer)
    if form is None:
        pytest.skip(", ".join(f"{need} {LACKS[peer][need]}" for need in CASES[name].lacks(peer)))
    outcome = results.outcomes[peer][name]
    said = outcome.stderr.decode()
    assert (outcome.returncode != 0) == form.fails_at(peer), said
    if outcome.returncode:
        assert peer != "docker" or re.search(form.refused or "", said, re.IGNORECASE | re.DOTALL), said
        return
    if CASES[name].refused is not None:
        return
    parts = compared(results.images[OURS][tag(form)], results.images[peer][tag(form)], peer, form)
    known = form.differs.get(peer, set())
    assert {part: pair for part, pair in parts.items() if pair[0] != pair[1] and part not in known} == {}
    assert {part for part in known if not operator.ne(*parts.get(part, (0, 0)))} == set(), "no longer a difference"


def compared(ours: Built, theirs: Built, peer: str, form: Case) -> dict[str, tuple[object, object]]:
    """Each part with what ours and theirs have there."""
    parts: dict[str, tuple[object, object]] = {key: (ours.config[key], theirs.config[key]) for key in ours.config}
    bits = BUILDAH_BITS if peer == "buildah" else 0o7777
    for path in ours.files.keys() | theirs.files:
        parts[f"files:{path}"] = (masked(ours.files.get(path), bits), masked(theirs.files.get(path), bits))
    if form.is_plain:
        return parts
    if peer == "docker":
        return {**parts, "history": (ours.history, theirs.history)}
    return {**parts, "history": (keywords(ours.history), keywords(theirs.history))}


def masked(entry: tuple[object, ...] | None, bits: int) -> tuple[object, ...] | None:
    """The entry with these bits of its mode, in octal for the reader."""
    if entry is None:
        return None
    kind, mode, *rest = entry
    assert isinstance(mode, int)
    return kind, oct(mode & bits), *rest
