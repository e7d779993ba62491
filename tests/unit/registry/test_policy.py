from __future__ import annotations

import pytest

from jubako.registry.server.access.caller import ANONYMOUS, CATALOG, Caller, Scope
from jubako.registry.server.access.policy import Policy
from jubako.registry.server.config.schema import Access, Rule
from jubako.registry.server.globs import Glob

ANN = Caller("ann", frozenset({"team"}))
BOB = Caller("bob")


def scope(name, *actions):
    return Scope("repository", name, actions)


@pytest.fixture
def policy():
    rules = (
        Rule(repositories=(Glob("team/**"),), actions=frozenset(("pull", "push")), groups=frozenset({"team"})),
        Rule(repositories=(Glob("team/*"),), actions=frozenset(("delete",)), users=frozenset({"ann"})),
        Rule(repositories=(Glob("public/**"),), actions=frozenset(("pull",)), anonymous=True),
    )
    return Policy(Access(policy=rules, groups={"ops": frozenset({"bob"})}))


def test_rules_add_up_and_what_none_allows_is_refused(policy):
    assert policy.allows(ANN, scope("team/a", "pull", "push", "delete"))
    assert not policy.allows(ANN, scope("team/a/b", "delete"))
    assert not policy.allows(BOB, scope("team/a", "pull"))
    assert not policy.allows(ANN, scope("elsewhere", "pull"))


def test_what_is_open_to_all_is_open_to_users_too(policy):
    for caller in (ANONYMOUS, ANN, BOB):
        assert policy.allows(caller, scope("public/x", "pull"))
        assert not policy.allows(caller, scope("public/x", "push"))


def test_groups_come_from_the_configuration(policy):
    assert (policy.groups_of("bob"), policy.groups_of("ann")) == ({"ops"}, set())


def test_without_rules_users_may_everything_and_others_nothing_but_open_pulls():
    for anonymous_pull in (False, True):
        policy = Policy(Access(anonymous_pull=anonymous_pull))
        assert policy.allows(BOB, scope("a", "pull", "push", "delete"))
        assert policy.allows(ANONYMOUS, scope("a", "pull")) is anonymous_pull
        assert not policy.allows(ANONYMOUS, scope("a", "push"))


def test_only_somebody_may_see_the_catalog(policy):
    assert policy.allows(BOB, CATALOG)
    assert not policy.allows(ANONYMOUS, CATALOG)
    assert not policy.allows(ANONYMOUS, Scope())
    assert not policy.allows(BOB, Scope("plugin", "x", ("pull",)))
