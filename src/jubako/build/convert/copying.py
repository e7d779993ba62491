"""COPY and ADD."""

from __future__ import annotations

import re

from jubako.build.convert import history
from jubako.build.convert.scope import Scope
from jubako.build.dockerfile.instructions import Copy
from jubako.build.dockerfile.lexer import heredoc_token
from jubako.build.dockerfile.source import Text
from jubako.build.files import mode as modes
from jubako.build.graph import copy
from jubako.build.graph.copy import CopySpec, Inline
from jubako.build.graph.filesystem import Filesystem, FsVertex
from jubako.build.graph.source import Base
from jubako.build.graph.vertex import Vertex

_LOGIN = re.compile(r"(\b[a-z]+://)[^\s/@]+@")


def convert_copy(scope: Scope, instruction: Copy) -> None:
    """Raises DockerfileError."""
    name = _shown_urls(scope.step_name(instruction))
    sources = _sources(scope, instruction, name)
    local = [path for path, vertex in sources if vertex is None]
    remote = [(url, vertex) for url, vertex in sources if vertex is not None]
    spec = _spec(scope, instruction, local, [url for url, _ in remote])
    fetched = [vertex for _, vertex in remote]
    below: FsVertex = Vertex(Base("scratch", Filesystem())) if spec.link else scope.stage.vertex
    workshop = scope.workshop
    if instruction.source_stage is not None:
        operation, inputs = copy.Copy(name, scope.bench, spec), [scope.stage_vertex(scope, instruction.source_stage)]
    else:
        operation, inputs = copy.Copy(name, scope.bench, spec, workshop.context, workshop.hashes), fetched
    if spec.link:
        vertex = scope.add_beside(instruction, operation, below, *inputs)
        scope.stage.vertex = Vertex(copy.Merge(name), (scope.stage.vertex, vertex))
    else:
        scope.add_step(instruction, operation, *inputs)
    scope.stage.record(
        history.copy(spec, [source for source, _ in sources], scope.expand(instruction.destination)), scope.stage.vertex
    )


def _shown_urls(text: str) -> str:
    """The text of an instruction without the names and passwords of URLs in it."""
    return _LOGIN.sub(r"\1", text)


def _spec(scope: Scope, instruction: Copy, sources: list[str], remote: list[str]) -> CopySpec:
    return CopySpec(
        sources=sources,
        inline=_inline(scope, instruction),
        remote=remote,
        destination=_destination(scope, instruction.destination),
        chown=_expanded(scope, instruction.chown),
        chmod=_mode(scope, instruction.chmod),
        keyword="ADD" if instruction.is_add else "COPY",
        unpack=instruction.is_add and instruction.unpack is not False,
        unpack_remote=bool(instruction.unpack),
        parents=instruction.parents,
        excludes=[scope.expand(text) for text in instruction.excludes],
        link=instruction.link,
    )


def _sources(scope: Scope, instruction: Copy, name: str) -> list[tuple[str, FsVertex | None]]:
    """Paths, and what is fetched: each URL as messages and history show it, with the vertex that fetches it."""
    found: list[tuple[str, FsVertex | None]] = []
    for text in instruction.sources:
        if heredoc_token(text.value) is not None:
            continue
        source = scope.expand(text)
        if instruction.is_add and ("://" in source or source.startswith("git@")):
            from jubako.build.convert.remote import fetch

            found.append(fetch(scope, instruction, text, source, name))
        else:
            found.append((source, None))
    if instruction.checksum is not None and [vertex is None for _, vertex in found] != [False]:
        problem = "for multiple sources" if len(found) > 1 else "for a local source: it requires an HTTP(S) or Git one"
        raise scope.fail(instruction.checksum, f"checksum can't be specified {problem}")
    return found


def _inline(scope: Scope, instruction: Copy) -> list[Inline]:
    tokens = {heredoc_token(text.value) for text in instruction.sources} - {None}
    return [
        Inline(heredoc.name, scope.expand_heredoc(heredoc))
        for heredoc in instruction.heredocs
        if heredoc.name in tokens
    ]


def _destination(scope: Scope, text: Text) -> str:
    """Absolute; a slash at the end says that it is a directory, and so do `.` and nothing at all."""
    path = scope.expand(text)
    directory = path in ("", ".") or path.endswith(("/", "/."))
    absolute = scope.stage.absolute(path)
    return absolute.rstrip("/") + "/" if directory else absolute


def _expanded(scope: Scope, text: Text | None) -> str | None:
    return scope.expand(text) if text is not None else None


def _mode(scope: Scope, text: Text | None) -> str | None:
    if text is None:
        return None
    mode = scope.expand(text)
    try:
        modes.check(mode)
    except ValueError:
        raise scope.fail(
            text, f"invalid chmod parameter: '{mode}'. it should be octal string and between 0 and 07777"
        ) from None
    return mode
