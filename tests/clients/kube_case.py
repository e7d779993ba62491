"""Pods as tests make them through kubectl, and what is looked for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tests.clients.kubectl import Kubectl

SOON_S = 20.0


def container(name: str = "main", command: str = "sleep 1000", **more: Any) -> dict[str, Any]:
    words = ["sh", "-c", f"trap 'exit 0' TERM; {command} & wait"]
    return {"name": name, "image": "busybox", "command": words, "imagePullPolicy": "IfNotPresent", **more}


def run(kubectl: Kubectl, name: str, *containers: dict[str, Any], ready: bool = True, **spec: Any) -> None:
    whole = {"containers": list(containers) or [container()], "terminationGracePeriodSeconds": 2, **spec}
    document = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": whole}
    kubectl("apply", "-f", "-", input=json.dumps(document))
    if ready:
        kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=30s")


def apply(kubectl: Kubectl, kind: str, name: str, **more: Any) -> None:
    document = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **more}
    kubectl("apply", "-f", "-", input=json.dumps(document))


def read(kubectl: Kubectl, *what: str) -> Any:
    return json.loads(kubectl("get", *what, "-o", "json"))


def becomes(look: Callable[[], Any], wanted: Any) -> None:
    """Look until it is so; the last look is the failure's."""
    deadline = time.monotonic() + SOON_S
    while (found := look()) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found == wanted


def waiting(kubectl: Kubectl, pod: str, container: str = "") -> tuple[str, str]:
    """Return reason and message of what a container, or the first, waits for."""
    statuses = read(kubectl, "pod", pod)["status"].get("containerStatuses", [])
    held = next((each["state"] for each in statuses if container in ("", each["name"])), {}).get("waiting", {})
    return held.get("reason", ""), held.get("message", "")


def events(kubectl: Kubectl, pod: str) -> list[tuple[str, str]]:
    """Return reason and message of what was told of a pod."""
    found = read(kubectl, "events", "--field-selector", f"involvedObject.name={pod}")["items"]
    return [(each["reason"], each["message"]) for each in found]


def state(kubectl: Kubectl, pod: str, which: str = "state", container: str = "main") -> dict[str, Any]:
    """Return the state, or lastState, of one of a pod's containers."""
    statuses = read(kubectl, "pod", pod)["status"].get("containerStatuses", [])
    found: dict[str, Any] = next((each for each in statuses if each["name"] == container), {}).get(which, {})
    return found
