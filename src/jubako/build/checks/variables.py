"""Which variables a word needs: those it names without saying what to take in their absence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from jubako.build.dockerfile import expansion
from jubako.build.dockerfile import instructions as ins
from jubako.build.dockerfile.instructions import Instruction

_OWN_ANSWER = re.compile(r"\$\{(\w+):?[-+?]")
Expand = Callable[[str, expansion.Lookup], object]


def expand(text: str, known: Mapping[str, str], escape: str) -> tuple[str, list[str]]:
    """The word with its variables expanded, and the names that it needs and nobody knows."""
    return _recorded(text, known, lambda word, lookup: expansion.expand(word, lookup, escape))


def expand_body(text: str, known: Mapping[str, str]) -> tuple[str, list[str]]:
    """The same for a here-document."""
    return _recorded(text, known, expansion.expand_body)


def _recorded(
    text: str, known: Mapping[str, str], act: Callable[[str, expansion.Lookup], str]
) -> tuple[str, list[str]]:
    missing: dict[str, None] = {}

    def lookup(name: str) -> str | None:
        if name not in known:
            missing[name] = None
        return known.get(name)

    try:
        expanded = act(text, lookup)
    except expansion.ExpansionError:
        # The build itself says what is wrong, and where.
        return text, []
    answered = set(_OWN_ANSWER.findall(text))
    return expanded, [name for name in missing if name not in answered]


def words(instruction: Instruction) -> Iterator[str]:
    """The words of an instruction in which variables are expanded."""
    match instruction:
        case ins.Arg() | ins.Env() | ins.Label():
            for item in instruction.items:
                yield item.key.value
                if item.value is not None:
                    yield item.value.value
        case ins.Copy():
            optional = (instruction.source_stage, instruction.chown, instruction.chmod)
            texts = (*instruction.sources, instruction.destination, *optional)
            yield from (text.value for text in texts if text is not None)
        case ins.Expose():
            yield from (text.value for text in instruction.ports)
        case ins.Volume():
            yield from (text.value for text in instruction.paths)
        case ins.Workdir():
            yield instruction.path.value
        case ins.User():
            yield instruction.user.value
        case ins.StopSignal():
            yield instruction.signal.value
        case _:
            return
