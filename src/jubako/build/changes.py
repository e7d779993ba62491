"""Instructions for an image that is there already: what `commit --change` and `import --change` take.

Only its configuration changes; instructions that make files, or say what is built, are refused as in Docker.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jubako.build.convert.dispatch import dispatch
from jubako.build.convert.scope import Scope
from jubako.build.convert.state import StageState
from jubako.build.dockerfile import grammar
from jubako.build.dockerfile import instructions as ins
from jubako.build.dockerfile.context import Context
from jubako.build.dockerfile.instructions import Instruction
from jubako.build.dockerfile.lexer import lex
from jubako.build.dockerfile.source import Source
from jubako.build.graph.filesystem import Filesystem
from jubako.build.graph.source import Base
from jubako.build.graph.vertex import Vertex
from jubako.image import platform
from jubako.spec.oci_image import ContainerConfig, ImageConfig, RootFS

_ALLOWED = frozenset(
    ("CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR")
)


class _Configuration(Scope):
    """A scope without a graph: all that changes is the stage's configuration."""

    def __init__(self, stage: StageState) -> None:
        self.stage = stage
        self.source = Source("--change", "")
        self.escape = "\\"


def change(config: ContainerConfig, texts: Sequence[str]) -> ContainerConfig:
    """Return `config` after the instructions in `texts`, each of which may hold several. Raises DockerfileError."""
    if not texts:
        return config
    host = platform.host()
    base = ImageConfig(architecture=host.architecture, os=host.os, config=config, rootfs=RootFS())
    stage = StageState("", Vertex(Base("scratch", Filesystem())), base)
    scope = _Configuration(stage)
    for text in texts:
        _apply(scope, text)
    return msgspec.structs.replace(
        stage.config(),
        working_dir="" if stage.workdir == "/" and not config.working_dir else stage.workdir,
        on_build=[*stage.inherited_triggers, *stage.triggers] or None,
    )


def _apply(scope: _Configuration, text: str) -> None:
    lexed = lex(text.encode("utf-8", "replace"), "--change")
    scope.source = lexed.source
    for statement in lexed.statements:
        context = Context(lexed, statement)
        instruction: Instruction = grammar.parse_instruction(context)
        if context.keyword not in _ALLOWED:
            raise context.fail_here(f"{context.keyword} is not a valid change command")
        if isinstance(instruction, ins.Workdir):
            _workdir(scope, instruction)
        else:
            dispatch(scope, instruction)


def _workdir(scope: Scope, instruction: ins.Workdir) -> None:
    """In a build it would make the directory."""
    scope.stage.workdir = scope.stage.absolute(scope.expand(instruction.path))
