"""Hooks of a specification: those that run in the caller's namespaces, and the state that all of them read.

When:         prestart, createRuntime and (in the container) createContainer at `create`, when all is mounted and the
              old root is still there; startContainer (in the container) and poststart at `start`; poststop at `delete`.
Failure:      of one at create or start: the container is taken down, and its poststop hooks run; of a poststop hook: a
              warning, and the next one runs.
Spec:         OCI runtime-spec, runtime.md "Lifecycle", config.md "POSIX-platform Hooks".
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux import fd as fds_of
from jubako.linux import proc
from jubako.runtime import hook_plan, program
from jubako.runtime.executor import Handle
from jubako.runtime.oci.containers import Container
from jubako.spec.oci_runtime import Hook, Hooks, Spec

_KINDS = ("prestart", "create_runtime", "create_container", "start_container", "poststart", "poststop")


def of(spec: Spec) -> Hooks:
    """The hooks, checked. Raises InvalidArgument naming the one that is wrong."""
    hooks = spec.hooks or Hooks()
    for kind in _KINDS:
        for hook in getattr(hooks, kind):
            if not hook.path.startswith("/"):
                raise InvalidArgument(f"hooks: the path {hook.path!r} is not absolute")
            if hook.timeout is not None and hook.timeout <= 0:
                raise InvalidArgument(f"hooks: the timeout of {hook.path} must be greater than zero")
    return hooks


class StateMemory:
    """The state as hooks inside the container read it. `fd` is -1 where there are no such hooks."""

    def __init__(self, hooks: Hooks) -> None:
        wanted = bool(hooks.create_container or hooks.start_container)
        self.fd = fds_of.above_stdio(os.memfd_create("state")) if wanted else -1

    def write(self, container: Container, status: str) -> None:
        """Hooks in the container see their own namespace's pid."""
        if self.fd >= 0:
            pid = proc.innermost_pid(container.record.pid)
            os.ftruncate(self.fd, 0)
            os.pwrite(self.fd, container.state(status=status, pid=pid), 0)

    def close(self) -> None:
        fds_of.close_all([self.fd])
        self.fd = -1


def run_create_hooks(handle: Handle, hooks: Hooks, container: Container, memory: StateMemory) -> None:
    """The creator's part between the mounts and the pivot. Raises FailedPrecondition at the first that fails."""
    if not hook_plan.wait_for_creator(hooks):
        return
    handle.await_mounts()
    state = container.state(status="creating")
    run(hooks.prestart, state, "prestart", container.record.bundle)
    run(hooks.create_runtime, state, "createRuntime", container.record.bundle)
    memory.write(container, "creating")
    handle.go_on()


def run(hooks: Sequence[Hook], state: bytes, kind: str, directory: str) -> None:
    """Run them in order, in the bundle's directory. Raises FailedPrecondition at the first that fails."""
    if hooks:
        program.parent().join_groups()
    for number, hook in enumerate(hooks):
        _run(hook, state, f"{kind} hook #{number}", directory)


def run_all(hooks: Sequence[Hook], state: bytes, kind: str, directory: str) -> list[str]:
    """Run them in order, whatever they do; what failed."""
    failed = []
    for number, hook in enumerate(hooks):
        try:
            _run(hook, state, f"{kind} hook #{number}", directory)
        except FailedPrecondition as error:
            failed.append(error.message)
    return failed


def _run(hook: Hook, state: bytes, name: str, directory: str) -> None:
    # No pipe: what the hook leaves running would have its end, and only the hook is waited for.
    with open(os.memfd_create("hook"), "rb") as said:
        failure = _failure(hook, state, directory, said.fileno())
        if failure.startswith("exit status"):
            said.seek(0)
            if words := said.read().decode(errors="replace").strip():
                failure += f": {words[-1000:]}"
    if failure:
        raise FailedPrecondition(f"error running {name}: {hook.path}: {failure}")


def _failure(hook: Hook, state: bytes, directory: str, said: int) -> str:
    import subprocess

    try:
        done = subprocess.run(
            hook.args or [hook.path],
            executable=hook.path,
            input=state,
            env=_environment(hook),
            cwd=directory,
            stdout=subprocess.DEVNULL,
            stderr=said,
            timeout=hook.timeout and min(hook.timeout, hook_plan.TIMEOUT_S_MAX),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end in {hook.timeout} s"
    except OSError as error:
        return error.strerror or str(error)
    return f"exit status {done.returncode}" if done.returncode else ""


def _environment(hook: Hook) -> dict[str, str] | None:
    """What the specification says, where it says anything; else this process's."""
    return None if hook.env is None else dict(text.split("=", 1) for text in hook.env if "=" in text)
