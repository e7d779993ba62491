from __future__ import annotations

from jubako.registry.server.config.schema import Retention
from jubako.registry.server.config.values import Duration
from jubako.registry.server.documents import Tag
from jubako.registry.server.globs import Glob
from jubako.registry.server.retention import expired
from jubako.spec.oci_image import Digest

NOW = 1000.0


def tags(**ages):
    return {name: Tag(Digest("sha256:0"), NOW - age) for name, age in ages.items()}


def globs(*patterns):
    return tuple(map(Glob, patterns))


def test_the_newest_stay():
    found = expired(tags(a=3, b=1, c=2), [Retention(newest=2)], NOW)
    assert found == {"a"}


def test_the_old_go():
    assert expired(tags(a=50, b=5), [Retention(max_age=Duration(10))], NOW) == {"a"}


def test_kept_tags_stay_and_do_not_count():
    rule = Retention(newest=1, keep=globs("latest"))
    assert expired(tags(latest=1, a=2, b=3), [rule], NOW) == {"b"}


def test_rule_is_about_its_tags_only():
    rule = Retention(tags=globs("pr-*"), newest=0)
    assert expired(tags(**{"pr-1": 1, "v1": 99}), [rule], NOW) == {"pr-1"}


def test_rules_add_up():
    rules = [Retention(newest=2), Retention(max_age=Duration(2))]
    assert expired(tags(a=1, b=3, c=5), rules, NOW) == {"b", "c"}
