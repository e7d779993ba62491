from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubako.cluster.patch import MessageSchema, PlainSchema, apply_merge, apply_strategic, three_way
from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.schema import message

DEPLOYMENT = MessageSchema(message("apps/v1.Deployment"))
POD = MessageSchema(message("core/v1.PodSpec"))


@pytest.mark.parametrize(
    ("original", "modified", "current", "patch"),
    [
        ({}, {"a": 1}, {"a": 1}, {}),
        ({}, {"a": 1}, {}, {"a": 1}),
        ({}, {"a": 1}, {"a": 2}, {"a": 1}),
        ({"a": 1}, {}, {"a": 1}, {"a": None}),
        ({"a": 1}, {}, {}, {}),
        ({}, {}, {"a": 1}, {}),
        ({"m": {"a": 1}}, {"m": {"b": 1}}, {"m": {"a": 1, "c": 1}}, {"m": {"a": None, "b": 1}}),
        ({}, {"a": True}, {"a": 1}, {"a": True}),
        ({}, {"a": None}, {"a": 1}, {"a": None}),
        ({}, {"a": None}, {}, {}),
        ({}, {"l": [1]}, {"l": [1, 2]}, {"l": [1]}),
    ],
)
def test_of_kinds_that_nobody_knows(original: Object, modified: Object, current: Object, patch: Object) -> None:
    assert three_way(original, modified, current, PlainSchema()) == patch


def containers(*found: JSON) -> Object:
    return {"containers": [*found]}


@pytest.mark.parametrize(
    ("original", "modified", "current", "patch"),
    [
        (
            containers({"name": "a", "image": "1"}),
            containers({"name": "a", "image": "2"}),
            containers({"name": "a", "image": "1", "tty": False}, {"name": "side", "image": "s"}),
            {
                "$setElementOrder/containers": [{"name": "a"}],
                "containers": [{"name": "a", "image": "2"}],
            },
        ),
        (
            containers({"name": "a"}, {"name": "b"}),
            containers({"name": "a"}),
            containers({"name": "a"}, {"name": "b"}),
            {
                "$setElementOrder/containers": [{"name": "a"}],
                "containers": [{"$patch": "delete", "name": "b"}],
            },
        ),
        (
            containers({"name": "a", "command": ["x"]}),
            containers({"name": "a", "command": ["y"]}),
            containers({"name": "a", "command": ["x"]}),
            {
                "$setElementOrder/containers": [{"name": "a"}],
                "containers": [{"name": "a", "command": ["y"]}],
            },
        ),
        (
            {"volumes": [{"name": "v", "emptyDir": {}}]},
            {"volumes": [{"name": "v", "configMap": {"name": "c"}}]},
            {"volumes": [{"name": "v", "emptyDir": {}}]},
            {
                "$setElementOrder/volumes": [{"name": "v"}],
                "volumes": [
                    {
                        "name": "v",
                        "emptyDir": None,
                        "configMap": {"name": "c"},
                        "$retainKeys": ["configMap", "name"],
                    }
                ],
            },
        ),
    ],
)
def test_lists_whose_elements_have_a_key(original: Object, modified: Object, current: Object, patch: Object) -> None:
    assert three_way(original, modified, current, POD) == patch


def test_what_was_applied_to_a_list_of_values_and_is_no_more_goes_and_what_others_added_stays() -> None:
    original, modified, current = ({"metadata": {"finalizers": each}} for each in (["a", "b"], ["a"], ["a", "b", "c"]))
    assert three_way(original, modified, current, MessageSchema(message("core/v1.Pod"))) == {
        "metadata": {"$deleteFromPrimitiveList/finalizers": ["b"], "$setElementOrder/finalizers": ["a"]}
    }


def test_of_one_of_several_kinds_the_others_go_whoever_has_set_them() -> None:
    current: Object = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    modified: Object = {"spec": {"strategy": {"type": "Recreate"}}}
    patch = three_way({}, modified, current, DEPLOYMENT)
    assert patch == {"spec": {"strategy": {"type": "Recreate", "$retainKeys": ["type"]}}}
    assert apply_strategic(current, patch, DEPLOYMENT) == modified


scalars = st.sampled_from([1, 2, "x", True])
plain = st.recursive(
    scalars, lambda inner: st.dictionaries(st.sampled_from("abc"), inner) | st.lists(scalars, max_size=3), max_leaves=8
)
maps = st.dictionaries(st.sampled_from("abc"), plain)


@given(maps, maps, maps)
def test_what_is_applied_is_there_afterwards_and_what_others_set_stays(
    original: Object, modified: Object, current: Object
) -> None:
    done = apply_merge(current, three_way(original, modified, current, PlainSchema()))
    assert three_way(original, modified, done, PlainSchema()) == {}
    for name in {*current} - {*original} - {*modified}:
        assert done[name] == current[name]


names = st.sampled_from("abc")
environment = st.lists(
    st.fixed_dictionaries({"name": names, "value": st.sampled_from("12")}),
    max_size=3,
    unique_by=lambda each: each["name"],
)
pods = st.lists(
    st.fixed_dictionaries({"name": names, "image": st.sampled_from("xy")}, optional={"env": environment}),
    max_size=3,
    unique_by=lambda each: each["name"],
).map(lambda found: {"containers": found})


@given(pods, pods, pods)
def test_containers_are_as_applied_afterwards(original: Object, modified: Object, current: Object) -> None:
    done = apply_strategic(current, three_way(original, modified, current, POD), POD)
    assert apply_strategic(done, three_way(original, modified, done, POD), POD) == done
    for wanted in modified["containers"]:
        found = next(each for each in done["containers"] if each["name"] == wanted["name"])  # type: ignore[union-attr,index,call-overload]
        assert found["image"] == wanted["image"]  # type: ignore[index,call-overload]
