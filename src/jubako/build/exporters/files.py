"""The files of a build, without an image around them: `type=local` and `type=tar`.

Several platforms go into a directory each (`linux_amd64/`), unless the output says otherwise. What goes to a directory
belongs to who builds; with SOURCE_DATE_EPOCH no time is later than that. Statements lie beside the files.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from jubako.build.attest.statement import statement
from jubako.build.exporters.product import Product
from jubako.build.exporters.spec import Output
from jubako.build.files.failure import explained
from jubako.build.graph.bench import Bench
from jubako.image import platform as platforms
from jubako.image.layer.tar import DIRECTORY, Entry, Writer
from jubako.image.layer.threads import piped
from jubako.image.layer.unpacking import extract_into
from jubako.image.layer.walker import Walker


def write_tar(bench: Bench, products: Sequence[Product], output: Output, out: BinaryIO) -> None:
    """One archive of all platforms."""
    writer = Writer(out.write)
    split = len(products) > 1 if output.platform_split is None else output.platform_split
    for product in products:
        prefix = f"{platforms.text(product.platform).replace('/', '_')}/".encode() if split else b""
        if prefix:
            writer.add(Entry(prefix, DIRECTORY, 0o755))
        with bench.view(product.filesystem) as root_fd:
            Walker(writer, overlay_prefix=None, newest_s=bench.moment.epoch).tree(root_fd, prefix)
        for name, data in _statements(product, output):
            writer.add(Entry(prefix + name.encode(), size=len(data), mtime_ns=bench.moment.epoch_ns or 0), data)
    writer.finish()


def write_directory(bench: Bench, products: Sequence[Product], output: Output) -> None:
    """Lay the files over what the directory has; it is made."""
    directory = Path(output.dest)
    with explained("write"):
        directory.mkdir(parents=True, exist_ok=True)
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with piped(lambda out: write_tar(bench, products, output, out)) as stream:
            extract_into(fd, stream, owner=(os.geteuid(), os.getegid()))
    finally:
        os.close(fd)


def _statements(product: Product, output: Output) -> list[tuple[str, bytes]]:
    return [
        (output.attestation_prefix + predicate.file_name, statement(predicate, [])) for predicate in product.predicates
    ]
