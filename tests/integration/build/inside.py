"""A build in a user namespace, with the state, its context and the files that come out of it in one directory.

Run as `inside.py DIRECTORY` it builds where it is. As `inside.py DIRECTORY HANDLER` it makes a namespace with a
binfmt_misc of its own (which Linux has since 6.7: the machine's is never touched): it writes `ready`, waits for its id
maps and a line on standard input, registers HANDLER if that is no empty text, and builds for arm64. Exits with 0 or 1.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
REGISTRY = "/proc/sys/fs/binfmt_misc"


def main(directory: Path, *handlers: str) -> int:
    for handler in handlers:
        enter(handler)
    return build(directory, ["linux/arm64"] if handlers else [])


def enter(handler: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    check(libc.mount(b"binfmt_misc", REGISTRY.encode(), b"binfmt_misc", 0, None))
    if handler:
        Path(REGISTRY, "register").write_text(handler)


def check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def build(directory: Path, platforms: list[str]) -> int:
    from jubako.build import BuildDrivers, PlainProgress, build
    from jubako.errors import JubakoError
    from jubako.image.catalog import Images
    from jubako.network import Networks
    from jubako.snapshot import Overlay
    from jubako.store import Store

    root, run = directory / "root", directory / "run"
    store = Store.open(root)
    drivers = BuildDrivers(store, Images(store), Overlay(store), Networks(store, run), root, run)
    outputs = [f"type=local,dest={directory}/out"]
    progress = PlainProgress(sys.stdout)
    try:
        build(drivers, directory / "context", network="none", platforms=platforms, outputs=outputs, progress=progress)
    except JubakoError as error:
        sys.stdout.write(f"{error.message} {error.hint}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
