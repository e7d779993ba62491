"""What every cluster has, and what becomes of it when a cluster of an earlier version starts anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cluster.apiserver.conftest import Cluster, Play

from jubako.cluster.apiserver.access.rules import Wish, rules_of, uncovered
from jubako.cluster.apiserver.bootstrap import bootstrap
from jubako.cluster.apiserver.bootstrap.reconciling import AUTOUPDATE
from jubako.cluster.apiserver.caller import User
from jubako.cluster.types.document import at

ROLES, BINDINGS = (f"/apis/rbac.authorization.k8s.io/v1/{plural}" for plural in ("clusterroles", "clusterrolebindings"))
DISCOVERY, ALL = "system:discovery", {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io"}


async def changed(cluster: Cluster, path: str, change: Callable[[Any], Any]) -> Any:
    """Change an object as somebody or an earlier version did, and start the control plane again."""

    def edit(old: Any) -> Any:
        change(old)
        return old

    await cluster.update(path, edit)
    await bootstrap(cluster.api, Path("/volumes"))
    return cluster.get(path)


def test_the_next_start_writes_nothing_where_nothing_changed(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        before = cluster.api.store.list("/registry/").revision
        await bootstrap(cluster.api, Path("/volumes"))
        assert cluster.api.store.list("/registry/").revision == before

    play(scene)


def test_missing_rules_are_added_and_others_are_kept(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        own = {"verbs": ["get"], "nonResourceURLs": ["/own"]}
        wanted = cluster.get(f"{ROLES}/{DISCOVERY}")
        after = await changed(cluster, f"{ROLES}/{DISCOVERY}", lambda old: old.update(rules=[own]))
        assert after["rules"][0] == own
        assert uncovered(rules_of(wanted), rules_of(after)) == []
        await cluster.delete(f"{ROLES}/{DISCOVERY}")
        await bootstrap(cluster.api, Path("/volumes"))
        assert cluster.get(f"{ROLES}/{DISCOVERY}")["rules"] == wanted["rules"]

    play(scene)


def test_labels_and_annotations_of_an_earlier_version_are_completed(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        def earlier(old: Any) -> None:
            old["metadata"].pop("annotations")
            old["metadata"]["labels"] = {"kubernetes.io/bootstrapping": "mine", "more": "x"}

        after = await changed(cluster, f"{ROLES}/{DISCOVERY}", earlier)
        assert at(after, "metadata", "annotations", AUTOUPDATE) == "true"
        assert at(after, "metadata", "labels") == {"kubernetes.io/bootstrapping": "mine", "more": "x"}

    play(scene)


def test_missing_subjects_are_added_and_others_are_kept(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        ours: Any = [{**ALL, "name": "guests"}, {"kind": "ServiceAccount", "name": "bot", "namespace": "default"}]
        after = await changed(cluster, f"{BINDINGS}/{DISCOVERY}", lambda old: old.update(subjects=ours))
        assert after["subjects"] == [*ours, {**ALL, "name": "system:authenticated"}]

    play(scene)


@pytest.mark.parametrize(("path", "field"), [(ROLES, "rules"), (BINDINGS, "subjects")])
def test_what_somebody_protects_stays_as_it_is(play: Play, path: str, field: str) -> None:
    async def scene(cluster: Cluster) -> None:
        def protect(old: Any) -> None:
            old["metadata"]["annotations"][AUTOUPDATE] = "false"
            old.pop(field)

        assert not (await changed(cluster, f"{path}/{DISCOVERY}", protect)).get(field)

    play(scene)


def test_a_binding_that_gives_another_role_is_made_anew(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        path = f"{BINDINGS}/{DISCOVERY}"
        made = cluster.get(path)
        await cluster.delete(path)
        other: Any = {**made, "metadata": {"name": DISCOVERY}, "roleRef": {**made["roleRef"], "name": "view"}}  # type: ignore[dict-item]
        await cluster.create(BINDINGS, other)
        await bootstrap(cluster.api, Path("/volumes"))
        assert at(cluster.get(path), "roleRef", "name") == DISCOVERY

    play(scene)


def test_what_a_role_had_before_it_was_aggregated_goes_to_its_part(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.delete(f"{ROLES}/system:aggregate-to-view")
        own = {"verbs": ["get"], "apiGroups": ["example.com"], "resources": ["toys"]}

        def earlier(old: Any) -> None:
            old.pop("aggregationRule")
            old["rules"] = [own]

        whole = await changed(cluster, f"{ROLES}/view", earlier)
        assert at(whole, "aggregationRule", "clusterRoleSelectors") == [
            {"matchLabels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}}
        ]
        part = cluster.get(f"{ROLES}/system:aggregate-to-view")
        assert part["rules"][0] == own  # type: ignore[index]
        wish = Wish(verb="list", resource="pods")
        assert any(rule.allows(wish) for rule in rules_of(part))
        assert at(part, "metadata", "labels", "rbac.authorization.k8s.io/aggregate-to-view") == "true"

    play(scene)


@pytest.mark.parametrize(
    ("role", "wish", "allowed"),
    [
        ("view", Wish(verb="list", resource="pods"), True),
        ("view", Wish(verb="get", resource="pods", group="apps"), False),
        ("view", Wish(verb="get", resource="secrets"), False),
        ("edit", Wish(verb="get", resource="pods/log"), True),
        ("edit", Wish(verb="create", resource="services/proxy"), True),
        ("edit", Wish(verb="create", resource="deployments", group="apps"), True),
        ("edit", Wish(verb="create", resource="resourcequotas"), False),
        ("edit", Wish(verb="create", resource="roles", group="rbac.authorization.k8s.io"), False),
        ("admin", Wish(verb="create", resource="roles", group="rbac.authorization.k8s.io"), True),
        ("admin", Wish(verb="delete", resource="pods"), True),
        ("admin", Wish(verb="create", resource="namespaces"), False),
    ],
)
def test_roles_of_who_works_in_a_namespace(play: Play, role: str, wish: Wish, allowed: bool) -> None:
    async def scene(cluster: Cluster) -> None:
        binding: Any = {
            "metadata": {"name": "joe"},
            "roleRef": {"apiGroup": ALL["apiGroup"], "kind": "ClusterRole", "name": role},
            "subjects": [{**ALL, "kind": "User", "name": "joe"}],
        }
        await cluster.create("/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", binding)
        assert cluster.api.authorization.allows(User(name="joe"), wish, "default") is allowed

    play(scene)
