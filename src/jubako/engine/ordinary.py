"""What is otherwise, and what is not there, for the containers of ordinary users. What is not is refused by name.

They have the control groups that they are given (linux.cgroup.delegation): limits that need more are left out. They
make no bridges, and the network is pasta's. A container is in the user namespace of its user's commands, and keeps it
(runtime.rootless); the command that its end runs does not, so that one which started it again could lose it.
"""

from __future__ import annotations

import os

import msgspec

from jubako.engine import resources
from jubako.engine.options import CreateOptions, restart_policy
from jubako.errors import FailedPrecondition
from jubako.linux import cgroup, userns
from jubako.spec.oci_runtime import Resources

PASTA = "pasta"
"""The network of those who make no bridges, in place of `bridge`."""

_AS_ROOT = "sudo jubako …"
MOUNTS = "nobody else would see what is mounted in this command's own mount namespace; jubako save gives the files"


def refuse(what: str, hint: str = _AS_ROOT) -> None:
    """Raise FailedPrecondition for anybody but root."""
    if userns.user() != 0:
        raise FailedPrecondition(f"{what} is not supported for ordinary users", hint=hint)


def adapted(options: CreateOptions) -> CreateOptions:
    """The options as this user's container can have them. Raises FailedPrecondition."""
    if os.geteuid() != 0:
        raise FailedPrecondition("a container needs root", hint="jubako.enter_user_namespace() makes a program that")
    if userns.user() != 0:
        check_restart(options.restart)
    if options.pid == "host":
        refuse("--pid host")  # nobody but root mounts a procfs of the host's processes
    if not is_bridge(options.network) or userns.owns_network():
        return options
    if options.network != "bridge":
        raise FailedPrecondition(f"network {options.network} is not supported for ordinary users", hint=_AS_ROOT)
    return msgspec.structs.replace(options, network=PASTA)


def check_restart(policy: str) -> None:
    """Raise FailedPrecondition for a policy that would start the container again."""
    if restart_policy(policy)[0] != "no":
        refuse(f"--restart {policy}")


def is_bridge(network: str) -> bool:
    """Whether the mode of that name needs an endpoint on a bridge."""
    return network not in ("none", "host", PASTA) and ":" not in network


def kept() -> list[int]:
    """What a container's monitor holds, so that the namespaces last as long as it does."""
    if userns.user() == 0:
        return []
    from jubako.runtime import rootless

    return rootless.held()


def attainable(limits: Resources) -> tuple[Resources, list[str]]:
    """What of the limits can be set for this user, and the names of what is left out."""
    if userns.is_initial():
        return limits, []
    return resources.attainable(limits, cgroup.delegated().controllers)


def discarded(options: CreateOptions) -> str:
    """What to say of limits that are not set; "" where there are none, or they are."""
    lost = attainable(resources.compile_limits(options))[1]
    if not lost:
        return ""
    hint = cgroup.delegated().hint
    return f"{_told(lost)} ({hint})" if hint else _told(lost)


def check_limits(options: CreateOptions) -> None:
    """Raise FailedPrecondition for a limit that can not be set."""
    if lost := attainable(resources.compile_limits(options))[1]:
        raise FailedPrecondition(_told(lost), hint=cgroup.delegated().hint or None)


def _told(lost: list[str]) -> str:
    """Which limits are not set, and why."""
    given = cgroup.delegated()
    reason = given.reason or f"of the controllers this user has {' '.join(sorted(given.controllers)) or 'none'}"
    return f"the limits of {', '.join(lost)} are not set: {reason}"
