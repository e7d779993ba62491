from __future__ import annotations

import pytest

from jubako.cluster.client.discovery import Discovery, Type
from jubako.cluster.client.operands import read
from jubako.errors import InvalidArgument, NotFound


def make(plural: str, kind: str, group: str = "", *short: str, categories: tuple[str, ...] = ()) -> Type:
    return Type(
        group=group,
        version="v1",
        plural=plural,
        singular=kind.lower(),
        kind=kind,
        namespaced=True,
        verbs=("list",),
        short_names=short,
        categories=categories,
    )


TYPES = (
    make("pods", "Pod", "", "po", categories=("all",)),
    make("events", "Event", "", "ev"),
    make("events", "Event", "events.k8s.io", "ev"),
    make("deployments", "Deployment", "apps", "deploy", categories=("all",)),
)


class Known(Discovery):
    types = TYPES  # type: ignore[assignment]


def meant(*words: str, everything: bool = True, selected: bool = False) -> list[str]:
    found = read(words, Known(None), everything=everything, selected=selected)  # type: ignore[arg-type]
    return [f"{each.type.group_resource}/{each.name}" for each in found.wanted]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["po"], ["pods/"]),
        (["PODS", "a", "b", "a"], ["pods/a", "pods/b"]),
        (["pod/a", "deploy/b"], ["pods/a", "deployments.apps/b"]),
        (["po,deploy"], ["pods/", "deployments.apps/"]),
        (["po,deploy", "x"], ["pods/x", "deployments.apps/x"]),
        (["all"], ["pods/", "deployments.apps/"]),
        (["deployments.apps"], ["deployments.apps/"]),
        (["deploy.v1.apps/x"], ["deployments.apps/x"]),
        (["ev"], ["events/"]),
        (["events.events.k8s.io"], ["events.events.k8s.io/"]),
        (["ev.events"], ["events.events.k8s.io/"]),
    ],
)
def test_what_words_mean(words: list[str], wanted: list[str]) -> None:
    assert meant(*words) == wanted


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pod", "deploy/x"], "there is no need to specify a resource type as a separate argument"),
        (["a/b/c"], "arguments in resource/name form may not have more than one slash"),
        (["pod/"], "arguments in resource/name form must have a single resource and name"),
        (["foo"], 'the server doesn\'t have a resource type "foo"'),
    ],
)
def test_what_means_nothing(words: list[str], message: str) -> None:
    with pytest.raises((InvalidArgument, NotFound)) as refused:
        meant(*words)
    assert refused.value.message.startswith(message)


def test_names_and_selectors_exclude_each_other_and_types_alone_need_a_reason() -> None:
    with pytest.raises(InvalidArgument, match="name cannot be provided when a selector is specified"):
        meant("pods", "x", selected=True)
    with pytest.raises(InvalidArgument, match="no name was specified"):
        meant("pods", everything=False)
