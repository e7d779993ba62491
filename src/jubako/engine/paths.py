"""Where an engine keeps its state.

`root` survives a reboot (images, snapshots, volumes, records); `run_root` does not (sockets, process state). Root uses
/var/lib/jubako and /run/jubako, an ordinary user the XDG directories, in its user namespace too. JUBAKO_ROOT and
JUBAKO_RUN_ROOT override both.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from jubako.errors import PermissionDenied
from jubako.linux import userns


def default_root() -> Path:
    """The state directory when nobody names one."""
    if given := os.environ.get("JUBAKO_ROOT"):
        return Path(given).absolute()
    if userns.user() == 0:
        return Path("/var/lib/jubako")
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(data) / "jubako"


def default_run_root(root: Path) -> Path:
    """The runtime directory that belongs to `root`.

    An engine with a root of its own gets a runtime directory beneath it, so that two engines never share one.
    """
    if given := os.environ.get("JUBAKO_RUN_ROOT"):
        return Path(given).absolute()
    if os.environ.get("JUBAKO_ROOT"):
        return root / "run"
    if userns.user() == 0:
        return Path("/run/jubako")
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "jubako"
    return _without_session(userns.user())


def _without_session(uid: int) -> Path:
    """Where no session says it: a user's directory of systemd's, else one in /tmp, made here: who is first there owns
    the name."""
    if _is_private(f"/run/user/{uid}"):
        return Path(f"/run/user/{uid}/jubako")
    path = f"/tmp/jubako-run-{uid}"
    with suppress(FileExistsError):
        os.mkdir(path, 0o700)
    if not _is_private(path):
        raise PermissionDenied(f"{path} is not this user's alone", hint="set XDG_RUNTIME_DIR")
    return Path(path)


def _is_private(path: str) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def resolve(root: str | Path | None, run_root: str | Path | None) -> tuple[Path, Path]:
    """Fill in what the caller left out."""
    chosen = Path(root).absolute() if root else default_root()
    if run_root:
        return chosen, Path(run_root).absolute()
    if root and "JUBAKO_RUN_ROOT" not in os.environ:
        return chosen, chosen / "run"
    return chosen, default_run_root(chosen)
