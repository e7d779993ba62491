"""The corpus of Dockerfiles: how a case is written, and what each peer lacks.

A case is `corpus/NAME.Dockerfile`. Lines at its head say what is special about it:

    #: needs FEATURE                        a row of LACKS: a peer without it builds NAME.plain, or nothing
    #: options ARGUMENTS                    for the build; {base} is the site's directory, {url} its web server
    #: refused [PATTERN]                    no builder takes it; ours and docker's words match the pattern
    #: PEER differs PART because REASON     fails the test when it has gone; PART is a key of the configuration,
                                            `history`, or `files:PATH`
    #: PEER accepts because REASON          the peer builds what we refuse
    #: PEER refuses because REASON          the peer does not build what we build

`NAME.plain` says the same in older words, with a head of its own; its history is not compared.
`NAME.Dockerfile.dockerignore` is the case's ignore file. JUBAKO_CORPUS=PATTERN leaves only the cases that match.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import NamedTuple

CORPUS = Path(__file__).parent / "corpus"
PEERS = ("docker", "buildah")
_BOTH_LACK = (
    "here-documents",
    "${v-w}",
    "${v:?w}",
    "patterns in expansions",
    "--start-interval",
    "symbolic --chmod",
    "variables in --chmod",
    "COPY --link",
    "COPY --parents",
    "COPY --exclude",
    "ADD --checksum",
    "ADD --unpack",
    "RUN --network",
    "secrets in the environment",
    "variables in --mount",
    "sizes of tmpfs mounts",
    "RUN --security",
    "SOURCE_DATE_EPOCH",
    "newer BuildKit",
)
LACKS: dict[str, dict[str, str]] = {
    "docker": dict.fromkeys(
        (
            *_BOTH_LACK,
            "a frontend by name",
            "an end to COPY --from itself",
            "an answer to ARGs alone",
            "ADD of zstd",
            "--ulimit",
            "--shm-size",
            "--build-context",
        ),
        "came after Docker 20.10",
    ),
    "buildah": dict.fromkeys(
        (
            *_BOTH_LACK,
            "relative targets of mounts",
            "private cache mounts",
            "writable mounts apart from the context",
        ),
        "came after buildah 1.28",
    ),
}
"""What a peer of Debian 12 does not know, by feature, with the reason."""

_DIFFERS = re.compile(r"^#: (\w+) differs (\S+) because \S", re.MULTILINE)
_OUTCOME = re.compile(r"^#: (\w+) (accepts|refuses) because \S", re.MULTILINE)
_LINE = re.compile(r"^#: (needs|options|refused)\b ?(.*)$", re.MULTILINE)


class Case(NamedTuple):
    """One file, and what its head says."""

    file: Path
    needs: list[str]
    options: list[str]
    refused: str | None
    differs: dict[str, set[str]]
    outcome: dict[str, str]

    @property
    def name(self) -> str:
        return self.file.stem

    @property
    def is_plain(self) -> bool:
        return self.file.suffix == ".plain"

    def fails_at(self, builder: str) -> bool:
        """Whether this builder shall refuse the case."""
        outcome = self.outcome.get(builder)
        return self.refused is not None if outcome is None else outcome == "refuses"

    def ignore_file(self) -> Path | None:
        path = self.file.with_name(self.file.name + ".dockerignore")
        return path if path.exists() else None

    def lacks(self, peer: str) -> list[str]:
        """What of the case the peer does not know."""
        return [need for need in self.needs if need in LACKS[peer]]

    def for_peer(self, peer: str) -> Case | None:
        """The case as the peer shall build it; in older words one peer is enough."""
        if not self.lacks(peer):
            return self
        plain = self.file.with_suffix(".plain")
        first = next(each for each in PEERS if self.lacks(each))
        return read_case(plain) if plain.exists() and peer == first else None


def read_case(file: Path) -> Case:
    text = file.read_bytes().decode().replace("\r\n", "\n")
    said: dict[str, list[str]] = {"needs": [], "options": [], "refused": []}
    for word, rest in _LINE.findall(text):
        said[word].append(rest)
    differs: dict[str, set[str]] = {}
    for peer, part in _DIFFERS.findall(text):
        differs.setdefault(peer, set()).add(part)
    options = [argument for line in said["options"] for argument in shlex.split(line)]
    refused = said["refused"][0] if said["refused"] else None
    return Case(file, said["needs"], options, refused, differs, dict(_OUTCOME.findall(text)))


WANTED = re.compile(os.environ.get("JUBAKO_CORPUS", ""))
CASES = {path.stem: read_case(path) for path in sorted(CORPUS.glob("*.Dockerfile")) if WANTED.search(path.stem)}
