"""What a pod's class asks of the node."""

from __future__ import annotations

import pytest
from tests.unit.cluster.node.scenes import pod

from jubako.cluster.node.resources import of_pod
from jubako.cluster.node.runtimes import check_runtime
from jubako.cluster.types.document import Object
from jubako.errors import InvalidArgument


def find(kind: str, namespace: str, name: str) -> Object | None:
    return {"here": {"handler": "runc"}, "elsewhere": {"handler": "gvisor"}}.get(name)  # type: ignore[return-value]


def test_a_handler_that_is_not_here_is_named() -> None:
    check_runtime(find, pod())
    check_runtime(find, pod(runtimeClassName="here"))
    for name, why in (
        ("elsewhere", 'no runtime for "gvisor" is configured'),
        ("gone", 'RuntimeClass "gone" not found'),
    ):
        with pytest.raises(InvalidArgument, match=f"failed to get sandbox runtime: {why}"):
            check_runtime(find, pod(runtimeClassName=name))


def test_what_a_pod_costs_besides_is_within_its_limits() -> None:
    limits: Object = {"limits": {"memory": "64Mi"}, "requests": {"cpu": "500m"}}
    found = of_pod(pod({"name": "a", "resources": limits}, overhead={"memory": "16Mi", "cpu": "500m"}))
    assert (found["memory"], found["cpu_shares"], found["cpu_quota"]) == (80 << 20, 1024, 0)
