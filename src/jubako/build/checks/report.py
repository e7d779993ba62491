"""How warnings are told: as lines after a build, as `--check` shows them, and as JSON for tools.

Spec: BuildKit subrequests/lint; buildx commands/build.go, util/errdefs/source.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

import msgspec

from jubako.build.checks.rules import Warned
from jubako.build.dockerfile.source import Source

_RULER = "-" * 20


def summary(warnings: Sequence[Warned]) -> list[str]:
    """The lines after a build; none when there is nothing to say."""
    if not warnings:
        return []
    count = "1 warning" if len(warnings) == 1 else f"{len(warnings)} warnings"
    return [f" {count} found (use --check to expand):", *(f" - {warned.short()}" for warned in warnings)]


def failure(warnings: Sequence[Warned]) -> str:
    """What `error=true` says of them."""
    return f"lint violation found for rules: {', '.join(dict.fromkeys(warned.rule.name for warned in warnings))}"


def text(source: Source, warnings: Sequence[Warned]) -> str:
    """What `--check` prints."""
    if not warnings:
        return "Check complete, no warnings found.\n"
    count = "1 warning has" if len(warnings) == 1 else f"{len(warnings)} warnings have"
    blocks = "".join("\n" + "\n".join(_block(source, warned)) + "\n" for warned in warnings)
    return f"Check complete, {count} been found!\n{blocks}"


def _block(source: Source, warned: Warned) -> Iterator[str]:
    yield f"WARNING: {warned.rule.name} - {warned.rule.url}"
    yield warned.detail
    yield f"{source.name}:{warned.first_line}"
    yield _RULER
    around = 2 if warned.first_line == warned.last_line else 1
    first, last = max(1, warned.first_line - around), min(len(source.lines), warned.last_line + around)
    for number in range(first, last + 1):
        mark = ">>>" if warned.first_line <= number <= warned.last_line else "   "
        yield f" {number:3d} | {mark} {source.lines[number - 1]}"
    yield _RULER


def data(source: Source, warnings: Sequence[Warned]) -> bytes:
    """What `--call=check,format=json` prints."""
    content = "\n".join(source.lines).encode()
    document = {
        "warnings": [_entry(warned) for warned in warnings] or None,
        "sources": [{"filename": source.name, "language": "Dockerfile", "data": base64.b64encode(content).decode()}],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def _entry(warned: Warned) -> dict[str, object]:
    return {
        "ruleName": warned.rule.name,
        "description": warned.rule.description,
        "url": warned.rule.url,
        "detail": warned.detail,
        "location": location(warned.first_line, warned.last_line),
    }


def location(first_line: int, last_line: int) -> dict[str, object]:
    """A place in the first source, as BuildKit's JSON has it."""
    return {"ranges": [{"start": {"line": first_line}, "end": {"line": last_line}}]}
