"""Pods and what is seen of them, for the tests of the node's pure parts."""

from __future__ import annotations

from typing import Any

from jubako.cluster.node.decide import Situation
from jubako.cluster.node.seen import Attempt, Seen
from jubako.cluster.types.document import Object

NOW = 1_000_000.0


def pod(*containers: Object, init: list[Object] | None = None, **spec: Any) -> Object:
    metadata: Object = {"name": "p", "namespace": "n", "uid": "u"}
    whole: Object = {"containers": list(containers) or [{"name": "a"}], "initContainers": list(init or []), **spec}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": whole, "status": {"phase": "Pending"}}


def running(number: int = 0, since: float = NOW - 5) -> Attempt:
    return Attempt(id=f"r{number}", number=number, running=True, started=since)


def ended(code: int = 0, number: int = 0, at: float = NOW - 1, after: float = 1.0) -> Attempt:
    return Attempt(id=f"e{number}", number=number, started=at - after, finished=at, exit_code=code)


def situation(document: Object, attempts: dict[str, list[Attempt]] | None = None, **more: Any) -> Situation:
    ready = more.pop("ready", True)
    seen = Seen(sandbox="s", ready=ready, address="10.0.0.2", attempts=attempts or {})
    return Situation(pod=document, seen=seen, now=NOW, **more)
