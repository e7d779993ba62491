"""Which kernel parameters a container may set: those of a namespace that it has for itself (CVE-2022-0811).

Source: runc, libcontainer/configs/validate; Linux, the namespaces(7) pages.
"""

from __future__ import annotations

import re

from jubako.errors import InvalidArgument

_NAME = r"[a-z0-9_-]+(?:[./][A-Za-z0-9_@:-]+)+"  # compiled by those that need it
_IPC = frozenset(
    f"kernel/{name}" for name in ("msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced")
)
_UTS = frozenset({"kernel/hostname", "kernel/domainname"})


def path(name: str, made: set[str]) -> str:
    """The path beneath /proc/sys of the parameter `name`, for a container that has the namespaces `made`."""
    if not re.fullmatch(_NAME, name):
        raise InvalidArgument(f"invalid sysctl name: {name!r}")
    # A slash first means that slashes separate, so that a dot may stand in an interface's name: sysctl(8).
    text = name if "/" in name.partition(".")[0] else name.replace(".", "/")
    if text == "kernel/hostname":
        raise InvalidArgument(f"sysctl {name!r} is not allowed: it conflicts with the container's hostname")
    namespace = _namespace(text)
    if namespace is None:
        raise InvalidArgument(f"sysctl {name!r} is not in a separate kernel namespace")
    if namespace not in made:
        raise InvalidArgument(f"sysctl {name!r} is not allowed: the container has no {namespace} namespace of its own")
    return text


def _namespace(text: str) -> str | None:
    if text in _IPC or text.startswith("fs/mqueue/"):
        return "ipc"
    if text in _UTS:
        return "uts"
    return {"net": "network", "user": "user"}.get(text.partition("/")[0])
