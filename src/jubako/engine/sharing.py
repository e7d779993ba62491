"""Which namespaces a container has of its own and which it shares, and what can not be asked of shared ones."""

from __future__ import annotations

from collections.abc import Iterator

from jubako.engine.options import CreateOptions
from jubako.errors import InvalidArgument

_CONTAINER = "container:"
_MODES = {
    "pid": ("host", _CONTAINER, "pod:"),
    "uts": ("host", "pod:"),
    "ipc": ("host", "private", "shareable", "none", _CONTAINER, "pod:"),
    "userns": ("host",),
    "cgroupns": ("host", "private"),
}
_WORDS = {"userns": "USER", "cgroupns": "CGROUP"}


def modes(options: CreateOptions) -> Iterator[tuple[str, str]]:
    """The option and what it says, of each namespace that can be another container's."""
    yield from (("network", options.network), ("pid", options.pid), ("ipc", options.ipc))


def validate(options: CreateOptions) -> None:
    """Raise InvalidArgument, in Docker's words, for a mode that is none and for what a shared namespace rules out."""
    for kind, known in _MODES.items():
        mode = getattr(options, kind)
        if mode and not any(mode == one or (one.endswith(":") and mode.startswith(one)) for one in known):
            raise InvalidArgument(f"--{kind}: invalid {_WORDS.get(kind, kind.upper())} mode")
    for _, mode in modes(options):
        if mode == _CONTAINER:
            raise InvalidArgument("invalid container format container:<name|id>")
    if options.hostname and options.uts == "host":
        raise InvalidArgument("conflicting options: hostname and the UTS mode")
    if options.network.startswith(_CONTAINER):
        _of_other(options)


def _of_other(options: CreateOptions) -> None:
    """What belongs to the container whose network it is."""
    for given, what in (
        (options.hostname, "hostname and the network mode"),
        (options.dns, "dns and the network mode"),
        (options.extra_hosts, "custom host-to-IP mapping and the network mode"),
        (options.mac_address, "mac-address and the network mode"),
        (options.publish or options.publish_all, "port publishing and the container type network mode"),
        (options.expose, "port exposing and the container type network mode"),
    ):
        if given:
            raise InvalidArgument(f"conflicting options: {what}")
