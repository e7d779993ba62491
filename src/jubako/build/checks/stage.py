"""The rules about what a stage does: they know its variables, so they look only at the stages that are built."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

import msgspec

from jubako.build.checks.form import keyword, warn
from jubako.build.checks.rules import Warned
from jubako.build.checks.stages import Stages
from jubako.build.checks.variables import expand, expand_body, words
from jubako.build.dockerfile import instructions as ins
from jubako.build.dockerfile.grammar import REMOTE
from jubako.build.dockerfile.instructions import Instruction, Stage
from jubako.build.dockerfile.lexer import heredoc_token
from jubako.build.files.ignore import Ignore
from jubako.spec.suggestion import suggestion

_SECRET = re.compile(
    r"(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)", re.IGNORECASE
)
_PUBLIC = re.compile(r"(?:_|^)public(?:_|$)", re.IGNORECASE)
_HOST_PORT = re.compile(r"[^/]*:")


class BaseFacts(msgspec.Struct, frozen=True):
    """What a base image brings along that rules ask for."""

    env: dict[str, str]
    has_shell: bool


FindFacts = Callable[[str], BaseFacts | None]
"""The facts of the image of a name, None when it is not here: then nothing is said that they would decide."""


class _State(msgspec.Struct):
    """What is known where a stage has got to; `known` is None after a base image that nobody has looked at."""

    known: dict[str, str] | None
    env: dict[str, str]
    has_shell: bool
    has_workdir: bool = False


class StageChecker:
    def __init__(self, stages: Stages, given: dict[str, str], find_facts: FindFacts, ignore: Ignore | None) -> None:
        self._stages = stages
        self._source = stages.dockerfile.source
        self._escape = stages.dockerfile.escape
        self._given = given
        self._find_facts = find_facts
        # With a rule that takes in again, what a path means is known only by walking.
        self._ignore = ignore if ignore is not None and not ignore.has_exceptions else None
        self._ends: dict[int, _State] = {}

    def check(self) -> Iterator[Warned]:
        for stage in self._stages.needed():
            state = self._begin(stage)
            yield from self._repeated(stage)
            for instruction in stage.instructions:
                yield from self._undefined(state, instruction)
                yield from self._instruction(state, instruction)
                self._apply(state, instruction)
            self._ends[stage.index] = state

    def _begin(self, stage: Stage) -> _State:
        base = self._stages.base(stage)
        if base is not None:
            end = self._ends[base.index]
            known = None if end.known is None else dict(end.known)
            return _State(known, dict(end.env), end.has_shell, end.has_workdir)
        name = self._stages.base_name(stage)
        facts = BaseFacts({"PATH": ""}, has_shell=False) if name == "scratch" else self._find_facts(name)
        if facts is None:
            return _State(None, {}, has_shell=True)
        return _State(dict(facts.env), dict(facts.env), facts.has_shell)

    def _undefined(self, state: _State, instruction: Instruction) -> Iterator[Warned]:
        if state.known is None:
            return
        declared = {item.key.value for item in instruction.items} if isinstance(instruction, ins.Arg) else set()
        missing = {name: None for word in words(instruction) for name in expand(word, state.known, self._escape)[1]}
        if isinstance(instruction, ins.Copy):
            for heredoc in instruction.heredocs:
                if heredoc.expand:
                    missing |= dict.fromkeys(expand_body(heredoc.content, state.known)[1])
        for name in missing:
            if name not in declared:
                detail = f"Usage of undefined variable '${name}'{suggestion(name, state.known, '$')}"
                yield warn("UndefinedVar", instruction, detail)

    def _instruction(self, state: _State, instruction: Instruction) -> Iterator[Warned]:
        match instruction:
            case ins.Cmd() | ins.Entrypoint() if instruction.command.shell and not state.has_shell:
                name = keyword(self._source, instruction)
                detail = f"JSON arguments recommended for {name} to prevent unintended behavior related to OS signals"
                yield warn("JSONArgsRecommended", instruction, detail)
            case ins.Workdir():
                path = expand(instruction.path.value, state.known or {}, self._escape)[0]
                if not path.startswith("/") and not state.has_workdir:
                    detail = f'Relative workdir "{path}" can have unexpected results if the base image changes'
                    yield warn("WorkdirRelativePath", instruction, detail)
            case ins.Arg() | ins.Env():
                yield from _secrets(instruction)
            case ins.Expose():
                yield from _ports(instruction)
            case ins.Copy() if self._ignore is not None and instruction.source_stage is None:
                yield from self._ignored(self._ignore, state, instruction)

    def _ignored(self, ignore: Ignore, state: _State, instruction: ins.Copy) -> Iterator[Warned]:
        verb = "Add" if instruction.text.startswith("ADD") else "Copy"
        for source in instruction.sources:
            if heredoc_token(source.value) or REMOTE.match(source.value):
                continue
            path = expand(source.value, state.known or {}, self._escape)[0]
            clean = posixpath.normpath(path).lstrip("/")
            if clean not in ("", ".") and ignore.judge_whole(clean).ignored:
                detail = f'Attempting to {verb} file "{clean}" that is excluded by .dockerignore'
                yield warn("CopyIgnoredFile", instruction, detail)

    def _repeated(self, stage: Stage) -> Iterator[Warned]:
        last: dict[type[Instruction], Instruction] = {}
        for instruction in stage.instructions:
            kind = type(instruction)
            if kind not in (ins.Cmd, ins.Entrypoint, ins.HealthCheck):
                continue
            if kind in last:
                name = keyword(self._source, instruction)
                detail = (
                    f"Multiple {name} instructions should not be used in the same stage "
                    "because only the last one will be used"
                )
                yield warn("MultipleInstructionsDisallowed", last[kind], detail)
            last[kind] = instruction

    def _apply(self, state: _State, instruction: Instruction) -> None:
        match instruction:
            case ins.Shell():
                state.has_shell = True
            case ins.Workdir():
                path = expand(instruction.path.value, state.known or {}, self._escape)[0]
                state.has_workdir = state.has_workdir or path.startswith("/")
            case ins.Arg():
                for item in instruction.items:
                    self._declare(state, item)
            case ins.Env():
                known = dict(state.known or {})
                for item in instruction.items:
                    name = expand(item.key.value, known, self._escape)[0]
                    value = expand(item.value.value, known, self._escape)[0] if item.value is not None else ""
                    state.env[name] = value
                if state.known is not None:
                    state.known |= state.env

    def _declare(self, state: _State, item: ins.KeyValue) -> None:
        if state.known is None:
            return
        name = item.key.value
        default = expand(item.value.value, state.known, self._escape)[0] if item.value is not None else None
        inherited = self._stages.globals.get(name, "")
        state.known[name] = self._given.get(name, inherited if default is None else default)


def _secrets(instruction: ins.Arg | ins.Env) -> Iterator[Warned]:
    kind = "ARG" if isinstance(instruction, ins.Arg) else "ENV"
    for item in instruction.items:
        name = item.key.value
        if _SECRET.search(name) and not _PUBLIC.search(name):
            detail = f'Do not use ARG or ENV instructions for sensitive data ({kind} "{name}")'
            yield warn("SecretsUsedInArgOrEnv", instruction, detail)


def _ports(instruction: ins.Expose) -> Iterator[Warned]:
    for port in instruction.ports:
        protocol = port.value.partition("/")[2]
        if protocol != protocol.lower() and "$" not in protocol:
            detail = f"Defined protocol '{port.value}' in EXPOSE instruction should be lowercase"
            yield warn("ExposeProtoCasing", instruction, detail)
        if "$" not in port.value and _HOST_PORT.match(port.value):
            detail = f"EXPOSE instruction should not define an IP address or host-port mapping, found '{port.value}'"
            yield warn("ExposeInvalidFormat", instruction, detail)
