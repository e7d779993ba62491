"""Retention: tags that the rules of their repository no longer keep. What they named goes with the next collection."""

from __future__ import annotations

from collections.abc import Iterable

from jubako.registry.server.config.schema import Retention
from jubako.registry.server.documents import Tag
from jubako.registry.server.globs import any_matches
from jubako.registry.server.manifests import Manifests
from jubako.registry.server.state import State


def expired(tags: dict[str, Tag], rules: Iterable[Retention], now: float) -> set[str]:
    """Return the names of `tags` that no rule keeps; tags that no rule is about stay."""
    gone: set[str] = set()
    for rule in rules:
        about = {name: tag for name, tag in tags.items() if any_matches(rule.tags, name)}
        subject = [name for name in about if not any_matches(rule.keep, name)]
        newest = sorted(subject, key=lambda name: about[name].pushed, reverse=True)
        if rule.newest is not None:
            gone.update(newest[rule.newest :])
        if rule.max_age is not None:
            gone.update(name for name in newest if now - about[name].pushed > rule.max_age)
    return gone


def retain(state: State, manifests: Manifests) -> int:
    """Delete the tags of all repositories that their rules do not keep, and say how many."""
    deleted = 0
    for name in state.read.repositories.keys():
        rules = state.rules.retention(name)
        if not rules:
            continue
        with state.store.records.transaction():
            tags = {key.partition(":")[2]: tag for key, tag in state.write.tags.items(f"{name}:")}
            for tag in expired(tags, rules, state.clock()):
                if not state.rules.is_immutable(name, tag):
                    manifests.untag(name, tag)
                    deleted += 1
    return deleted
