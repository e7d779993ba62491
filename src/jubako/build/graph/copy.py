"""COPY and ADD: files of the context, of a stage, of here-documents and of fetched sources, put over a file system."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import msgspec

from jubako.build.files import selection
from jubako.build.files.clone import Style
from jubako.build.files.copier import Copier
from jubako.build.files.failure import explained
from jubako.build.files.fetched import fetched_files
from jubako.build.files.hashes import FileHashes, hash_file
from jubako.build.files.selection import Selected
from jubako.build.files.tree import Entry, Tree
from jubako.build.graph.bench import Bench
from jubako.build.graph.filesystem import Filesystem, Output, Task, digest_of, stacked
from jubako.errors import JubakoError
from jubako.runtime.users import resolve_owner

Owner = tuple[int, int] | None


class Inline(msgspec.Struct, frozen=True):
    """A file whose content stands in the Dockerfile."""

    name: str
    content: str


class CopySpec(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A COPY or ADD with everything expanded; `destination` is absolute.

    `remote` are the URLs of the inputs that were fetched. Local archives are unpacked with `unpack`, fetched ones with
    `unpack_remote`.
    """

    sources: list[str]
    destination: str
    inline: list[Inline] = []
    remote: list[str] = []
    chown: str | None = None
    chmod: str | None = None
    keyword: str = "COPY"
    unpack: bool = False
    unpack_remote: bool = False
    parents: bool = False
    excludes: list[str] = []
    link: bool = False


class Copy:
    """Copy into inputs[0]: from `context`, or from inputs[1] when that is None; the last inputs are the remote ones.

    The key of a copy from the context is its content. From another stage the cheap key is that stage's layers, and
    the content is compared when that missed: a rebuilt stage with the same files costs no copy.
    """

    def __init__(
        self, name: str, bench: Bench, spec: CopySpec, context: Tree | None = None, hashes: FileHashes | None = None
    ) -> None:
        self.name = name
        self._bench = bench
        self._spec = spec
        self._context = context
        self._hashes = hashes
        self._digest_in_key = ""

    def key(self, inputs: Sequence[Filesystem]) -> str:
        if self._context is None:
            return self._key(inputs, "layers", list(inputs[1].diff_ids))
        self._digest_in_key = self._context_digest(self._context)
        return self._key(inputs, "content", self._digest_in_key)

    def content_key(self, inputs: Sequence[Filesystem]) -> str | None:
        if self._context is not None:
            return None
        with self._bench.view(inputs[1]) as root_fd:
            selected = self._select(Tree(root_fd), "the stage")
            return self._key(inputs, "content", self._digest(selected, _hash_plainly, keep_owner=self._keeps_owner))

    def run(self, inputs: Sequence[Filesystem], task: Task) -> Output:
        task.check()
        with ExitStack() as stack:
            tree, where = self._context, "the build context"
            if tree is None:
                tree, where = Tree(stack.enter_context(self._bench.view(inputs[1]))), "the stage"
            local = self._select(tree, where) + self._inline_files(stack)
            fetched = self._fetched(inputs, stack)
            output = self._bench.change(inputs[0], lambda root_fd: self._copy(root_fd, local, fetched))
        return msgspec.structs.replace(output, settled=self._is_settled())

    def result(self, inputs: Sequence[Filesystem], output: Output) -> Filesystem:
        return stacked(inputs[0], output)

    @property
    def _keeps_owner(self) -> bool:
        return self._context is None and self._spec.chown is None

    def _key(self, inputs: Sequence[Filesystem], kind: str, source: object) -> str:
        remote = [filesystem.diff_ids for filesystem in self._remote(inputs)]
        spec = msgspec.to_builtins(self._spec)
        return digest_of("copy", inputs[0].diff_ids, kind, source, remote, spec, self._bench.moment.epoch)

    def _remote(self, inputs: Sequence[Filesystem]) -> Sequence[Filesystem]:
        return inputs[len(inputs) - len(self._spec.remote) :]

    def _select(self, tree: Tree, where: str) -> list[Selected]:
        spec = self._spec
        return selection.select(tree, spec.sources, where=where, parents=spec.parents, excludes=spec.excludes)

    def _context_digest(self, tree: Tree) -> str:
        with explained("read"):
            selected = self._select(tree, "the build context")
            hash_file = self._hashes.of if self._hashes else _hash_plainly
            return self._digest(selected, hash_file, keep_owner=False)

    def _is_settled(self) -> bool:
        """Whether the context is still what the key was made from; looking again costs a stat for each file."""
        if self._context is None:
            return True
        try:
            return self._context_digest(self._context.fresh()) == self._digest_in_key
        except JubakoError:
            return False

    def _digest(self, selected: list[Selected], hash_file: selection.HashFile, *, keep_owner: bool) -> str:
        return selection.digest(selected, hash_file, keep_owner=keep_owner)

    def _copy(self, root_fd: int, local: list[Selected], fetched: list[Selected]) -> None:
        spec, from_context = self._spec, self._context is not None
        owner = resolve_owner(root_fd, spec.chown) if spec.chown else ((0, 0) if from_context else None)
        style = Style(
            owner=owner,
            chmod=spec.chmod,
            mtime_ns=self._bench.moment.epoch_ns if from_context else None,
            xattrs=not from_context,
        )
        copier = Copier(root_fd, style)
        copier.check([*local, *fetched], spec.destination)
        for items, unpack in ((local, spec.unpack), (fetched, spec.unpack_remote)):
            for item in items:
                if not (unpack and _unpacked(root_fd, item, spec.destination, owner if spec.chown else None)):
                    copier.copy(item, spec.destination)

    def _inline_files(self, stack: ExitStack) -> list[Selected]:
        """The here-documents as files of a temporary tree."""
        if not self._spec.inline:
            return []
        workspace = stack.enter_context(self._bench.store.ingest.workspace())
        for file in self._spec.inline:
            (workspace.path / file.name).write_text(file.content)
            (workspace.path / file.name).chmod(0o644)
        tree = Tree(workspace.fd)
        return [item for file in self._spec.inline for item in selection.select(tree, [file.name], where="the file")]

    def _fetched(self, inputs: Sequence[Filesystem], stack: ExitStack) -> list[Selected]:
        views = [stack.enter_context(self._bench.view(filesystem)) for filesystem in self._remote(inputs)]
        return [item for root_fd in views for item in fetched_files(Tree(root_fd), self._spec.excludes)]


class Merge:
    """COPY --link: the layers of inputs[1], made without looking beneath them, over inputs[0]."""

    def __init__(self, name: str) -> None:
        self.name = name

    def key(self, inputs: Sequence[Filesystem]) -> str | None:
        return None

    def content_key(self, inputs: Sequence[Filesystem]) -> str | None:
        return None

    def run(self, inputs: Sequence[Filesystem], task: Task) -> Output:
        layers = inputs[1].layers
        return Output(layers[-1] if layers else None, inputs[1].created or "")

    def result(self, inputs: Sequence[Filesystem], output: Output) -> Filesystem:
        return stacked(inputs[0], output)


def _unpacked(root_fd: int, item: Selected, destination: str, owner: Owner) -> bool:
    """Unpack the file if it is an archive, and tell whether it was."""
    from jubako.build.files.unpack import is_archive, unpack_archive

    if not is_archive(item):
        return False
    unpack_archive(root_fd, item, destination, owner)
    return True


def _hash_plainly(tree: Tree, entry: Entry) -> str:
    return hash_file(tree, entry.path)
