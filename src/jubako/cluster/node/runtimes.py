"""Which runtime a pod asks for by its RuntimeClass: there is one here, by the names that it has elsewhere.

Spec: "Runtime Class".
"""

from __future__ import annotations

from jubako.cluster.node.volumes.claims import Find
from jubako.cluster.objects import Object, text
from jubako.errors import InvalidArgument

HANDLERS = ("jubako", "runc")


def check_runtime(find: Find, pod: Object) -> None:
    """Raises InvalidArgument for a class that is gone, or whose handler is none of ours."""
    wanted = text(pod, "spec", "runtimeClassName")
    if not wanted:
        return
    found = find("RuntimeClass", "", wanted)
    if found is None:
        raise InvalidArgument(f'failed to get sandbox runtime: RuntimeClass "{wanted}" not found')
    if text(found, "handler") not in HANDLERS:
        raise InvalidArgument(f'failed to get sandbox runtime: no runtime for "{text(found, "handler")}" is configured')
