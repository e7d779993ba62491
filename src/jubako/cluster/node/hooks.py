"""postStart and preStop: what a pod has run at the beginning and end of its containers.

Spec: "Container Lifecycle Hooks"; core/v1 LifecycleHandler; k8s.io/kubernetes/pkg/kubelet/lifecycle/handlers.go.
"""

from __future__ import annotations

import asyncio

from jubako.cluster.node.probes import http
from jubako.cluster.node.probes.checks import Checks
from jubako.cluster.node.probes.dialing import Failed
from jubako.cluster.types.document import Object, array, at, integer, mapping, text
from jubako.errors import JubakoError

_EVER_S = 1e9


def hook_of(container: Object, name: str) -> Object:
    """Return the handler `postStart` or `preStop` of a container, empty where there is none."""
    return mapping(at(container, "lifecycle", name))


async def run(checks: Checks, handler: Object, pod: str) -> None:
    """Do it; `pod` is its full name, for people. Raises Failed."""
    name = text(checks.container.get("name"))
    if "exec" in handler:
        await _command(checks, [text(word) for word in array(at(handler, "exec", "command"))], name, pod)
    elif "httpGet" in handler:
        await _get(checks, mapping(handler["httpGet"]), name, pod)
    elif "sleep" in handler:
        await asyncio.sleep(integer(at(handler, "sleep", "seconds")))
    else:
        raise Failed("Cannot run handler: invalid handler")


async def _command(checks: Checks, words: list[str], name: str, pod: str) -> None:
    why, said = "", ""
    try:
        code, said = await checks.execute(checks.attempt, words, _EVER_S)
        if code:
            why = f"command '{' '.join(words)}' exited with {code}: {said}"
    except JubakoError as error:
        why = error.message
    if why:
        shown = f"[{' '.join(words)}]"
        about = f'Exec lifecycle hook ({shown}) for Container "{name}" in Pod "{pod}" failed'
        raise Failed(f'{about} - error: {why}, message: "{said}"')


async def _get(checks: Checks, asked: Object, name: str, pod: str) -> None:
    """Whatever answers is enough."""
    try:
        await http.get(asked, checks.container, checks.address, None)
    except Failed as failed:
        about = f'HTTP lifecycle hook ({text(asked.get("path"))}) for Container "{name}" in Pod "{pod}" failed'
        raise Failed(f"{about} - error: {failed}") from None
