"""The sources of ADD that are fetched: URLs and git repositories."""

from __future__ import annotations

import re

from jubako.build.convert.scope import Scope
from jubako.build.dockerfile.instructions import Copy
from jubako.build.dockerfile.source import Text
from jubako.build.graph.fetched import FetchGit, FetchUrl
from jubako.build.graph.filesystem import FsVertex
from jubako.build.sources.giturl import Repository, parse_git_url
from jubako.build.sources.url import shown
from jubako.errors import InvalidArgument

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


def fetch(scope: Scope, instruction: Copy, at: Text, source: str, step: str) -> tuple[str, FsVertex]:
    """The URL as it may be shown, and the vertex that fetches it. Raises DockerfileError."""
    try:
        repository = parse_git_url(source)
    except InvalidArgument as error:
        raise scope.fail(at, error.message, hint=error.hint) from None
    if repository is not None:
        return _git(scope, instruction, repository, step)
    if not source.startswith(("http://", "https://")):
        raise scope.fail(at, f"the scheme of {source} is not supported: it is http, https, git or ssh")
    checksum = _checksum(scope, instruction, _SHA256, "sha256:<64 hexadecimal digits>")
    name = f"{step.partition('] ')[0]}] {shown(source)}"
    operation = FetchUrl(name, scope.bench, scope.workshop.cache, source, checksum)
    return shown(source), scope.add_beside(instruction, operation)


def _git(scope: Scope, instruction: Copy, repository: Repository, step: str) -> tuple[str, FsVertex]:
    url = shown(repository.url)
    checksum = _checksum(scope, instruction, _COMMIT, "a commit") or repository.checksum or None
    keep = instruction.keep_git_dir or repository.keep_git_dir
    name = f"{step.partition('] ')[0]}] {url}"
    access = scope.workshop.conditions.access
    operation = FetchGit(name, scope.bench, scope.workshop.cache, repository, keep, checksum, access)
    place = f"{repository.ref}:{repository.subdir}".rstrip(":")
    return f"{url}#{place}" if place else url, scope.add_beside(instruction, operation)


def _checksum(scope: Scope, instruction: Copy, form: re.Pattern[str], wanted: str) -> str | None:
    if instruction.checksum is None:
        return None
    checksum = scope.expand(instruction.checksum)
    if not form.fullmatch(checksum):
        raise scope.fail(instruction.checksum, f"invalid checksum {checksum!r}: it is {wanted}")
    return checksum
