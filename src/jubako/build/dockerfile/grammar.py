"""The grammar of each instruction: one function for one keyword, from a Context to an Instruction."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypedDict

from jubako.build.dockerfile import instructions as ins
from jubako.build.dockerfile.context import Context
from jubako.build.dockerfile.lexer import heredoc_token
from jubako.build.dockerfile.source import Position, Text
from jubako.build.dockerfile.words import split_quoted
from jubako.spec.suggestion import suggestion

REMOTE = re.compile(r"https?://|git://|git@|ssh://")
"""How a source begins that is fetched."""
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_UNITS_NS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_MINIMUM_NS = 10**6
_NETWORKS = ("default", "none", "host")
_SECURITIES = ("sandbox", "insecure")
_NOT_AS_TRIGGER = frozenset({"FROM", "MAINTAINER"})


class _Common(TypedDict):
    position: Position
    last_line: int
    text: str


def _common(context: Context) -> _Common:
    return _Common(position=context.position, last_line=context.statement.last_line, text=context.text())


def _from(context: Context) -> ins.Instruction:
    words = context.words()
    named = len(words) == 3 and words[1].value.upper() == "AS"
    if len(words) != 1 and not named:
        raise context.fail_here("FROM requires either one or three arguments")
    return ins.From(
        image=words[0],
        platform=context.flags.get("platform"),
        name=words[2].value.lower() if named else None,
        **_common(context),
    )


def _arg(context: Context) -> ins.Instruction:
    words = split_quoted(context.body, context.escape)
    if not words:
        raise context.fail_here("ARG requires at least one argument")
    return ins.Arg(items=[context.pair_or_name(word) for word in words], **_common(context))


def _run(context: Context) -> ins.Instruction:
    command = context.command()
    if not command.arguments:
        raise context.fail_here("RUN requires at least one argument")
    return ins.Run(
        command=command,
        heredocs=context.statement.heredocs,
        network=_one_of(context, "network", _NETWORKS),
        security=_one_of(context, "security", _SECURITIES),
        mounts=context.mounts,
        devices=context.devices,
        **_common(context),
    )


def _one_of(context: Context, flag: str, known: Sequence[str]) -> str | None:
    text = context.flags.get(flag)
    if text is None:
        return None
    if text.value not in known:
        raise context.fail(text, f"invalid {flag} mode {text.value!r}: it is one of {', '.join(known)}")
    return text.value


def _copy(context: Context) -> ins.Instruction:
    words = context.list_or_words()
    if not words:
        raise context.fail_here(f"{context.keyword} requires at least two arguments")
    if len(words) < 2:
        raise context.fail_here(
            f"{context.keyword} requires at least two arguments, but only one was provided. "
            "Destination could not be determined."
        )
    for word in words[:-1]:
        _check_source(context, word)
    if heredoc_token(words[-1].value) is not None:
        raise context.fail(words[-1], f"{context.keyword} cannot have a here-document for its destination")
    source_stage = context.flags.get("from")
    if source_stage is not None and "$" in source_stage.value:
        raise context.fail(
            source_stage,
            "variable expansion is not supported for --from: name a stage that is FROM the variable instead",
        )
    return ins.Copy(
        sources=words[:-1],
        destination=words[-1],
        heredocs=context.statement.heredocs,
        source_stage=source_stage,
        chown=context.flags.get("chown"),
        chmod=context.flags.get("chmod"),
        is_add=context.keyword == "ADD",
        unpack=context.truth("unpack"),
        link=bool(context.truth("link")),
        parents=bool(context.truth("parents")),
        excludes=context.excludes,
        checksum=context.flags.get("checksum"),
        keep_git_dir=bool(context.truth("keep-git-dir")),
        **_common(context),
    )


def _check_source(context: Context, word: Text) -> None:
    if context.keyword == "COPY" and REMOTE.match(word.value):
        raise context.fail(word, "source can't be a URL for COPY")
    name = heredoc_token(word.value)
    if name is not None and context.flags.get("from"):
        raise context.fail(word, "a here-document can't be combined with --from")
    if name is not None and "/" in name:
        raise context.fail(word, "a here-document is named as its file will be, which can't have a / in its name")


def _env(context: Context) -> ins.Instruction:
    return ins.Env(items=context.pairs(), **_common(context))


def _label(context: Context) -> ins.Instruction:
    return ins.Label(items=context.pairs(), **_common(context))


def _workdir(context: Context) -> ins.Instruction:
    return ins.Workdir(path=context.single(), **_common(context))


def _user(context: Context) -> ins.Instruction:
    return ins.User(user=context.single(), **_common(context))


def _expose(context: Context) -> ins.Instruction:
    ports = context.words()
    if not ports:
        raise context.fail_here("EXPOSE requires at least one argument")
    return ins.Expose(ports=ports, **_common(context))


def _volume(context: Context) -> ins.Instruction:
    paths = context.list_or_words()
    if not paths:
        raise context.fail_here("VOLUME requires at least one argument")
    for path in paths:
        if not path.value.strip():
            raise context.fail(path, "VOLUME specified can not be an empty string")
    return ins.Volume(paths=paths, **_common(context))


def _cmd(context: Context) -> ins.Instruction:
    return ins.Cmd(command=context.command(), **_common(context))


def _entrypoint(context: Context) -> ins.Instruction:
    return ins.Entrypoint(command=context.command(), **_common(context))


def _shell(context: Context) -> ins.Instruction:
    if not context.body.value:
        raise context.fail_here("SHELL requires at least one argument")
    command = context.command()
    if command.shell:
        raise context.fail(context.body, "SHELL requires the arguments to be in JSON form")
    if not command.arguments:
        raise context.fail_here("SHELL requires at least one argument")
    return ins.Shell(arguments=command.arguments, **_common(context))


def _stopsignal(context: Context) -> ins.Instruction:
    return ins.StopSignal(signal=context.single(), **_common(context))


def _maintainer(context: Context) -> ins.Instruction:
    return ins.Maintainer(author=context.single().value, **_common(context))


def _healthcheck(context: Context) -> ins.Instruction:
    words = context.words()
    kind = words[0].value.upper() if words else ""
    if kind == "NONE":
        if len(words) > 1:
            raise context.fail(words[1], "HEALTHCHECK NONE takes no arguments")
        return ins.HealthCheck(test=["NONE"], **_common(context))
    if kind != "CMD":
        problem = f"unknown type {words[0].value!r} in HEALTHCHECK (try CMD)" if words else "HEALTHCHECK requires CMD"
        raise context.fail(words[0], problem) if words else context.fail_here(problem)
    context.body = context.body.slice(len(words[0])).strip()
    command = context.command() if context.body.value else None
    if command is None or not command.arguments:
        raise context.fail_here("missing command after HEALTHCHECK CMD")
    return ins.HealthCheck(
        test=["CMD-SHELL" if command.shell else "CMD", *command.arguments],
        interval_ns=_duration(context, "interval"),
        timeout_ns=_duration(context, "timeout"),
        start_period_ns=_duration(context, "start-period"),
        start_interval_ns=_duration(context, "start-interval"),
        retries=_retries(context),
        **_common(context),
    )


def _duration(context: Context, flag: str) -> int:
    """Nanoseconds of Go's duration syntax (`1m30s`)."""
    text = context.flags.get(flag)
    if text is None or text.value == "0":
        return 0
    if not re.fullmatch(rf"(?:{_DURATION_PART.pattern})+", text.value):
        raise context.fail(text, f"--{flag}: invalid duration {text.value!r}")
    total = sum(float(number) * _UNITS_NS[unit] for number, unit in _DURATION_PART.findall(text.value))
    if 0 < total < _MINIMUM_NS:
        raise context.fail(text, f"interval {text.value!r} cannot be less than 1ms")
    if total >= 1 << 63:
        raise context.fail(text, f"--{flag}: invalid duration {text.value!r}: it is too long")
    return int(total)


def _retries(context: Context) -> int:
    text = context.flags.get("retries")
    if text is None:
        return 0
    if not (text.value.isascii() and text.value.isdecimal() and len(text.value) < 10):
        raise context.fail(text, f"--retries must be a number that is not negative, not {text.value!r}")
    return int(text.value)


def _onbuild(context: Context) -> ins.Instruction:
    if not context.body.value:
        raise context.fail_here("ONBUILD requires at least one argument")
    parse_trigger(context.trigger())
    heredocs = "".join(f"\n{doc.content}{doc.name}" for doc in context.statement.heredocs)
    return ins.OnBuild(trigger=context.body.value + heredocs, **_common(context))


def parse_instruction(context: Context) -> ins.Instruction:
    """The instruction under its keyword. Raises DockerfileError for an unknown one too."""
    grammar = INSTRUCTIONS.get(context.keyword)
    if grammar is None:
        hint = suggestion(context.keyword, INSTRUCTIONS)
        raise context.fail_here(f"unknown instruction: {context.statement.keyword}{hint}")
    return grammar(context)


def parse_trigger(context: Context) -> ins.Instruction:
    """An instruction as ONBUILD may carry it."""
    if context.keyword == "ONBUILD":
        raise context.fail_here("chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if context.keyword in _NOT_AS_TRIGGER:
        raise context.fail_here(f"{context.keyword} isn't allowed as an ONBUILD trigger")
    return parse_instruction(context)


INSTRUCTIONS: dict[str, Callable[[Context], ins.Instruction]] = {
    "ADD": _copy,
    "ARG": _arg,
    "CMD": _cmd,
    "COPY": _copy,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "FROM": _from,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "MAINTAINER": _maintainer,
    "ONBUILD": _onbuild,
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": _stopsignal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
