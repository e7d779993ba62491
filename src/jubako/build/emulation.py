"""Whether this machine can run programs of another platform: natively, or through qemu-user by binfmt_misc.

A handler must have the flag F: only then its interpreter is open already, and found from inside a container.
Kernel: Documentation/admin-guide/binfmt-misc.rst.
"""

from __future__ import annotations

from pathlib import Path

from jubako.image import platform as platforms
from jubako.spec.oci_image import Platform

_REGISTERED = Path("/proc/sys/fs/binfmt_misc")
_NATIVE = {"amd64": ("386",), "arm64": ("arm",)}
# How qemu calls what the image specification calls otherwise.
_QEMU = {"arm64": "aarch64", "amd64": "x86_64", "386": "i386", "ppc64le": "ppc64le", "loong64": "loongarch64"}


def can_run(platform: Platform, registered: Path = _REGISTERED) -> bool:
    """Whether a RUN for `platform` can work here."""
    host = platforms.host()
    if platform.os != host.os:
        return False
    if platform.architecture in (host.architecture, *_NATIVE.get(host.architecture, ())):
        return True
    name = _QEMU.get(platform.architecture, platform.architecture)
    return any(_takes(handler, name) for handler in _handlers(registered))


def _handlers(registered: Path) -> list[str]:
    try:
        return [path.read_text() for path in registered.iterdir() if path.name not in ("register", "status")]
    except OSError:
        return []


def _takes(handler: str, name: str) -> bool:
    """Whether a handler's text shows qemu for the architecture `name`, enabled, with the flag F."""
    fields = dict(line.partition(" ")[::2] for line in handler.splitlines())
    interpreter = Path(fields.get("interpreter", "")).name
    return (
        "enabled" in fields
        and interpreter.removesuffix("-static").removesuffix("-binfmt-P") == f"qemu-{name}"
        and "F" in fields.get("flags:", "")
    )
