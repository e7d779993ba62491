"""Repositories through the `git` program, which sees no configuration, hook, helper or prompt of this machine.

Safety: over http the place is looked up, its redirects followed and judged, and git then held to that very address
        without redirects. Protocols that run commands or read local files are off, for submodules too.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import tempfile
from pathlib import Path

from jubako.build.graph.vertex import Task
from jubako.build.sources.gitprogram import Git
from jubako.build.sources.giturl import Repository, parse_git_url
from jubako.build.sources.login import ANONYMOUS, Login
from jubako.errors import DataLoss, InvalidArgument, JubakoError, NotFound
from jubako.linux.openat2 import open_in_root

_SUBMODULE_DEPTH = 8


def resolve_commit(repository: Repository, task: Task, login: Login = ANONYMOUS) -> str:
    """The commit that the repository's ref is now. Raises NotFound, Unavailable, PermissionDenied."""
    if repository.names_commit:
        return repository.ref
    git = Git(repository, task, login)
    ref = repository.ref or "HEAD"
    found = dict(_advertised(git.run("ls-remote", "--", git.url, ref, f"{ref}^{{}}")))
    names = (
        [ref] if ref == "HEAD" or ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/{ref}"]
    )
    for name in names:
        # What an annotated tag points to comes before the tag itself.
        if commit := found.get(f"{name}^{{}}") or found.get(name):
            return commit
    raise NotFound("ref", ref, message=f"repository {git.shown} does not contain ref {ref}")


def checkout(
    repository: Repository,
    commit: str,
    directory: Path,
    task: Task,
    login: Login = ANONYMOUS,
    *,
    keep_git_dir: bool = False,
    depth: int = 0,
) -> Path:
    """Check `commit` out beneath `directory`, and return where the wanted part is. Raises the kinds of a failure."""
    git = Git(repository, task, login)
    work = directory / "work"
    git.run("init", "--quiet", "--template=", "--", str(work))
    git.work = work
    git.run("remote", "add", "--", "origin", git.shown)
    _fetch(git, commit)
    git.run("checkout", "--quiet", "--force", "--detach", commit)
    if repository.submodules and (work / ".gitmodules").is_file():
        _submodules(git, repository, work, task, login, depth)
    if not keep_git_dir:
        shutil.rmtree(work / ".git")
    return _subdirectory(work, repository)


def _fetch(git: Git, commit: str) -> None:
    """The commit alone where the server gives it, else all branches and tags."""
    try:
        git.run("fetch", "--quiet", "--depth=1", "--no-tags", "--", git.url, commit)
    except JubakoError:
        git.run(
            "fetch",
            "--quiet",
            "--force",
            "--",
            git.url,
            "+refs/heads/*:refs/remotes/origin/*",
            "+refs/tags/*:refs/tags/*",
        )
    try:
        git.run("cat-file", "-e", f"{commit}^{{commit}}")
    except JubakoError as error:
        raise NotFound("commit", commit, message=f"repository {git.shown} does not contain commit {commit}") from error


def _submodules(git: Git, repository: Repository, work: Path, task: Task, login: Login, depth: int) -> None:
    if depth >= _SUBMODULE_DEPTH:
        raise InvalidArgument(f"repository {git.shown} has submodules nested more than {_SUBMODULE_DEPTH} deep")
    links = dict(_gitlinks(git.run("ls-tree", "-r", "-z", "HEAD")))
    for path, url in _configured(git.run("config", "--null", "--file", ".gitmodules", "--list")).items():
        if path not in links:
            continue
        module = parse_git_url(_absolute(url, repository.url)) or _plain(_absolute(url, repository.url))
        with tempfile.TemporaryDirectory(prefix="module-", dir=work.parent) as directory:
            made = checkout(
                Repository(url=module.url, own_keys=repository.own_keys),
                links[path],
                Path(directory),
                task,
                login,
                depth=depth + 1,
            )
            place = work / path
            if place.is_symlink() or not place.is_dir():
                raise DataLoss(f"repository {git.shown}: submodule {path} has no directory")
            place.rmdir()
            made.rename(place)


def _configured(listing: str) -> dict[str, str]:
    """Path -> URL of .gitmodules."""
    values: dict[str, dict[str, str]] = {}
    for item in listing.split("\0"):
        if match := re.fullmatch(r"submodule\.(.*)\.(path|url)\n(.*)", item, re.DOTALL):
            values.setdefault(match[1], {})[match[2]] = match[3]
    return {value["path"]: value["url"] for value in values.values() if "path" in value and "url" in value}


def _gitlinks(listing: str) -> list[tuple[str, str]]:
    entries = [line.partition("\t") for line in listing.split("\0") if line.startswith("160000 commit ")]
    return [(path, facts.split()[2]) for facts, _, path in entries]


def _absolute(url: str, parent: str) -> str:
    if not url.startswith(("./", "../")):
        return url
    head, separator, path = parent.partition("://")
    host, slash, rest = path.partition("/") if separator else parent.partition(":")
    joined = posixpath.normpath(posixpath.join("/", rest, url)).lstrip("/")
    return f"{head}://{host}/{joined}" if separator else f"{host}{slash}{joined}"


def _plain(url: str) -> Repository:
    """A submodule over http need not end in .git."""
    if not url.startswith(("http://", "https://")):
        raise InvalidArgument(f"the transport of the submodule at {url!r} is not allowed")
    return Repository(url=url)


def _subdirectory(work: Path, repository: Repository) -> Path:
    """The wanted directory, its links resolved inside the work tree."""
    fd = os.open(work, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = open_in_root(fd, repository.subdir, os.O_PATH | os.O_DIRECTORY)
    except OSError:
        raise NotFound(
            "directory", repository.subdir, message=f"subdir {repository.subdir!r} not found in the repository"
        ) from None
    finally:
        os.close(fd)
    try:
        return Path(os.readlink(f"/proc/self/fd/{found}"))
    finally:
        os.close(found)


def _advertised(listing: str) -> list[tuple[str, str]]:
    return [(name, commit) for commit, _, name in (line.partition("\t") for line in listing.splitlines())]
