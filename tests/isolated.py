"""Run a test command in a network namespace of its own, and prove that it leaves the machine as it found it.

Usage: isolated.py [--host-network] COMMAND [ARGUMENT …]. As root the command gets a private mount namespace and, but
for --host-network, a new network namespace (loopback up). Before and after, this compares what a container engine could
leave behind: mounts, namespaces, cgroups beneath `jubako`, processes of ours, network links, firewall tables, loop
devices. Exits with the command's status, or 3 when something is left.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

GRACE_S = 20.0
HOST_NETWORK = "--host-network"


def mounts() -> set[str]:
    """Mount points of this mount namespace."""
    return {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}


def processes() -> set[str]:
    """Processes that are ours by their executable or command line: executors, fronts, keepers."""
    found = set()
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            exe = os.readlink(directory / "exe")
            command = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        # The executor runs from a mount that is attached nowhere, so its own path says nothing.
        if (
            command.startswith("jubako-")
            or "/jubako/_bin/" in exe
            or "jubako.cli.keeper" in command
            or "jubako.engine.cleanup" in command
        ):
            found.add(f"{directory.name} {command[:100]}")
    return found


def namespaces() -> set[str]:
    """Every namespace that some process is in, and the network namespaces that are kept by a mount."""
    found = set()
    for directory in Path("/proc").glob("[0-9]*"):
        for kind in ("net", "mnt", "pid", "ipc", "uts", "user", "cgroup"):
            try:
                found.add(os.readlink(directory / "ns" / kind))
            except OSError:
                continue
    return found


def cgroups() -> set[str]:
    """Groups beneath our own subtree, in every hierarchy."""
    found = set()
    for base in [*Path("/sys/fs/cgroup").glob("*/jubako"), Path("/sys/fs/cgroup/jubako")]:
        found |= {directory for directory, _, _ in os.walk(base) if directory != str(base)}
    return found


def links() -> set[str]:
    """Network interfaces of the network namespace that we stand in."""
    return {line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]}


def firewall() -> set[str]:
    """nftables tables."""
    done = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=False)
    return set(done.stdout.splitlines())


def loops() -> set[str]:
    """Loop devices that have a file behind them."""
    return {path.parent.name for path in Path("/sys/block").glob("loop*/loop")}


CHECKS: dict[str, Callable[[], set[str]]] = {
    "mounts": mounts,
    "processes": processes,
    "namespaces": namespaces,
    "cgroups": cgroups,
    "links": links,
    "firewall tables": firewall,
    "loop devices": loops,
}


def survey() -> dict[str, set[str]]:
    """What there is now."""
    return {name: check() for name, check in CHECKS.items()}


def left_over(before: dict[str, set[str]]) -> dict[str, set[str]]:
    """What there is more than before; teardown in the kernel is asynchronous, so it gets some time."""
    deadline = time.monotonic() + GRACE_S
    while True:
        more = {name: now - before[name] for name, now in survey().items() if now - before[name]}
        if not more or time.monotonic() > deadline:
            return more
        time.sleep(0.2)


def enter_namespaces() -> None:
    """Move into a new network namespace, and a mount namespace whose changes stay in it."""
    arguments = sys.argv[1:]
    network = ["--net"]
    if arguments[:1] == [HOST_NETWORK]:
        network, arguments = [], arguments[1:]
    inside = ["unshare", *network, "--mount", "--propagation", "private", sys.executable, __file__, "--inside"]
    os.execvp(inside[0], [*inside, *arguments])


def restore_signals() -> None:
    """Whoever started us in the background may have signals ignored, which tests send and wait for the effect of."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTSTP):
        signal.signal(number, signal.SIG_DFL)


def main() -> int:
    """Survey, run, survey again."""
    restore_signals()
    arguments = sys.argv[1:]
    if os.geteuid() and arguments[:1] == [HOST_NETWORK]:
        arguments = arguments[1:]
    if os.geteuid() == 0 and arguments[:1] != ["--inside"]:
        enter_namespaces()
    if arguments[:1] == ["--inside"]:
        arguments = arguments[1:]
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    environment = {**os.environ, "JUBAKO_KEEPER_IDLE": os.environ.get("JUBAKO_KEEPER_IDLE", "5")}
    before = survey()
    status = subprocess.run(arguments, check=False, env=environment).returncode
    more = left_over(before)
    for name, things in more.items():
        print(f"left behind: {name}: {', '.join(sorted(things))}", file=sys.stderr)
    return status or (3 if more else 0)


if __name__ == "__main__":
    sys.exit(main())
