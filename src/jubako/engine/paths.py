"""Where an engine keeps its state.

`root` survives a reboot (images, snapshots, volumes, records); `run_root` does not (sockets, process state). Root uses
/var/lib/jubako and /run/jubako, an ordinary user the XDG directories. JUBAKO_ROOT and JUBAKO_RUN_ROOT override both.
"""

from __future__ import annotations

import os
from pathlib import Path


def default_root() -> Path:
    """The state directory when nobody names one."""
    if given := os.environ.get("JUBAKO_ROOT"):
        return Path(given).absolute()
    if os.geteuid() == 0:
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
    if os.geteuid() == 0:
        return Path("/run/jubako")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "jubako" if runtime else root / "run"


def resolve(root: str | Path | None, run_root: str | Path | None) -> tuple[Path, Path]:
    """Fill in what the caller left out."""
    chosen = Path(root).absolute() if root else default_root()
    if run_root:
        return chosen, Path(run_root).absolute()
    if root and "JUBAKO_RUN_ROOT" not in os.environ:
        return chosen, chosen / "run"
    return chosen, default_run_root(chosen)
