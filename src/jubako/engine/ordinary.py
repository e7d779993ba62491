"""What is not there for ordinary users yet, refused by name before anything is made.

Images, builds and volumes are theirs: a build's commands need no cgroup and end with it. Containers outlive the command
that starts them, so all later commands would have to be in the same user namespace (docs/adr/0007).
"""

from __future__ import annotations

from jubako.errors import FailedPrecondition
from jubako.linux import userns

CONTAINERS = "containers are run by root so far: sudo jubako …, or jubako-oci below podman; a build's RUN needs no root"
MOUNTS = "nobody else would see what is mounted in this command's own mount namespace; jubako save gives the files"


def refuse(what: str, hint: str = CONTAINERS) -> None:
    """Raise FailedPrecondition for anybody but root."""
    if userns.user() != 0:
        raise FailedPrecondition(f"{what} is not supported for ordinary users", hint=hint)
