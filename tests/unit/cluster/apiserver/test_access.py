"""Who one is, and what one may do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.cluster.apiserver.conftest import Cluster, Play, named, pod

from jubako.cluster.apiserver.access.authentication import Certificate
from jubako.cluster.apiserver.access.rules import Rule, Wish, rules_of, uncovered
from jubako.cluster.apiserver.access.tokens import Bound, Reference
from jubako.cluster.apiserver.caller import User
from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.apiserver.special.reviews import Reviews
from jubako.cluster.types.document import Object, at

RBAC = "/apis/rbac.authorization.k8s.io/v1"
JOE = User(name="joe", groups=("dev", "system:authenticated"))


def rule(**fields: list[str]) -> Object:
    return {**fields}  # type: ignore[dict-item]


READ_PODS = rule(verbs=["get", "list"], apiGroups=[""], resources=["pods"])


def binding(name: str, role: str, *subjects: Object, kind: str = "Role") -> Object:
    group = "rbac.authorization.k8s.io"
    return {
        **named(name),
        "roleRef": {"apiGroup": group, "kind": kind, "name": role},
        "subjects": [{"apiGroup": group, **each} for each in subjects],
    }


@pytest.mark.parametrize(
    ("wish", "allowed"),
    [
        ({"verb": "get", "resource": "pods"}, True),
        ({"verb": "delete", "resource": "pods"}, False),
        ({"verb": "get", "resource": "pods/log"}, False),
        ({"verb": "get", "resource": "pods", "group": "apps"}, False),
        ({"verb": "get", "path": "/healthz"}, False),
    ],
)
def test_a_rule_allows_what_it_names(wish: dict[str, str], allowed: bool) -> None:
    (found,) = rules_of({"rules": [READ_PODS]})
    assert found.allows(Wish(**wish)) is allowed


def test_names_paths_and_subresources_of_all() -> None:
    rules = rules_of(
        {
            "rules": [
                rule(verbs=["get"], apiGroups=["*"], resources=["*/status"], resourceNames=["one"]),
                rule(verbs=["*"], nonResourceURLs=["/logs/*"]),
            ]
        }
    )

    def may(**wish: str) -> bool:
        return any(each.allows(Wish(**wish)) for each in rules)

    assert may(verb="get", group="apps", resource="deployments/status", name="one")
    assert not may(verb="get", group="apps", resource="deployments/status", name="two")
    assert not may(verb="get", group="apps", resource="deployments", name="one")
    assert may(verb="post", path="/logs/x")
    assert not may(verb="post", path="/logs")


def test_rules_cover_what_they_allow_together() -> None:
    every = frozenset(("*",))
    (wanted,) = rules_of({"rules": [READ_PODS]})
    halves = rules_of({"rules": [{**READ_PODS, "verbs": [verb]} for verb in ("get", "list")]})
    assert uncovered([wanted], halves) == []
    assert uncovered([wanted], halves[:1]) == [wanted]
    assert uncovered([Rule(verbs=every, groups=every, resources=every)], halves) != []


def test_bindings_give_a_user_a_group_and_an_account_the_rules_of_a_role(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        path = f"{RBAC}/namespaces/default"
        await cluster.create(f"{path}/roles", {**named("reader"), "rules": [READ_PODS]})
        subjects: list[Any] = [
            {"kind": "Group", "name": "dev"},
            {"kind": "ServiceAccount", "name": "bot", "namespace": "default", "apiGroup": ""},
        ]
        await cluster.create(f"{path}/rolebindings", binding("b", "reader", *subjects))
        bot = User(name="system:serviceaccount:default:bot")
        allows = cluster.api.authorization.allows
        get = Wish(verb="get", resource="pods")
        assert [allows(user, get, "default") for user in (JOE, bot, User(name="eve"))] == [True, True, False]
        assert not allows(JOE, get, "kube-system")
        assert not allows(JOE, get, "")
        with pytest.raises(Failure) as refused:
            cluster.api.authorization.check(
                JOE, cluster.request("DELETE", "/api/v1/namespaces/default/pods/p").attributes
            )
        assert refused.value.message == (
            'pods "p" is forbidden: User "joe" cannot delete resource "pods" in API group "" in the namespace "default"'
        )

    play(scene)


def test_nobody_gives_what_is_not_his(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        manage = rule(
            verbs=["*"], apiGroups=["rbac.authorization.k8s.io"], resources=["clusterroles", "clusterrolebindings"]
        )
        await cluster.create(f"{RBAC}/clusterroles", {**named("manager"), "rules": [{**manage, "verbs": ["create"]}]})
        whole = binding("m", "manager", {"kind": "User", "name": "joe"}, kind="ClusterRole")
        await cluster.create(f"{RBAC}/clusterrolebindings", whole)
        with pytest.raises(Failure, match="is attempting to grant RBAC permissions not currently held"):
            await cluster.create(f"{RBAC}/clusterroles", {**named("r"), "rules": [READ_PODS]}, JOE)
        over = binding("o", "cluster-admin", {"kind": "User", "name": "joe"}, kind="ClusterRole")
        with pytest.raises(Failure, match="is attempting to grant RBAC permissions not currently held"):
            await cluster.create(f"{RBAC}/clusterrolebindings", over, JOE)

    play(scene)


def test_only_who_may_do_all_lets_labels_decide_what_a_role_gives(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        manage = rule(verbs=["*"], apiGroups=["*"], resources=["*"])
        await cluster.create(f"{RBAC}/clusterroles", {**named("manager"), "rules": [manage]})
        whole = binding("m", "manager", {"kind": "User", "name": "joe"}, kind="ClusterRole")
        await cluster.create(f"{RBAC}/clusterrolebindings", whole)
        aggregating: Object = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
        with pytest.raises(Failure, match="must have cluster-admin privileges to use the aggregationRule"):
            await cluster.create(f"{RBAC}/clusterroles", {**named("r"), "aggregationRule": aggregating}, JOE)
        await cluster.update(
            f"{RBAC}/clusterroles/manager",
            lambda old: {**old, "rules": [manage, rule(verbs=["*"], nonResourceURLs=["*"])]},
        )
        await cluster.create(f"{RBAC}/clusterroles", {**named("r"), "aggregationRule": aggregating}, JOE)

    play(scene)


def test_a_token_lives_as_long_as_its_account_and_its_pod(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        accounts, pods = "/api/v1/namespaces/default/serviceaccounts", "/api/v1/namespaces/default/pods"
        account = await cluster.create(accounts, named("default"))
        made = await cluster.create(pods, pod())
        tokens = cluster.api.tokens
        refer = [
            Reference(name, str(at(each, "metadata", "uid"))) for name, each in (("default", account), ("p", made))
        ]
        bound = Bound(namespace="default", serviceaccount=refer[0], pod=refer[1], node=Reference("n", "u"))
        token, ends = tokens.issue(bound, 600)
        assert ends == datetime(2026, 1, 1, 0, 10, tzinfo=UTC).timestamp()
        found = tokens.read(token)
        assert found is not None
        assert found.name == "system:serviceaccount:default:default"
        told = {name.rpartition("/")[2]: held for name, held in found.extra.items()}
        assert (told["pod-name"], told["node-name"]) == (("p",), ("n",))
        assert told["credential-id"][0].startswith("JTI=")
        review: Object = {"spec": {"token": token, "audiences": ["another audience"]}}
        reviews = Reviews(cluster.api.authorization, tokens)
        assert reviews.answer("TokenReview", found, review, "")["status"] == {
            "authenticated": False, "error": "invalid bearer token",
        }  # fmt: skip
        status = reviews.answer("TokenReview", found, {"spec": {"token": token}}, "")["status"]
        assert at(status, "user", "extra", "authentication.kubernetes.io/pod-name") == ["p"]
        assert tokens.read(token, "another audience") is None
        assert tokens.read(token[:-4] + "AAAA") is None
        cluster.pass_time(601)
        assert tokens.read(token) is None
        token, _ = tokens.issue(Bound(namespace="default", serviceaccount=refer[0], pod=refer[1]), 600)
        await cluster.delete(f"{pods}/p")
        assert tokens.read(token) is None

    play(scene)


def test_a_bad_token_is_nobody_and_no_token_is_anonymous(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        user = cluster.api.authentication.user
        assert user(None, "").name == "system:anonymous"
        with pytest.raises(Failure) as refused:
            user(None, "Bearer nonsense")
        assert refused.value.code == 401
        subject = ((("organizationName", "dev"),), (("commonName", "ann"),))
        found = user(Certificate({"subject": subject}, b""), "")
        assert (found.name, found.groups) == ("ann", ("dev", "system:authenticated"))

    play(scene)
