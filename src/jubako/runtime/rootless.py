"""An ordinary user's own root: a command that needs it goes into a user and a mount namespace of its own.

Model:      root inside is the user, ids from 1 on are its ranges of /etc/subuid and /etc/subgid; without ranges or the
            helpers that map them, the user is all there is (userns.mappings).
Invariant:  all commands of a user have the same maps, so one owns what another wrote. Nothing needs the namespaces
            but the processes in them: nobody holds them, and nothing of them is left (docs/adr/0007).
"""

from __future__ import annotations

import errno
import os

from jubako.errors import FailedPrecondition
from jubako.linux import nested, userns
from jubako.runtime import idmap

_HINT = "jubako doctor tells what this host lacks for ordinary users"


def enter() -> None:
    """Make this process root of a user namespace; nothing where it is root already. Raises FailedPrecondition."""
    if os.geteuid() == 0:
        return
    namespace = idmap.user_namespace(*userns.mappings())
    try:
        nested.enter(namespace)
    except OSError as error:
        raise FailedPrecondition(_explained(error), hint=_HINT) from None
    finally:
        os.close(namespace)


def _explained(error: OSError) -> str:
    if error.errno == errno.EINVAL:
        return "cannot enter a user namespace: this process has threads"
    return f"cannot work in a user namespace: {os.strerror(error.errno or 0).lower()}"
