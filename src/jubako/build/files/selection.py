"""What a COPY takes: its sources resolved in a tree, and the digest of all that counts about them.

The digest covers names as they will be at the destination, types, permission bits, link targets and content; owners
only where they are kept. Times, inodes and the paths of the sources do not count.
"""

from __future__ import annotations

import functools
import hashlib
import posixpath
import stat
from collections.abc import Callable, Iterator, Sequence

import msgspec

from jubako.build.files.filtered import with_parents, without
from jubako.build.files.ignore import Ignore
from jubako.build.files.pattern import BadPattern, has_wildcards
from jubako.build.files.tree import Entry, Tree, clean_path
from jubako.errors import InvalidArgument, NotFound

_HASH_LENGTH = (64).to_bytes(8, "big")

HashFile = Callable[[Tree, Entry], str]


class Selected(msgspec.Struct, frozen=True):
    """One file or directory to copy: `name` is what it is called at the destination when that is a directory."""

    tree: Tree
    entry: Entry
    name: str
    excludes: Ignore | None = None

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.entry.status.st_mode)

    def walk(self) -> Iterator[Entry]:
        entries = self.tree.walk(self.entry)
        return entries if self.excludes is None else without(entries, self.excludes)


class SelectedParents(Selected, frozen=True):
    """COPY --parents: what `paths` name beneath the pivot `entry`, each with the directories that lead to it."""

    paths: tuple[str, ...] = ()

    def walk(self) -> Iterator[Entry]:
        entries = with_parents(self.tree, self.entry, self.paths)
        return entries if self.excludes is None else without(entries, self.excludes)


def select(
    tree: Tree, sources: Sequence[str], *, where: str, parents: bool = False, excludes: Sequence[str] = ()
) -> list[Selected]:
    """Resolve the sources of a COPY. NotFound (naming `where`, such as "the build context"), InvalidArgument.

    A wildcard that matches nothing is fine: people write `COPY package.json yarn.lock* ./`.
    """
    selected: list[Selected] = []
    rules = Ignore(excludes, name="--exclude") if excludes else None
    for source in sources:
        if parents:
            selected += _with_parents(tree, source, where, rules)
            continue
        matches = _matches(tree, source)
        found = [item for path in matches if (item := _one(tree, path)) is not None]
        if not found and not has_wildcards(source):
            raise _missing(tree, source, where)
        selected.extend(found if rules is None else _excluded(found, rules))
    return selected


def digest(selected: list[Selected], hash_file: HashFile, *, keep_owner: bool) -> str:
    """The digest of all that counts, in hexadecimal."""
    summary = hashlib.sha256()
    for item in selected:
        summary.update(_field(item.name))
        for entry in item.walk():
            summary.update(_facts(item.tree, entry, hash_file, keep_owner))
        summary.update(b"\n")
    return summary.hexdigest()


def _with_parents(tree: Tree, source: str, where: str, rules: Ignore | None) -> list[Selected]:
    """The first `/./` in a source is the pivot: what stands before it, a wildcard perhaps, does not come along."""
    before, found, pattern = source.partition("/./")
    pivots = _matches(tree, before) if found else [""]
    selected: list[Selected] = []
    for pivot in pivots:
        root = tree.real(pivot)
        entry = tree.find(root)
        if entry is None or not stat.S_ISDIR(entry.status.st_mode):
            continue
        matches = _matches(tree, posixpath.join(root, (pattern if found else source).lstrip("/")), deep=True)
        matches = [path for path in matches if tree.find(path)]
        if matches or has_wildcards(source):
            selected.append(SelectedParents(tree, entry, "", rules, tuple(matches)))
    if not selected and not has_wildcards(source):
        raise _missing(tree, source, where)
    return selected


def _excluded(found: list[Selected], rules: Ignore) -> Iterator[Selected]:
    """A file is compared by its name; of a directory, what is in it."""
    for item in found:
        if item.is_directory:
            yield msgspec.structs.replace(item, excludes=rules)
        elif not rules.judge_whole(item.name).ignored:
            yield item


def _matches(tree: Tree, source: str, *, deep: bool = False) -> list[str]:
    if not has_wildcards(source):
        return [clean_path(source)]
    try:
        return tree.glob(source, deep=deep)
    except BadPattern as error:
        raise InvalidArgument(str(error)) from None


def _one(tree: Tree, path: str) -> Selected | None:
    """Look a source up; a symbolic link given as a source stands for what it points to."""
    entry = tree.find(tree.real(path))
    return Selected(tree, entry, path.rpartition("/")[2]) if entry and not _is_socket(entry) else None


def _is_socket(entry: Entry) -> bool:
    return stat.S_ISSOCK(entry.status.st_mode)


def _missing(tree: Tree, source: str, where: str) -> NotFound:
    path = "/" + clean_path(source)
    hint = ".dockerignore leaves it out" if tree.ignores(source) else None
    return NotFound("file", path, message=f'"{path}": not found in {where}', hint=hint)


def _facts(tree: Tree, entry: Entry, hash_file: HashFile, keep_owner: bool) -> bytes:
    """The fields about one file. It is called for every file of every context: what repeats is made once."""
    status = entry.status
    mode = status.st_mode
    facts = _field(entry.name) + _mode_field(mode)
    if keep_owner:
        facts += _field(f"{status.st_uid}:{status.st_gid}")
    if stat.S_ISREG(mode):
        return facts + _HASH_LENGTH + hash_file(tree, entry).encode()
    if stat.S_ISLNK(mode):
        return facts + _field(tree.readlink(entry.path))
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        return facts + _field(str(status.st_rdev))
    return facts


@functools.cache
def _mode_field(mode: int) -> bytes:
    return _field(f"{stat.S_IFMT(mode):o} {stat.S_IMODE(mode):o}")


def _field(text: str) -> bytes:
    """Length first: no two lists of fields have the same bytes."""
    data = text.encode("utf-8", "surrogateescape")
    return len(data).to_bytes(8, "big") + data
