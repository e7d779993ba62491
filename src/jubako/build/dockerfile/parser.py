"""From statements to stages of instructions: which instruction may stand where.

Spec: Dockerfile reference; BuildKit instructions/parse.go.
"""

from __future__ import annotations

import re

import msgspec

from jubako.build.dockerfile import grammar
from jubako.build.dockerfile.context import Context
from jubako.build.dockerfile.instructions import Arg, Dockerfile, From, Instruction, Stage
from jubako.build.dockerfile.lexer import lex
from jubako.build.dockerfile.source import DockerfileError, Position, Source


def parse(data: bytes, name: str = "Dockerfile") -> Dockerfile:
    """Parse a whole Dockerfile; `name` is how errors call it. Raises DockerfileError."""
    lexed = lex(data, name)
    global_args: list[Arg] = []
    stages: list[Stage] = []
    for statement in lexed.statements:
        context = Context(lexed, statement)
        instruction = grammar.parse_instruction(context)
        if isinstance(instruction, From):
            stages.append(_stage(context, instruction, stages))
        elif stages:
            stages[-1].instructions.append(instruction)
        elif isinstance(instruction, Arg):
            global_args.append(instruction)
        else:
            raise context.fail_here("no build stage in current context: FROM must come first")
    if not stages:
        last = Position(len(lexed.source.lines))
        raise DockerfileError(lexed.source, last, "the Dockerfile has no FROM instruction")
    return Dockerfile(
        source=lexed.source,
        escape=lexed.escape,
        directives=lexed.directives,
        global_args=global_args,
        stages=stages,
    )


class Trigger(msgspec.Struct, frozen=True):
    """An ONBUILD instruction, and the text that its places are in."""

    source: Source
    instruction: Instruction


def parse_trigger(trigger: str, image: str) -> Trigger:
    """Parse an ONBUILD trigger that came with the base image `image`. Raises DockerfileError."""
    lexed = lex(trigger.encode("utf-8", "replace"), f"ONBUILD of {image}")
    if len(lexed.statements) != 1:
        raise DockerfileError(lexed.source, Position(1), "an ONBUILD trigger is exactly one instruction")
    return Trigger(lexed.source, grammar.parse_trigger(Context(lexed, lexed.statements[0])))


def _stage(context: Context, source: From, earlier: list[Stage]) -> Stage:
    if source.name is not None and not re.fullmatch(r"[a-z][a-z0-9_.-]*", source.name):
        raise context.fail_here(
            f'invalid name for build stage: "{source.name}", name can\'t start with a number or contain symbols'
        )
    return Stage(index=len(earlier), name=source.name, source=source, instructions=[])
