"""COPY and ADD."""

from __future__ import annotations

import posixpath

from jubako.build.convert import history
from jubako.build.convert.scope import Scope
from jubako.build.dockerfile.instructions import Copy
from jubako.build.dockerfile.lexer import heredoc_token
from jubako.build.dockerfile.source import Text
from jubako.build.files import mode as modes
from jubako.build.graph import file
from jubako.build.graph.file import CopySpec, Inline


def convert_copy(scope: Scope, instruction: Copy) -> None:
    """Raises DockerfileError."""
    spec = CopySpec(
        sources=[scope.expand(text) for text in instruction.sources if heredoc_token(text.value) is None],
        inline=_inline(scope, instruction),
        destination=_destination(scope, instruction.destination),
        chown=_expanded(scope, instruction.chown),
        chmod=_mode(scope, instruction.chmod),
        unpack=instruction.unpack,
    )
    if len(spec.sources) + len(spec.inline) > 1 and not spec.destination.endswith("/"):
        raise scope.fail(
            instruction.destination,
            f"when using {'ADD' if spec.unpack else 'COPY'} with more than one source file, the destination must be "
            "a directory and end with a /",
        )
    name = scope.step_name(instruction)
    if instruction.source_stage is not None:
        source = scope.stage_vertex(scope, instruction.source_stage)
        vertex = scope.add_step(instruction, file.Copy(name, scope.bench, spec), source)
    else:
        workshop = scope.workshop
        vertex = scope.add_step(instruction, file.Copy(name, scope.bench, spec, workshop.context, workshop.hashes))
    scope.stage.record(history.copy(spec, scope.expand(instruction.destination)), vertex)


def _inline(scope: Scope, instruction: Copy) -> list[Inline]:
    tokens = {heredoc_token(text.value) for text in instruction.sources} - {None}
    return [
        Inline(heredoc.name, scope.expand_heredoc(heredoc))
        for heredoc in instruction.heredocs
        if heredoc.name in tokens
    ]


def _destination(scope: Scope, text: Text) -> str:
    """Absolute; a slash at the end says that it is a directory, and so does `.`."""
    path = scope.expand(text)
    if not path:
        raise scope.fail(text, "the destination is empty after its variables were expanded")
    directory = path.endswith("/") or path == "."
    absolute = posixpath.normpath(posixpath.join("/", scope.stage.workdir, path)).replace("//", "/")
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
