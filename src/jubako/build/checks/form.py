"""The rules that the text alone decides; they look at every stage."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jubako.build.checks.rules import RULES, Warned
from jubako.build.dockerfile import instructions as ins
from jubako.build.dockerfile.instructions import Dockerfile, From, Instruction
from jubako.build.dockerfile.source import Source

_RESERVED = frozenset({"context", "scratch"})


def warn(name: str, instruction: Instruction, detail: str) -> Warned:
    return Warned(RULES[name], detail, instruction.position.line, instruction.last_line)


def keyword(source: Source, instruction: Instruction) -> str:
    """The keyword as it is written."""
    line = source.lines[instruction.position.line - 1]
    match = re.match(r"\S+", line[instruction.position.column - 1 :])
    return match[0] if match else ""


def check_form(dockerfile: Dockerfile) -> Iterator[Warned]:
    source = dockerfile.source
    everything = [item for stage in dockerfile.stages for item in (stage.source, *stage.instructions)]
    yield from _keyword_casing(source, everything)
    yield from _stage_names(source, dockerfile)
    yield from _descriptions(source, dockerfile)
    for instruction in (*dockerfile.global_args, *everything):
        yield from _empty_lines(source, instruction)
        if isinstance(instruction, ins.Maintainer):
            yield warn(
                "MaintainerDeprecated", instruction, "Maintainer instruction is deprecated in favor of using label"
            )
        if isinstance(instruction, ins.Env | ins.Label) and _is_old_form(source, instruction):
            name = keyword(source, instruction).upper()
            detail = f'"{name} key=value" should be used instead of legacy "{name} key value" format'
            yield warn("LegacyKeyValueFormat", instruction, detail)


def _keyword_casing(source: Source, instructions: Sequence[Instruction]) -> Iterator[Warned]:
    words = [keyword(source, instruction) for instruction in instructions]
    lower = sum(map(str.islower, words)) > sum(map(str.isupper, words))
    for word, instruction in zip(words, instructions, strict=True):
        if not (word.islower() if lower else word.isupper()):
            case = "lowercase" if lower else "uppercase"
            detail = f"Command '{word}' should match the case of the command majority ({case})"
            yield warn("ConsistentInstructionCasing", instruction, detail)


def _stage_names(source: Source, dockerfile: Dockerfile) -> Iterator[Warned]:
    seen: set[str] = set()
    for stage in dockerfile.stages:
        if stage.name is None:
            continue
        yield from _stage_casing(keyword(source, stage.source), stage.source)
        if stage.name in _RESERVED:
            detail = f'Stage name should not use the same name as reserved stage "{stage.name}"'
            yield warn("ReservedStageName", stage.source, detail)
        if stage.name in seen:
            detail = f'Duplicate stage name "{stage.name}", stage names should be unique'
            yield warn("DuplicateStageName", stage.source, detail)
        seen.add(stage.name)


def _stage_casing(word: str, instruction: From) -> Iterator[Warned]:
    as_word, name = instruction.text.split()[-2:]
    if not name.islower() and name.lower() != name:
        yield warn("StageNameCasing", instruction, f"Stage name '{name}' should be lowercase")
    # A FROM in mixed case is another rule's.
    if (word.islower() and not as_word.islower()) or (word.isupper() and not as_word.isupper()):
        yield warn("FromAsCasing", instruction, f"'{as_word}' and '{word}' keywords' casing do not match")


def _empty_lines(source: Source, instruction: Instruction) -> Iterator[Warned]:
    heredocs = getattr(instruction, "heredocs", None)
    last = heredocs[0].position.line - 1 if heredocs else instruction.last_line
    if any(not line.strip() for line in source.lines[instruction.position.line - 1 : last]):
        yield Warned(RULES["NoEmptyContinuation"], "Empty continuation line", last, last)


def _is_old_form(source: Source, instruction: ins.Env | ins.Label) -> bool:
    value = instruction.items[0].value
    if value is None:
        return False
    position = value.position()
    return source.lines[position.line - 1][: position.column - 1][-1:] != "="


def comment_above(source: Source, instruction: Instruction) -> str | None:
    """The last line of the comment that stands directly above."""
    index = instruction.position.line - 2
    line = source.lines[index].strip() if index >= 0 else ""
    return line.lstrip("#").strip() if line.startswith("#") else None


def description(source: Source, instruction: Instruction, name: str) -> str:
    """What the comment above says about `name`: `# name the description`."""
    index = instruction.position.line - 2
    while index >= 0 and (line := source.lines[index].strip()).startswith("#"):
        first, _, rest = line.lstrip("#").strip().partition(" ")
        if first.lower() == name.lower():
            return rest.strip()
        index -= 1
    return ""


def _descriptions(source: Source, dockerfile: Dockerfile) -> Iterator[Warned]:
    for stage in dockerfile.stages:
        if stage.name is not None:
            yield from _described(source, stage.source, "FROM", [stage.source.text.split()[-1]])
    arguments = [item for stage in dockerfile.stages for item in stage.instructions if isinstance(item, ins.Arg)]
    for argument in (*dockerfile.global_args, *arguments):
        yield from _described(source, argument, "ARG", [item.key.value for item in argument.items])


def _described(source: Source, instruction: Instruction, kind: str, names: list[str]) -> Iterator[Warned]:
    comment = comment_above(source, instruction)
    if comment is None or instruction.position.line - 1 <= _directive_lines(source):
        return
    if comment.split(" ")[0] not in names:
        example = names[0] if len(names) == 1 else "<arg_key>"
        detail = f"Comment for {kind} should follow the format: `# {example} <description>`"
        yield warn("InvalidDefinitionDescription", instruction, detail)


def _directive_lines(source: Source) -> int:
    """How many lines at the top are parser directives."""
    count = 0
    for line in source.lines:
        if not re.fullmatch(r"\s*#\s*(?:syntax|escape|check)\s*=.*", line, re.IGNORECASE):
            break
        count += 1
    return count
