"""Strategic merge patches of real kinds, as kubectl makes them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from jubako.cluster.patch import MessageSchema, Unprocessable, apply_strategic
from jubako.cluster.types import schema
from jubako.errors import InvalidArgument

POD = MessageSchema(schema.message("core/v1.Pod"))
DEPLOYMENT = MessageSchema(schema.message("apps/v1.Deployment"))


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web"}, "spec": spec}


def patched(document: dict[str, Any], patch: dict[str, Any], of: MessageSchema = POD) -> Any:
    """The result; neither argument has changed."""
    before = copy.deepcopy((document, patch))
    result = apply_strategic(document, patch, of)
    assert (document, patch) == before
    return result


def containers(patch: list[Any], *original: Any, **directives: Any) -> Any:
    spec: Any = {"containers": patch, **directives}
    return patched(pod(containers=[*original]), {"spec": spec})["spec"]["containers"]


NGINX = {"name": "nginx", "image": "nginx:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
REDIS = {"name": "redis", "image": "redis:1"}


def test_an_element_is_merged_into_the_one_with_its_key() -> None:
    assert containers([{"name": "nginx", "image": "nginx:2", "env": [{"name": "B", "value": "3"}]}], NGINX, REDIS) == [
        {"name": "nginx", "image": "nginx:2", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}]},
        REDIS,
    ]


def test_a_new_element_comes_before_what_only_the_server_has() -> None:
    """As in Kubernetes' own example, "Update API Objects in Place Using kubectl patch"."""
    assert containers([REDIS], NGINX) == [REDIS, NGINX]


def test_the_order_asked_for_is_the_order() -> None:
    order = [{"name": "nginx"}, {"name": "redis"}]
    assert containers([REDIS], NGINX, **{"$setElementOrder/containers": order}) == [NGINX, REDIS]
    only_order = {"spec": {"$setElementOrder/containers": [{"name": "redis"}, {"name": "nginx"}]}}
    assert patched(pod(containers=[NGINX, REDIS]), only_order)["spec"]["containers"] == [REDIS, NGINX]


def test_what_the_order_does_not_name_stays_where_the_server_had_it() -> None:
    sidecar = {"name": "sidecar"}
    order = [{"name": "redis"}, {"name": "new"}]
    result = containers([{"name": "new"}], sidecar, REDIS, NGINX, **{"$setElementOrder/containers": order})
    assert result == [sidecar, REDIS, {"name": "new"}, NGINX]


def test_a_patch_that_is_not_in_its_own_order_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"spec\.containers"):
        containers([REDIS], NGINX, **{"$setElementOrder/containers": [{"name": "nginx"}]})
    with pytest.raises(InvalidArgument):
        containers([REDIS, NGINX], **{"$setElementOrder/containers": [{"name": "nginx"}, {"name": "redis"}]})


def test_an_element_is_deleted_by_its_key() -> None:
    assert containers([{"name": "nginx", "$patch": "delete"}], NGINX, REDIS) == [REDIS]
    assert containers([{"name": "absent", "$patch": "delete"}, {"name": "new"}], REDIS) == [{"name": "new"}, REDIS]


def test_a_list_is_replaced_on_request() -> None:
    assert containers([{"$patch": "replace"}, REDIS], NGINX) == [REDIS]
    assert containers([{"$patch": "replace"}], NGINX) == []


def test_an_object_is_replaced_or_emptied_on_request() -> None:
    document = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    assert patched(document, {"metadata": {"labels": {"$patch": "replace", "c": "3"}}}) == {
        "metadata": {"labels": {"c": "3"}}
    }
    assert patched(document, {"metadata": {"labels": {"$patch": "delete"}}}) == {"metadata": {"labels": {}}}


def test_null_removes_and_leaves_no_trace() -> None:
    document = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    assert patched(document, {"metadata": {"labels": {"a": None, "x": None}, "annotations": {"y": None}}}) == {
        "metadata": {"labels": {"b": "2"}, "annotations": {}}
    }


def test_scalars_are_added_once_and_deleted_by_value() -> None:
    document = {"metadata": {"finalizers": ["a", "b", "c"]}}
    added = patched(document, {"metadata": {"finalizers": ["d", "b"]}})
    assert sorted(added["metadata"]["finalizers"]) == ["a", "b", "c", "d"]
    deleted = {"$deleteFromPrimitiveList/finalizers": ["b", "x"], "$setElementOrder/finalizers": ["c", "a"]}
    assert patched(document, {"metadata": deleted}) == {"metadata": {"finalizers": ["c", "a"]}}


def test_a_list_without_a_key_is_replaced() -> None:
    document = pod(containers=[{"name": "a", "args": ["1", "2"]}], tolerations=[{"key": "x"}, {"key": "y"}])
    result = patched(document, {"spec": {"containers": [{"name": "a", "args": ["3"]}], "tolerations": [{"key": "z"}]}})
    assert result["spec"] == {"containers": [{"name": "a", "args": ["3"]}], "tolerations": [{"key": "z"}]}


def test_members_that_are_not_retained_go() -> None:
    """What kubectl sends when a Deployment changes from RollingUpdate to Recreate."""
    document = {"spec": {"replicas": 1, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert patched(document, patch, DEPLOYMENT) == {"spec": {"replicas": 1, "strategy": {"type": "Recreate"}}}


def test_the_source_of_a_volume_is_exchanged() -> None:
    volumes = [{"name": "data", "emptyDir": {}}, {"name": "other", "emptyDir": {}}]
    change = {"name": "data", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}
    assert patched(pod(volumes=volumes), {"spec": {"volumes": [change]}})["spec"]["volumes"] == [
        {"name": "data", "hostPath": {"path": "/x"}},
        {"name": "other", "emptyDir": {}},
    ]


def test_an_object_that_is_replaced_by_its_schema_is() -> None:
    budget = MessageSchema(schema.message("policy/v1.PodDisruptionBudget"))
    document = {"spec": {"selector": {"matchLabels": {"a": "1"}}, "minAvailable": 1}}
    patch = {"spec": {"selector": {"matchLabels": {"b": "2"}}}}
    assert patched(document, patch, budget) == {"spec": {"selector": {"matchLabels": {"b": "2"}}, "minAvailable": 1}}


def test_deep_lists_have_their_own_keys() -> None:
    template = {"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "http"}]}]}}
    change = {"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}}
    result = patched({"spec": {"template": template}}, {"spec": {"template": change}}, DEPLOYMENT)
    (container,) = result["spec"]["template"]["spec"]["containers"]
    assert container["ports"] == [{"containerPort": 80, "name": "http", "protocol": "TCP"}]


def test_a_new_list_is_cleaned_of_directives() -> None:
    change = {"name": "a", "env": [{"name": "X", "$patch": "delete"}, {"name": "Y", "value": None}]}
    assert containers([change]) == [{"name": "a", "env": [{"name": "Y"}]}]


@pytest.mark.parametrize(
    ("patch", "kind"),
    [
        ({"metadata": {"$patch": "frobnicate"}}, Unprocessable),
        ({"spec": {"containers": [{"image": "x"}]}}, Unprocessable),
        ({"spec": {"containers": [{"$patch": "delete"}]}}, Unprocessable),
        ({"spec": {"containers": [{"name": "a", "$patch": "merge"}]}}, Unprocessable),
        ({"spec": {"containers": ["a"]}}, Unprocessable),
        ({"metadata": {"finalizers": [{"a": 1}]}}, Unprocessable),
        ({"metadata": {"finalizers": [["a"]]}}, Unprocessable),
        ({"metadata": {"$retainKeys": "name"}}, InvalidArgument),
        ({"metadata": {"$retainKeys": ["name"], "labels": {"a": "1"}}}, InvalidArgument),
        ({"metadata": {"$deleteFromPrimitiveList/finalizers": "a"}}, InvalidArgument),
        ({"metadata": {"$setElementOrder/finalizers": {"a": 1}}}, InvalidArgument),
    ],
)
def test_what_can_not_be_merged_is_refused(patch: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        patched(pod(containers=[NGINX]), patch)
