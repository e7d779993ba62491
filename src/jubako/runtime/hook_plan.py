"""Hooks that run inside the container, as operations of its first process. The others are run by `oci.hooks`.

Spec: OCI runtime-spec, config.md "POSIX-platform Hooks".
"""

from __future__ import annotations

from collections.abc import Sequence

from jubako.runtime import opcodes as op
from jubako.runtime.launch import Launch
from jubako.runtime.plan import Plan
from jubako.spec.oci_runtime import Hook, Hooks, Process

# What poll(2) takes: 24 days.
TIMEOUT_S_MAX = ((1 << 31) - 1) // 1000


def wait_for_creator(hooks: Hooks) -> bool:
    """Whether the first process must stop before its pivot, where hooks expect it."""
    return bool(hooks.prestart or hooks.create_runtime or hooks.create_container)


def add_create_hooks(plan: Plan, launch: Launch) -> None:
    """Between the mounts and the pivot: let the creator's hooks run, then those of createContainer."""
    hooks, process = launch.spec.hooks or Hooks(), launch.spec.process or Process()
    if wait_for_creator(hooks):
        plan.add(op.MOUNTED)
    add_hooks(plan, hooks.create_container, launch.hook_state, process.env, start=False)


def add_hooks(plan: Plan, hooks: Sequence[Hook], state_fd: int, inherited: Sequence[str], *, start: bool) -> None:
    """A hook that has no environment of its own has the container's, as with runc."""
    for number, hook in enumerate(hooks):
        timeout_ms = -1 if hook.timeout is None else min(hook.timeout, TIMEOUT_S_MAX) * 1000
        environment = inherited if hook.env is None else hook.env
        integers = (timeout_ms, state_fd, len(hook.args), int(start), number)
        plan.add(op.HOOK, *integers, hook.path, *hook.args, *environment)
