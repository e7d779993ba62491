"""The places that an image may come from, as opened repositories: mirrors first, the registry itself last."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

from jubako.errors import JubakoError
from jubako.image.reference import Reference
from jubako.registry.client import configuration
from jubako.registry.client.credentials import Credentials
from jubako.registry.client.options import ClientOptions
from jubako.registry.client.repository import Repository
from jubako.registry.client.session import Session

T = TypeVar("T")


class Origin:
    """What pull asks. `last` is the registry that the reference names."""

    def __init__(self, repositories: list[Repository]) -> None:
        self.repositories = repositories
        self.last = repositories[-1]
        self.name = self.last.name

    def ask(self, question: Callable[[Repository], T]) -> T:
        """The answer of the first that has one; else the last one's refusal."""
        for repository in self.repositories[:-1]:
            try:
                return question(repository)
            except JubakoError:
                continue
        return question(self.last)

    def abort(self) -> None:
        for repository in self.repositories:
            repository.session.abort()


def opened(stack: ExitStack, ref: Reference, credentials: Credentials | None, options: ClientOptions) -> Origin:
    """The repositories for `ref`, closed with `stack`. `credentials` are for the registry itself, not its mirrors."""
    found = configuration.sources(ref, configuration.load())
    repositories = []
    for source in found:
        own = credentials if source is found[-1] else None
        session = Session(source.ref.domain, own, source.options(options), source.ref.path)
        repositories.append(Repository(stack.enter_context(session), source.ref))
    return Origin(repositories)


def target(
    stack: ExitStack, ref: Reference, credentials: Credentials | None, options: ClientOptions, *, sources: list[str]
) -> Repository:
    """The repository to push `ref` to, closed with `stack`."""
    source = configuration.origin(ref, configuration.load())
    session = stack.enter_context(Session(source.ref.domain, credentials, source.options(options), source.ref.path))
    return Repository(session, source.ref, push=True, sources=sources)
