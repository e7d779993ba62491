"""Has what the keeper imported changed on disk since? Then its calls would mix old code with new."""

from __future__ import annotations

import os
import sys

Stamp = tuple[int, int] | None


class Snapshot:
    """The interpreter, the directories that packages are installed into, and in a source tree each of our modules.

    An installer adds and removes names, so a directory's time shows its work. An editor does not, but edits are made in
    a source tree only: a package that does not lie in site-packages.
    """

    def __init__(self) -> None:
        paths = [os.path.realpath(sys.executable), *(path for path in sys.path if _holds_packages(path))]
        package = os.path.dirname(sys.modules["jubako"].__file__ or "")
        if not _holds_packages(os.path.dirname(package)):
            paths += _own_modules()
        self._stamps = {path: _stamp(path) for path in paths}

    def changed(self) -> bool:
        return any(_stamp(path) != stamp for path, stamp in self._stamps.items())


def _holds_packages(path: str) -> bool:
    return os.path.basename(path) in ("site-packages", "dist-packages")


def _own_modules() -> list[str]:
    files = (module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "jubako")
    return [path for path in files if path]


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
