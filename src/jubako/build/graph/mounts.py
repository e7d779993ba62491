"""What `RUN --mount` asks for, with everything expanded. All of it counts in the key, the content of secrets never."""

from __future__ import annotations

import msgspec


class MountSpec(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`kind` is bind, cache, tmpfs, secret or ssh.

    The n-th of those with a `source` takes its files from the operation's n-th source.
    """

    kind: str
    target: str
    source: str = ""
    id: str = ""
    readonly: bool = False
    sharing: str = "shared"
    mode: int | None = None
    uid: int = 0
    gid: int = 0
    size: str = ""
    required: bool = False
    env: str = ""
