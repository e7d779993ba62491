"""Commands as an ordinary user: with its own view of /etc, and able to reach this Python wherever that is installed.

All of it happens in a mount namespace of the command's own. The user is nobody whom the machine knows, so that it may
do nothing but what everybody may.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

UID = 54321
NAME = "ordinary"


def command(argv: list[str], etc: dict[str, str] | None = None, *, base: Path) -> list[str]:
    """`argv` as run by that user. `etc` are texts of files in /etc, kept in `base` for it."""
    lines = ["set -e"]
    for number, (name, text) in enumerate((etc or {}).items()):
        source = base / f"etc{number}"
        source.write_text(text)
        lines.append(f"mount --bind {shlex.quote(str(source))} /etc/{name}")
    lines += _uncover([Path(sys.base_prefix), Path(sys.prefix)], base / "uncover")
    identity = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--inh-caps=-all"]
    lines.append(f'exec {shlex.join(identity)} "$@"')
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(lines), "sh", *argv]


def run(
    argv: list[str], etc: dict[str, str] | None = None, *, base: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(argv, etc, base=base), capture_output=True, text=True, timeout=60, check=False, env=env
    )


def _uncover(paths: list[Path], aside: Path) -> list[str]:
    """Commands that leave of a directory which others may not enter (/root) nothing but these paths, for all to see."""
    closed = {path: directory for path in paths if (directory := _closed(path))}
    held = {path: shlex.quote(f"{aside}{number}") for number, path in enumerate(closed)}
    lines = [f"mkdir -p {hold}; mount --bind {shlex.quote(str(path))} {hold}" for path, hold in held.items()]
    lines += [f"mount -t tmpfs -o mode=755 none {shlex.quote(str(directory))}" for directory in {*closed.values()}]
    for path, hold in held.items():
        lines.append(f"mkdir -p {shlex.quote(str(path))}; mount --move {hold} {shlex.quote(str(path))}")
    return lines


def _closed(path: Path) -> Path | None:
    """The uppermost directory on the way to `path` that others may not enter."""
    for directory in (*reversed(path.parents), path):
        if not directory.stat().st_mode & 0o001:
            return directory
    return None
