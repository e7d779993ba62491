"""What the configuration demands of repositories: quotas, tags that stay, how long the others do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from jubako.registry.server.config.schema import RepositoryRules, Retention
from jubako.registry.server.globs import any_matches
from jubako.registry.server.refusal import Refused
from jubako.spec.distribution import Code

T = TypeVar("T")


class Rules:
    """For each setting, the first section that matches the repository and gives it decides."""

    def __init__(self, sections: Iterable[RepositoryRules] = (), *, sparse: bool = False) -> None:
        self._sections = tuple(sections)
        self.sparse = sparse
        """Whether a manifest may name what its repository does not have."""

    def quota(self, name: str) -> int | None:
        return next((int(one.quota) for one in self._matching(name) if one.quota is not None), None)

    def retention(self, name: str) -> tuple[Retention, ...]:
        return next((one.retention for one in self._matching(name) if one.retention is not None), ())

    def is_immutable(self, name: str, tag: str) -> bool:
        globs = next((one.immutable_tags for one in self._matching(name) if one.immutable_tags is not None), ())
        return any_matches(globs, tag)

    def refuse_change(self, name: str, tag: str) -> None:
        """Refuse to move or delete a tag that must stay as it is."""
        if self.is_immutable(name, tag):
            raise Refused(Code.DENIED, f"the tag {tag} of {name} is immutable", detail={"tag": tag}, status=409)

    def _matching(self, name: str) -> Iterable[RepositoryRules]:
        return (section for section in self._sections if any_matches(section.match, name))
