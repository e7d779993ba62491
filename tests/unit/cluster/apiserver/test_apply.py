"""managedFields and server-side apply, through the API."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.cluster.apiserver.conftest import Cluster, Play, deployment, named, pod
from tests.unit.cluster.types.valid import GOOD

from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.apiserver.objects import stored
from jubako.cluster.types.document import Object, at, child, mapping, objects
from jubako.cluster.types.resources import resource_of

MAPS, DEPLOYMENTS = "/api/v1/namespaces/default/configmaps", "/apis/apps/v1/namespaces/default/deployments"
WEB, PODS = f"{DEPLOYMENTS}/web", "/api/v1/namespaces/default/pods"


async def apply(cluster: Cluster, path: str, config: Object, manager: str = "me", *, force: bool = False) -> Object:
    request = msgspec.structs.replace(cluster.request("PATCH", path), manager=manager, operation="Apply")
    kind = request.attributes.resource.kind
    whole: Object = {"apiVersion": kind.api_version, "kind": kind.name, **config}
    return stored.decode((await cluster.api.apply(request, whole, force=force))[0])


def owners(document: Object) -> dict[str, Any]:
    """The sets of all managers by name, operation and subresource."""
    return {
        " ".join(filter(None, (str(each["manager"]), str(each["operation"]), str(each.get("subresource", ""))))): each[
            "fieldsV1"
        ]
        for each in objects(at(document, "metadata", "managedFields"))
    }


def replicas(count: int) -> Object:
    return {**named("web"), "spec": {"replicas": count}}


def test_who_makes_an_object_has_what_he_said_and_what_was_filled_in_but_not_what_the_server_knows(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create("/api/v1/namespaces/default/serviceaccounts", named("default"))
        made = await cluster.create(PODS, pod("p"))
        [entry] = objects(at(made, "metadata", "managedFields"))
        assert {name: entry[name] for name in entry if name != "fieldsV1"} == {
            "manager": "unknown", "operation": "Update", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
        }  # fmt: skip
        fields = mapping(entry["fieldsV1"])
        assert set(fields) == {"f:spec"}
        container = at(fields, "f:spec", "f:containers", 'k:{"name":"c"}')
        assert mapping(container) == {name: {} for name in (".", *CONTAINER)}
        assert "f:serviceAccountName" not in mapping(fields["f:spec"])

    play(scene)


CONTAINER = (
    "f:image", "f:imagePullPolicy", "f:name", "f:resources", "f:terminationMessagePath", "f:terminationMessagePolicy",
)  # fmt: skip


def test_an_update_takes_what_it_changes_from_others(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(MAPS, {**named("a"), "data": {"x": "1", "y": "1"}})

        def change(document: Object) -> Object:
            child(document, "data")["x"] = "2"
            return document

        request = msgspec.structs.replace(cluster.request("PUT", f"{MAPS}/a"), manager="other")
        cluster.pass_time(5)
        await cluster.api.writer.update(request, change)
        found = owners(cluster.get(f"{MAPS}/a"))
        assert found == {
            "unknown Update": {"f:data": {".": {}, "f:y": {}}},
            "other Update": {"f:data": {"f:x": {}}},
        }

    play(scene)


def test_a_status_is_somebody_elses_part(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(DEPLOYMENTS, deployment())

        def change(document: Object) -> Object:
            return {**document, "status": {"replicas": 1}, "spec": {**mapping(document["spec"]), "replicas": 7}}

        await cluster.update(f"{WEB}/status", change)
        assert owners(cluster.get(WEB))["unknown Update status"] == {"f:status": {"f:replicas": {}}}

    play(scene)


def test_what_an_applier_gives_up_goes_and_defaults_come_back(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        base = deployment()
        mapping(base["spec"]).pop("replicas")
        await apply(cluster, WEB, base, "base")
        await apply(cluster, WEB, {**named("web", labels={"a": "b"}), "spec": {"replicas": 4}})
        left = await apply(cluster, WEB, named("web"))
        assert (at(left, "spec", "replicas"), at(left, "metadata", "labels")) == (1, None)
        assert set(owners(left)) == {"base Apply"}

    play(scene)


def test_shared_fields_stay_until_the_last_gives_them_up(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        for manager in ("one", "two"):
            await apply(cluster, f"{MAPS}/a", {**named("a"), "data": {"x": "1"}}, manager)
        assert at(await apply(cluster, f"{MAPS}/a", named("a"), "one"), "data") == {"x": "1"}
        assert at(await apply(cluster, f"{MAPS}/a", named("a"), "two"), "data") is None

    play(scene)


def test_conflicts_are_told_one_by_one_and_force_takes(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(DEPLOYMENTS, deployment())
        with pytest.raises(Failure) as one:
            await apply(cluster, WEB, replicas(3))
        assert str(one.value) == ('Apply failed with 1 conflict: conflict with "unknown" using apps/v1: .spec.replicas')
        assert (one.value.code, one.value.status["reason"]) == (409, "Conflict")
        assert at(one.value.status, "details", "causes") == [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "unknown" using apps/v1',
                "field": ".spec.replicas",
            }
        ]
        await apply(cluster, WEB, replicas(3), force=True)
        image: Object = {"template": {"spec": {"containers": [{"name": "c", "image": "other"}]}}}
        with pytest.raises(Failure) as two:
            await apply(cluster, WEB, {**named("web"), "spec": {"replicas": 5, **image}}, "you")
        assert str(two.value) == (
            'Apply failed with 2 conflicts: conflicts with "me":\n- .spec.replicas\n'
            'conflicts with "unknown" using apps/v1:\n- .spec.template.spec.containers[name="c"].image'
        )

    play(scene)


def test_to_want_nothing_of_a_field_is_a_conflict_too(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await apply(cluster, WEB, {**deployment(), "spec": {**mapping(deployment()["spec"]), "paused": True}}, "base")
        wanted: Object = {**named("web"), "spec": {"paused": False}}
        with pytest.raises(Failure, match=r'1 conflict: conflict with "base": \.spec\.paused'):
            await apply(cluster, WEB, wanted)
        forced = await apply(cluster, WEB, wanted, force=True)
        assert "paused" not in mapping(forced["spec"])
        assert owners(forced)["me Apply"] == {"f:spec": {"f:paused": {}}}

    play(scene)


def test_two_who_say_the_same_in_other_words_share_it(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        def limits(cpu: Any) -> Object:
            container: Object = {"name": "c", "image": "i", "resources": {"limits": {"cpu": cpu}}}
            labels: Object = {"app": "web"}
            template: Object = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
            return {**named("web"), "spec": {"selector": {"matchLabels": labels}, "template": template}}

        for manager, cpu in (("one", "0.5"), ("two", "500m"), ("three", 0.5)):
            await apply(cluster, WEB, limits(cpu), manager)
        assert len(owners(cluster.get(WEB))) == 3

    play(scene)


def test_to_apply_again_writes_nothing_even_later(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        first = await apply(cluster, f"{MAPS}/a", {**named("a", creationTimestamp=None), "data": {"x": "1"}})
        cluster.pass_time(60)
        assert await apply(cluster, f"{MAPS}/a", {**named("a", creationTimestamp=None), "data": {"x": "1"}}) == first

    play(scene)


def test_managers_are_forgotten_by_one_empty_entry_and_not_by_none(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(MAPS, {**named("a"), "data": {"x": "1"}})

        def managed(value: Any) -> Any:
            def change(document: Object) -> Object:
                child(document, "metadata")["managedFields"] = value
                return document

            return change

        for kept in ([], None, [{"manager": "x"}], [{"operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": 5}]):
            assert owners(await cluster.update(f"{MAPS}/a", managed(kept)))
        assert not owners(await cluster.update(f"{MAPS}/a", managed([{}])))
        with pytest.raises(Failure, match=r'conflict with "before-first-apply" using v1: \.data\.x'):
            await apply(cluster, f"{MAPS}/a", {**named("a"), "data": {"x": "2"}})

    play(scene)


def test_the_oldest_of_many_updaters_are_told_as_one(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(MAPS, {**named("a"), "data": {"k": "v"}})
        for number in range(14):

            def change(document: Object, key: str = f"k{number:02}") -> Object:
                child(document, "data")[key] = "v"
                return document

            cluster.pass_time(1)
            await cluster.api.writer.update(
                msgspec.structs.replace(cluster.request("PUT", f"{MAPS}/a"), manager=f"m{number:02}"), change
            )
        found = owners(cluster.get(f"{MAPS}/a"))
        assert set(found) == {"ancient-changes Update", *(f"m{number:02} Update" for number in range(5, 14))}
        old = {f"f:k{number:02}" for number in range(5)}
        assert set(found["ancient-changes Update"]["f:data"]) == {".", "f:k", *old}

    play(scene)


def test_a_list_has_the_appliers_order_and_the_others_in_their_places(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        def containers(*names: str) -> Object:
            listed: Object = {"containers": [{"name": name, "image": "i"} for name in names]}
            labels: Object = {"app": "web"}
            template: Object = {"metadata": {"labels": labels}, "spec": listed}
            return {**named("web"), "spec": {"selector": {"matchLabels": labels}, "template": template}}

        await apply(cluster, WEB, containers("a", "x", "b"), "base")
        found = await apply(cluster, WEB, containers("n", "b", "a"))
        assert [each["name"] for each in objects(at(found, "spec", "template", "spec", "containers"))] == [
            "x", "n", "b", "a",
        ]  # fmt: skip

    play(scene)


_OTHERS: dict[str, Object] = {
    # who says nothing of an object has nothing of it
    "Namespace": {"metadata": {"labels": {"a": "b"}}},
    # the selector is the server's to make
    "Job": {"spec": {key: held for key, held in GOOD["Job"][1]["spec"].items() if key != "selector"}},
}


def _paths() -> dict[str, tuple[str, Object]]:
    """A good document of each kind that is stored, and where it goes."""
    found: dict[str, tuple[str, Object]] = {}
    for name, (api_version, document) in GOOD.items():
        group, _, version = api_version.rpartition("/")
        resource = resource_of(group, version, name)
        if resource and "patch" in resource.verbs:
            inside = "namespaces/default/" if resource.namespaced else ""
            found[name] = (
                f"/{'apis' if group else 'api'}/{api_version}/{inside}{resource.plural}/o",
                _OTHERS.get(name, document),
            )
    return found


@pytest.mark.parametrize(("path", "document"), _paths().values(), ids=_paths())
def test_each_kind_is_made_by_an_apply_and_stays_as_it_is_by_the_next(play: Play, path: str, document: Object) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create("/api/v1/namespaces/default/serviceaccounts", named("default"))
        config: Object = {**document, "metadata": {**mapping(document.get("metadata")), "name": "o"}}
        first = await apply(cluster, path, config)
        cluster.pass_time(60)
        assert await apply(cluster, path, config) == first
        both = await apply(cluster, path, config, "you")
        mine, yours = (owners(both).get(f"{name} Apply") for name in ("me", "you"))
        assert mine == yours
        assert {**both, "metadata": None} == {**first, "metadata": None}

    play(scene)
