"""Artifacts: any files as blobs of a manifest in a registry, as ORAS writes and reads them.

Names:   a blob's file name is its annotation org.opencontainers.image.title; blobs without one are no files.
Folders: a directory goes as a gzip tar, marked to be unpacked when it is pulled.
Spec:    OCI image-spec 1.1 manifest.md, "Guidelines for Artifact Usage"; ORAS for the folder's annotations.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Event

import msgspec

from jubako.errors import InvalidArgument, NotFound
from jubako.image import manifest as documents
from jubako.image.compose import describe
from jubako.image.layer import pack_blob
from jubako.image.progress import SILENT, Progress, short
from jubako.image.reference import DEFAULT_TAG, Reference
from jubako.registry.client import download, origin, parallel, titles
from jubako.registry.client.options import DEFAULT, ClientOptions
from jubako.registry.client.origin import Origin
from jubako.registry.client.push import send
from jubako.registry.client.referrers import put_with_subject
from jubako.registry.client.titles import CONTENT_DIGEST, TITLE, UNPACK
from jubako.spec.oci_image import EMPTY, LAYER_GZIP, MANIFEST, Descriptor, Digest, Index, Manifest
from jubako.store import Lease, Store

UNKNOWN_TYPE = "application/vnd.unknown.artifact.v1"
FILE_TYPE = "application/octet-stream"
_PIECE_BYTES = 1 << 20


class File(msgspec.Struct, frozen=True):
    """What to push: a file or directory, the type of its blob, and the name it gets."""

    path: Path
    media_type: str = ""
    title: str = ""


def push(
    store: Store,
    ref: Reference,
    files: Sequence[File],
    *,
    artifact_type: str = "",
    annotations: Mapping[str, str] | None = None,
    subject: str = "",
    options: ClientOptions = DEFAULT,
    progress: Progress | None = None,
) -> Descriptor:
    """Send `files` as an artifact to `ref` (without tag or digest of its own: known by its digest alone).

    `subject` is a tag or digest of the same repository that the artifact is about. NotFound for a file, or the subject.
    """
    with ExitStack() as stack:
        lease = stack.enter_context(store.leases.hold(f"artifact push {ref}"))
        repository = origin.target(stack, ref, None, options, sources=[])
        about = repository.manifest(subject)[0] if subject else None
        empty = describe(b"{}", EMPTY)
        lease.add(empty.digest)
        store.blobs.put(b"{}")
        layers = [_kept(store, lease, partial(_file, store, file)) for file in files]
        manifest = Manifest(
            media_type=MANIFEST,
            artifact_type=artifact_type or UNKNOWN_TYPE,
            config=empty,
            layers=layers or [empty],
            subject=about or msgspec.UNSET,
            annotations=dict(annotations) if annotations else msgspec.UNSET,
        )
        send(store, repository, [*layers, empty], progress or SILENT)
        data = msgspec.json.encode(manifest)
        target = describe(data, MANIFEST)
        name = ref.tag if ref.tag and not (subject and ref.tag == DEFAULT_TAG) else target.digest
        put_with_subject(repository, name, MANIFEST, data)
    return target


def pull(
    store: Store,
    ref: Reference,
    directory: Path,
    *,
    overwrite: bool = True,
    options: ClientOptions = DEFAULT,
    progress: Progress | None = None,
) -> tuple[Descriptor, list[str]]:
    """Write the files of the artifact `ref` into `directory`; return its manifest, and the names that were written."""
    shown = progress or SILENT
    with ExitStack() as stack:
        lease = stack.enter_context(store.leases.hold(f"artifact pull {ref}"))
        source = origin.opened(stack, ref, None, options)
        target, manifest = _manifest(source, ref)
        files = [blob for blob in manifest.layers if (blob.annotations or {}).get(TITLE)]
        lease.add(*(blob.digest for blob in files))
        jobs = [partial(_fetch, source, store, blob, shown) for blob in {b.digest: b for b in files}.values()]
        parallel.run(jobs, options.parallel, abort=source.abort)
        directory.mkdir(parents=True, exist_ok=True)
        root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, root)
        return target, [titles.write(store, root, blob, overwrite=overwrite) for blob in files]


def _manifest(source: Origin, ref: Reference) -> tuple[Descriptor, Manifest]:
    target, data = source.ask(lambda repository: repository.manifest(ref.digest or ref.tag or DEFAULT_TAG))
    document = documents.decode(data, target.media_type)
    if isinstance(document, Index):
        raise InvalidArgument(f"{ref.familiar()} is an index, not an artifact", hint="name one of its manifests")
    return target, document


def _fetch(source: Origin, store: Store, blob: Descriptor, progress: Progress, cancel: Event) -> None:
    name = short(blob.digest)

    def report(done: int) -> None:
        progress.update(name, "Downloading", done, blob.size)

    download.fetch(source.repositories, store, blob, cancel=cancel, report=report)
    progress.update(name, "Download complete", blob.size, blob.size)


def _kept(store: Store, lease: Lease, make: Callable[[], Descriptor]) -> Descriptor:
    """What `make` stores; made again where a sweep took it between the commit and the lease."""
    while True:
        made = make()
        lease.add(made.digest)
        if store.blobs.exists(made.digest):
            return made


def _file(store: Store, file: File) -> Descriptor:
    title = file.title or os.path.normpath(file.path).lstrip("/")
    titles.parts(title)
    if file.path.is_dir():
        return _folder(store, file, title)
    try:
        with file.path.open("rb") as stream, store.blobs.writer() as writer:
            while piece := stream.read(_PIECE_BYTES):
                writer.write(piece)
            info = writer.commit()
    except FileNotFoundError:
        raise NotFound("file", str(file.path)) from None
    return _described(info.digest, info.size, file.media_type or FILE_TYPE, {TITLE: title})


def _folder(store: Store, file: File, title: str) -> Descriptor:
    fd = os.open(file.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        packed, content = pack_blob(fd, store.blobs, whiteouts="none", prefix=os.fsencode(title) + b"/")
    finally:
        os.close(fd)
    marks = {TITLE: title, UNPACK: "true", CONTENT_DIGEST: content}
    return _described(packed.digest, packed.size, file.media_type or LAYER_GZIP, marks)


def _described(digest: Digest, size: int, media_type: str, annotations: dict[str, str]) -> Descriptor:
    return Descriptor(media_type=media_type, digest=digest, size=size, annotations=annotations)
