"""Claims that ask for more than they have."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.apiserver.conftest import Cluster, Play, named

from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.types.document import at

CLAIMS, CLASSES = "/api/v1/namespaces/default/persistentvolumeclaims", "/apis/storage.k8s.io/v1/storageclasses"


async def claimed(cluster: Cluster, class_name: str, phase: str = "Bound") -> None:
    spec: Any = {
        "accessModes": ["ReadWriteOnce"], "storageClassName": class_name, "resources": {"requests": {"storage": "1Gi"}},
    }  # fmt: skip
    await cluster.create(CLAIMS, {**named("c"), "spec": spec})
    await cluster.update(f"{CLAIMS}/c/status", lambda old: {**old, "status": {"phase": phase}})


async def grow(cluster: Cluster, amount: str) -> Any:
    def change(old: Any) -> Any:
        old["spec"]["resources"]["requests"]["storage"] = amount
        return old

    return await cluster.update(f"{CLAIMS}/c", change)


@pytest.mark.parametrize("class_name", ["standard", "", "none"])
def test_a_claim_of_a_class_that_does_not_expand_stays_as_large_as_it_is(play: Play, class_name: str) -> None:
    async def scene(cluster: Cluster) -> None:
        await claimed(cluster, class_name)
        with pytest.raises(Failure, match="the storageclass that provisions the pvc must support resize") as refused:
            await grow(cluster, "2Gi")
        assert refused.value.code == 403
        await grow(cluster, "1024Mi")  # which is no more

    play(scene)


def test_a_claim_of_a_class_that_expands_may_ask_for_more(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(CLASSES, {**named("large"), "provisioner": "a.example/p", "allowVolumeExpansion": True})
        await claimed(cluster, "large")
        assert at(await grow(cluster, "2Gi"), "spec", "resources", "requests", "storage") == "2Gi"

    play(scene)
