"""The three files that every container has of its own: hostname, hosts and resolv.conf.

They live in the run directory and are bound over /etc; `hosts` is rewritten in place (same inode), so that running
containers see names that came later.
"""

from __future__ import annotations

import os
from pathlib import Path

from jubako.engine.options import CreateOptions, SharedOptions
from jubako.engine.ordinary import PASTA
from jubako.network import resolv
from jubako.spec.oci_runtime import Mount

Names = list[tuple[list[str], str]]
"""(names, address), as Networks.peers() gives them."""
NAMES = ("hostname", "hosts", "resolv.conf")
TERMINATION_LOG, TERMINATION_BYTES = "termination-log", 4096


def write(run_dir: Path, hostname: str, hosts_file: str, resolv_conf: str, *, read_only: bool) -> list[Mount]:
    """Write the files and return their mounts."""
    for name, text in zip(NAMES, (hostname + "\n", hosts_file, resolv_conf), strict=True):
        overwrite(str(run_dir / name), text)
    return mounts(run_dir, read_only=read_only)


def mounts(run_dir: Path, *, read_only: bool) -> list[Mount]:
    """The mounts of the files in `run_dir`: a container's own, or its pod's."""
    how = ["rbind", "rprivate", *(["ro"] if read_only else [])]
    return [Mount(destination=f"/etc/{name}", type="bind", source=str(run_dir / name), options=how) for name in NAMES]


def termination_log(state_dir: Path, options: CreateOptions) -> list[Mount]:
    """An empty file for the program's last words, at the path that was asked for; it lasts as long as the container."""
    if not options.termination_message_path:
        return []
    path = state_dir / TERMINATION_LOG
    overwrite(str(path), "")
    path.chmod(0o666)
    how = ["rbind", "rprivate"]
    return [Mount(destination=options.termination_message_path, type="bind", source=str(path), options=how)]


def termination_message(state_dir: Path) -> str:
    """What the program wrote there; "" for nothing. Only the beginning is read, up to what Kubernetes shows."""
    try:
        with open(state_dir / TERMINATION_LOG, "rb") as file:
            return file.read(TERMINATION_BYTES).decode(errors="replace")
    except FileNotFoundError:
        return ""


def overwrite(path: str, text: str) -> None:
    """Replace a file's content without replacing the file, which containers have bound."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def resolv_text(options: SharedOptions) -> str:
    """The host's resolv.conf without loopback servers, or what --dns, --dns-search and --dns-option say."""
    servers = options.dns or ([resolv.FORWARDER] if options.network == PASTA else [])
    return resolv.render(servers=servers, search=options.dns_search, options=options.dns_options)
