"""Hooks of a specification that run in the caller's namespaces, with the container's state on their stdin."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.runtime import program
from jubako.spec.oci_runtime import Hook, Hooks, Spec


def check(spec: Spec) -> Hooks:
    """The hooks; those that would run inside the container are refused."""
    hooks = spec.hooks or Hooks()
    if hooks.create_container or hooks.start_container:
        raise InvalidArgument("createContainer and startContainer hooks are not supported yet")
    return hooks


def run(hooks: Sequence[Hook], state: bytes, kind: str) -> None:
    """Run them in order. Raises FailedPrecondition at the first that fails."""
    if hooks:
        program.parent().join_groups()
    for hook in hooks:
        _run(hook, state, kind)


def _run(hook: Hook, state: bytes, kind: str) -> None:
    import subprocess

    environment = dict(text.split("=", 1) for text in hook.env if "=" in text)
    try:
        done = subprocess.run(
            hook.args or [hook.path],
            executable=hook.path,
            input=state,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=hook.timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FailedPrecondition(f"{kind} hook {hook.path} did not end within {hook.timeout} s") from None
    except OSError as error:
        raise FailedPrecondition(f"{kind} hook {hook.path}: {error.strerror}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-1000:]
        raise FailedPrecondition(f"{kind} hook {hook.path} failed with exit code {done.returncode}: {said}")
