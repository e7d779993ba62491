"""Hooks that run inside the container, as operations of its first process. The others are run by `oci.hooks`.

Spec: OCI runtime-spec, config.md "POSIX-platform Hooks".
"""

from __future__ import annotations

from collections.abc import Sequence

from jubako.runtime import opcodes as op
from jubako.runtime.plan import Plan
from jubako.spec.oci_runtime import Hook, Hooks

# What poll(2) takes: 24 days.
TIMEOUT_S_MAX = ((1 << 31) - 1) // 1000


def wait_for_creator(hooks: Hooks) -> bool:
    """Whether the first process must stop before its pivot, where hooks expect it."""
    return bool(hooks.prestart or hooks.create_runtime or hooks.create_container)


def add_create_hooks(plan: Plan, hooks: Hooks, state_fd: int) -> None:
    """Between the mounts and the pivot: let the creator's hooks run, then those of createContainer."""
    if wait_for_creator(hooks):
        plan.add(op.MOUNTED)
    add_hooks(plan, hooks.create_container, state_fd)


def add_hooks(plan: Plan, hooks: Sequence[Hook], state_fd: int) -> None:
    for hook in hooks:
        timeout_ms = -1 if hook.timeout is None else min(hook.timeout, TIMEOUT_S_MAX) * 1000
        plan.add(op.HOOK, timeout_ms, state_fd, len(hook.args), hook.path, *hook.args, *hook.env)
