"""How a container ended, in words."""

from __future__ import annotations

import signal

from jubako.cluster.types.document import Object, integer, text

_UNSTARTED = ("StartError", "ContainerCannotRun", "RunContainerError")


def end_text(ended: Object) -> str:
    """Return how it ended, as it follows the container's name."""
    code, reason = integer(ended.get("exitCode")), text(ended.get("reason"))
    said = text(ended.get("message")).strip()
    if reason == "OOMKilled":
        return "was killed: it took more memory than its limit"
    if "exec format error" in said:
        return "can not run here: its program is for another platform (exec format error)"
    if is_unstarted(ended):
        return f"could not be started: {said}" if said else "could not be started"
    if code == 0:
        return "ended, and said that all went well (exit code 0)"
    return f"ended with exit code {code}{_meaning(code)}"


def is_unstarted(ended: Object) -> bool:
    """Whether its program never ran."""
    return text(ended.get("reason")) in _UNSTARTED


def _meaning(code: int) -> str:
    if code == 127:
        return ": a command was not found"
    if code == 126:
        return ": a command could not be executed"
    if 128 < code < 128 + 65:
        try:
            return f": ended by {signal.Signals(code - 128).name}"
        except ValueError:
            return ""
    return ""


def tries_for(ended: Object, container: Object) -> list[str]:
    """Return what may help beside the logs."""
    if text(ended.get("reason")) == "OOMKilled":
        resources = container.get("resources")
        limits = resources.get("limits") if isinstance(resources, dict) else None
        limit = text(limits.get("memory")) if isinstance(limits, dict) else ""
        return [f"raise resources.limits.memory ({limit or 'of the pod'}), or let the program take less"]
    if "exec format error" in text(ended.get("message")):
        return ["build the image for this machine's platform"]
    if is_unstarted(ended):
        return ["mend command and args of the container, or the image that they are to be in"]
    if integer(ended.get("exitCode")) == 0:
        return ["a server must stay in the foreground; work that ends is a Job"]
    return []
