"""Dockerfiles and bake files with something changed: read, or refused with an error of ours, and soon."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.property.mutation import DURATION_S, changed, rounds

from jubako.build.bake.files import read_files
from jubako.build.bake.resolve import Resolver
from jubako.build.checks import check
from jubako.build.checks.settings import CheckSettings
from jubako.build.dockerfile.expansion import ExpansionError, expand, expand_words
from jubako.build.dockerfile.lexer import lex
from jubako.build.dockerfile.parser import parse
from jubako.errors import JubakoError

pytestmark = pytest.mark.timeout(DURATION_S + 120)
HANG_S = 10.0
"""Of processor time, whatever else the machine does."""
DOCKERFILES = [
    path.read_bytes() for path in sorted((Path(__file__).parents[2] / "clients/corpus").glob("*.Dockerfile"))
]
DOCKERFILE_WORDS = [
    *b"\\ ` $ ${ } : :- % %% # ## / // ' \" [ ] , = - << <<- EOF * ** ? ! . .. --from= --chmod= --parents AS".split(),
    *(b" ", b"\n", b"\r\n", b"\t", b"\0", b"\xff", "\ufeff".encode(), "\u2028".encode(), b"\n# check=error=true\n"),
    *(b"# escape=`\n", b"9" * 20, b"x" * 3000, b"${a:-" * 40, b"((" * 200, b"ONBUILD ", b"--mount=type=cache,target="),
]
BAKES = {path.name: path.read_bytes() for path in sorted((Path(__file__).parent / "bakes").iterdir())}
BAKE_WORDS = [
    *b"${ } { } [ ] ( ) \" ' , : = == => ... . * % %{ EOT # // /* */ ? & && || ! null true - + 0 1e999 nothing".split(),
    *(b"\n", b"<<-EOT\n", b"\0", b"\xff", b"9" * 400, b"(" * 400, b"[" * 2000, b" + 1" * 1200, b"[0]" * 1200),
    *(b"&a ", b"*a ", b"- ", b"!!int ", b"2020-13-45", b"for x in ", b"1e308 * 10", b"range(3)"),
    *(b'regex_replace("a", "a", "$x")', b'format("%d", 1e300)', b'"${"${"', b"element([], 1)"),
]


class Hang(BaseException):
    """A text took longer than HANG_S."""


@contextmanager
def watched() -> Iterator[None]:
    def ring(number: int, frame: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def read_dockerfile(data: bytes) -> None:
    """The parser, the checks, and every word expanded."""
    for statement in lex(data).statements:
        for act in (expand, expand_words):
            with suppress(ExpansionError):
                act(statement.body.value, {"a": "va*lue"}.get)
    parsed = parse(data)
    settings = CheckSettings(experimental=frozenset({"all"}))
    check(parsed, settings, build_args={}, target=None, find_facts=lambda name: None, ignore=None)


def read_bake(directory: Path, name: str, data: bytes) -> None:
    """Definitions, then every target that they make."""
    (directory / name).write_bytes(data)
    resolver = Resolver(read_files([name], directory, {"V": "2"}), {"V": "2"})
    resolver.plan(list(resolver.names()))


def test_changed_dockerfiles_are_read_or_refused() -> None:
    for number, chance in rounds(3):
        data = changed(chance.choice(DOCKERFILES), chance, DOCKERFILE_WORDS, DOCKERFILES)
        try:
            with watched():
                read_dockerfile(data)
        except JubakoError:
            continue
        except BaseException as error:
            raise AssertionError(f"seed {number}: {data!r}: {error!r}") from error


@pytest.mark.parametrize("name", BAKES)
def test_changed_bake_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    read_bake(tmp_path, name, BAKES[name])
    for number, chance in rounds(1):
        data = changed(BAKES[name], chance, BAKE_WORDS, list(BAKES.values()))
        try:
            with watched():
                read_bake(tmp_path, name, data)
        except JubakoError:
            continue
        except BaseException as error:
            raise AssertionError(f"seed {number}: {data!r}: {error!r}") from error


@pytest.mark.parametrize("name", BAKES)
def test_any_word_anywhere_in_a_bake_file_is_read_or_refused(name: str, tmp_path: Path) -> None:
    data = BAKES[name]
    for word in BAKE_WORDS:
        for place in range(0, len(data), len(data) // 5):
            with watched(), suppress(JubakoError):
                read_bake(tmp_path, name, data[:place] + word + data[place:])
