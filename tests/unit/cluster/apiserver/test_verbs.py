"""create, update and delete."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.cluster.apiserver.conftest import Cluster, Play, deployment, named, pod

from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.apiserver.objects.deleting import DeleteOptions, options_of
from jubako.cluster.types.document import Object, at, child

MAPS, PODS, DEPLOYMENTS = (
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/pods",
    "/apis/apps/v1/namespaces/default/deployments",
)
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


def changed(*path: str, value: Any) -> Any:
    def change(document: Object) -> Object:
        held = document
        for name in path[:-1]:
            held = child(held, name)
        held[path[-1]] = value
        return document

    return change


def refusal(code: int, text: str) -> Any:
    return pytest.raises(Failure, match=text, check=lambda failed: failed.code == code)


def test_a_new_object_has_a_uid_a_time_a_version_and_its_namespace(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        made = await cluster.create(MAPS, {**named("a"), "data": {"k": "v"}})
        assert made == cluster.get(f"{MAPS}/a")
        metadata = made["metadata"]
        assert isinstance(metadata, dict)
        assert set(metadata) == {"name", "namespace", "uid", "creationTimestamp", "resourceVersion", "managedFields"}
        assert (metadata["namespace"], metadata["creationTimestamp"]) == ("default", "2026-01-01T00:00:00Z")

    play(scene)


def test_a_name_that_is_taken_is_refused_and_one_to_be_made_up_is_made_up_again(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(MAPS, named("a"))
        with refusal(409, 'configmaps "a" already exists'):
            await cluster.create(MAPS, named("a"))
        names = {
            at(await cluster.create(MAPS, {"metadata": {"generateName": "x-"}}), "metadata", "name") for _ in "123"
        }
        assert len(names) == 3
        assert all(str(name).startswith("x-") and len(str(name)) == 7 for name in names)

    play(scene)


def test_an_update_of_another_version_is_a_conflict_and_one_without_a_version_is_made(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        first = await cluster.create(MAPS, named("a"))
        version = at(first, "metadata", "resourceVersion")
        await cluster.update(f"{MAPS}/a", changed("data", value={"x": "1"}))
        with refusal(409, "the object has been modified"):
            await cluster.update(f"{MAPS}/a", changed("metadata", "resourceVersion", value=version))
        await cluster.update(f"{MAPS}/a", lambda old: {**named("a"), "kind": "ConfigMap", "apiVersion": "v1"})
        assert "data" not in cluster.get(f"{MAPS}/a")

    play(scene)


def test_changes_that_race_are_all_made(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(MAPS, named("a"))

        def unconditional(key: str) -> Any:
            def change(old: Object) -> Object:
                child(old, "metadata").pop("resourceVersion")
                child(old, "data")[key] = "x"
                return old

            return change

        await asyncio.gather(*(cluster.update(f"{MAPS}/a", unconditional(str(n))) for n in range(5)))
        assert set(child(cluster.get(f"{MAPS}/a"), "data")) == set("01234")

    play(scene)


def test_an_update_that_changes_nothing_writes_nothing(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        made = await cluster.create(DEPLOYMENTS, deployment())
        assert await cluster.update(f"{DEPLOYMENTS}/web", lambda old: old) == made

    play(scene)


def test_a_status_is_written_through_status_alone(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        made = await cluster.create(DEPLOYMENTS, {**deployment(), "status": {"replicas": 9}})
        assert at(made, "status", "replicas") is None
        await cluster.update(f"{DEPLOYMENTS}/web/status", changed("status", "replicas", value=2))
        await cluster.update(f"{DEPLOYMENTS}/web/status", changed("spec", "replicas", value=7))
        await cluster.update(f"{DEPLOYMENTS}/web", changed("status", "replicas", value=5))
        found = cluster.get(f"{DEPLOYMENTS}/web")
        assert (at(found, "spec", "replicas"), at(found, "status", "replicas")) == (1, 2)

    play(scene)


def test_a_generation_counts_changes_of_the_spec(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(DEPLOYMENTS, deployment())
        await cluster.update(f"{DEPLOYMENTS}/web", changed("metadata", "labels", value={"a": "b"}))
        await cluster.update(f"{DEPLOYMENTS}/web", changed("spec", "replicas", value=3))
        await cluster.update(f"{DEPLOYMENTS}/web", changed("metadata", "generation", value=77))
        assert at(cluster.get(f"{DEPLOYMENTS}/web"), "metadata", "generation") == 2

    play(scene)


def test_nothing_is_written_by_a_dry_run(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        made = await cluster.create(MAPS, named("a"), dry_run=True)
        assert at(made, "metadata", "resourceVersion") is None
        with refusal(404, 'configmaps "a" not found'):
            cluster.get(f"{MAPS}/a")

    play(scene)


def test_a_dry_run_that_the_options_of_a_deletion_ask_for_deletes_nothing(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(MAPS, named("a"))
        assert (await cluster.delete(f"{MAPS}/a", options_of({"dryRun": ["All"]}))).gone
        assert cluster.get(f"{MAPS}/a")
        with pytest.raises(Failure, match="Unsupported value"):
            options_of({"dryRun": ["Some"]})

    play(scene)


def test_what_has_finalizers_is_marked_and_gone_with_the_last(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(MAPS, named("a", finalizers=["x/y", "x/z"]))
        assert not (await cluster.delete(f"{MAPS}/a")).gone
        assert at(cluster.get(f"{MAPS}/a"), "metadata", "deletionTimestamp") == "2026-01-01T00:00:00Z"
        await cluster.update(f"{MAPS}/a", changed("metadata", "finalizers", value=["x/z"]))
        await cluster.update(f"{MAPS}/a", changed("metadata", "finalizers", value=[]))
        with refusal(404, "not found"):
            cluster.get(f"{MAPS}/a")

    play(scene)


@pytest.mark.parametrize(("policy", "left"), [("Foreground", ["foregroundDeletion"]), ("Orphan", ["orphan"])])
def test_propagation_waits_for_the_collector(play: Play, policy: str, left: list[str]) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(DEPLOYMENTS, deployment())
        assert not (await cluster.delete(f"{DEPLOYMENTS}/web", DeleteOptions(propagation=policy))).gone
        assert at(cluster.get(f"{DEPLOYMENTS}/web"), "metadata", "finalizers") == left

    play(scene)


def test_a_pod_on_a_node_gets_its_grace_and_its_node_ends_it(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(ACCOUNTS, named("default"))
        await cluster.create(PODS, pod(nodeName="one", terminationGracePeriodSeconds=5))
        assert not (await cluster.delete(f"{PODS}/p")).gone
        marked = cluster.get(f"{PODS}/p")
        assert at(marked, "metadata", "deletionTimestamp") == "2026-01-01T00:00:05Z"
        assert not (await cluster.delete(f"{PODS}/p", DeleteOptions(grace_s=60))).gone
        assert cluster.get(f"{PODS}/p") == marked
        assert (await cluster.delete(f"{PODS}/p", DeleteOptions(grace_s=0))).gone

    play(scene)


def test_a_pod_without_a_node_goes_at_once(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(ACCOUNTS, named("default"))
        made = await cluster.create(PODS, pod())
        assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
        assert (await cluster.delete(f"{PODS}/p")).gone

    play(scene)


def test_preconditions_hold(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(MAPS, named("a"))
        with refusal(409, "Precondition failed: UID in precondition: other"):
            await cluster.delete(f"{MAPS}/a", DeleteOptions(uid="other"))

    play(scene)


def test_nothing_new_comes_into_a_namespace_that_ends_or_is_not_there(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        with refusal(404, 'namespaces "none" not found'):
            await cluster.create("/api/v1/namespaces/none/configmaps", named("a"))
        await cluster.create("/api/v1/namespaces", named("n"))
        assert not (await cluster.delete("/api/v1/namespaces/n")).gone
        assert at(cluster.get("/api/v1/namespaces/n"), "status", "phase") == "Terminating"
        with refusal(403, "because it is being terminated"):
            await cluster.create("/api/v1/namespaces/n/configmaps", named("a"))
        await cluster.update("/api/v1/namespaces/n/finalize", changed("spec", "finalizers", value=[]))
        with refusal(404, "not found"):
            cluster.get("/api/v1/namespaces/n")

    play(scene)


def test_the_namespace_of_body_and_path_must_agree(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        with refusal(400, "does not match the namespace sent on the request"):
            await cluster.create(MAPS, named("a", namespace="kube-system"))

    play(scene)


def test_namespaces_that_everything_needs_can_not_be_deleted(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        with refusal(403, 'namespaces "default" is forbidden: this namespace may not be deleted'):
            await cluster.delete("/api/v1/namespaces/default")

    play(scene)


def test_a_job_finds_its_pods_by_its_uid(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        container: Object = {"name": "c", "image": "i"}
        template: Object = {"spec": {"restartPolicy": "Never", "containers": [container]}}
        made = await cluster.create(
            "/apis/batch/v1/namespaces/default/jobs", {**named("j"), "spec": {"template": template}}
        )
        uid = at(made, "metadata", "uid")
        assert at(made, "spec", "selector", "matchLabels") == {"batch.kubernetes.io/controller-uid": uid}
        labels = at(made, "spec", "template", "metadata", "labels")
        assert isinstance(labels, dict)
        assert (labels["job-name"], labels["batch.kubernetes.io/controller-uid"]) == ("j", uid)

    play(scene)


def test_an_event_is_one_object_in_both_of_its_versions(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        about: Object = {"kind": "Pod", "namespace": "default", "name": "p"}
        whole: Object = {
            **named("e"), "regarding": about, "note": "said", "reason": "Why", "type": "Normal", "action": "Saying",
            "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "test", "reportingInstance": "t",
        }  # fmt: skip
        await cluster.create("/apis/events.k8s.io/v1/namespaces/default/events", whole)
        found = cluster.get("/api/v1/namespaces/default/events/e")
        assert (found["apiVersion"], found["message"], at(found, "involvedObject", "name")) == ("v1", "said", "p")

    play(scene)
