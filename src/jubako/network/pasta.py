"""A way out for the containers of those who may not make bridges: pasta carries their connections in user space.

Model:      the container's network namespace gets the address and routes of this machine; what is connected from
            there pasta connects here, as this user. Nothing leads in, and to this machine's loopback only FORWARDER,
            behind which is its name server.
Lifetime:   pasta watches the file of the namespace that it was given, and ends when that is deleted: by `disconnect`,
            or by whoever removes the directory after a kill. It is mounted where only this process's mount namespace
            has it, so that pasta may open it from the namespaces that it confines itself in. It is alone in its
            directory: of several names that are deleted at once pasta sees the first.
Spec:       pasta(1)
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from jubako.errors import FailedPrecondition, Unavailable
from jubako.linux import helper, pinned

FORWARDER = "169.254.1.1"
_FILE = "pasta/netns"
_OPTIONS = ["--config-net", "--quiet", "--no-map-gw", "--dns-forward", FORWARDER]
_NOTHING_IN = [word for option in ("-t", "-u", "-T", "-U") for word in (option, "none")]
_NO_SYSLOG = "Failed to send "


def connect(netns_fd: int, directory: Path) -> None:
    """Give the network namespace its way out; `directory` is the container's. FailedPrecondition, Unavailable."""
    program = helper.find("pasta")
    if not program:
        raise FailedPrecondition(
            "the network of a container of an ordinary user needs pasta, which is not installed",
            hint="apt-get install passt, or --network none",
        )
    path = directory / _FILE
    path.parent.mkdir(mode=0o700)
    pinned.pin(f"/proc/self/fd/{netns_fd}", path)
    said = helper.complaint([program, *_OPTIONS, *_NOTHING_IN, "--netns", str(path)])
    if said is not None:
        raise Unavailable(f"pasta failed: {_reason(said)}", hint="`--network none` and `--network host` do without")


def disconnect(directory: Path) -> None:
    """Have pasta end, where it is running."""
    pinned.unpin(directory / _FILE)
    with suppress(FileNotFoundError):
        (directory / _FILE).unlink()


def _reason(said: str) -> str:
    """The last thing that it said, but for its trouble with a system that has no syslog."""
    lines = [line for line in said.splitlines() if not line.startswith(_NO_SYSLOG)]
    return lines[-1] if lines else "it did not say why"
