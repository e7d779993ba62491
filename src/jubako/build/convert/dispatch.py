"""What each instruction does to its stage: one function for one type.

ENV, LABEL and the rest see the variables as they were before the instruction: `ENV a=1 b=$a` gives b the old a. ARG
alone sees what stands before it on its own line, as in BuildKit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from signal import Signals
from typing import Any

from jubako.build.convert import history
from jubako.build.convert.copying import convert_copy
from jubako.build.convert.running import convert_run
from jubako.build.convert.scope import Scope
from jubako.build.dockerfile import instructions as ins
from jubako.build.dockerfile.instructions import Instruction, KeyValue
from jubako.build.graph.directory import MakeDirectory
from jubako.spec.oci_image import Healthcheck

# What stands before the last colon is the host's, which an image has no say in: read and dropped, as BuildKit does.
_PORT = re.compile(r"(?:[\w.:\[\]-]*:)?(\d{1,5})(?:-(\d{1,5}))?(?:/(\w*))?")
_PROTOCOLS = ("tcp", "udp", "sctp")
_SIGNALS_END = 65
_REAL_TIME_SIGNAL = re.compile(r"SIG(?:RTMIN\+|RTMAX-)(\d{1,2})")


def dispatch(scope: Scope, instruction: Instruction) -> None:
    """Apply `instruction` to the stage of `scope`. Raises DockerfileError."""
    _HANDLERS[type(instruction)](scope, instruction)


def _arg(scope: Scope, instruction: ins.Arg) -> None:
    said: list[tuple[str, str | None]] = []
    for item in instruction.items:
        name = scope.expand(item.key)
        value = scope.arguments.given(name)
        if value is None and item.value is not None:
            value = scope.expand(item.value)
        if value is None:
            value = scope.arguments.inherited(name)
        said.append((name, value))
        scope.stage.declare(name, value)
    scope.stage.record(history.pairs("ARG", said))


def _env(scope: Scope, instruction: ins.Env) -> None:
    pairs = _expanded(scope, instruction.items)
    scope.stage.env.update(pairs)
    scope.stage.variables.update(pairs)
    scope.stage.record(history.pairs("ENV", pairs))


def _label(scope: Scope, instruction: ins.Label) -> None:
    pairs = _expanded(scope, instruction.items)
    scope.stage.labels.update(pairs)
    scope.stage.record(history.pairs("LABEL", pairs))


def _expanded(scope: Scope, items: list[KeyValue]) -> list[tuple[str, str]]:
    return [(scope.expand(item.key), scope.expand(item.value) if item.value is not None else "") for item in items]


def _workdir(scope: Scope, instruction: ins.Workdir) -> None:
    """One that is empty after its variables were expanded stays where it is."""
    stage = scope.stage
    stage.workdir = stage.absolute(scope.expand(instruction.path))
    vertex = None
    if stage.workdir != "/":
        operation = MakeDirectory(scope.step_name(instruction), scope.bench, stage.workdir, stage.user)
        vertex = scope.add_step(instruction, operation)
    stage.record(f"WORKDIR {stage.workdir}", vertex)


def _user(scope: Scope, instruction: ins.User) -> None:
    scope.stage.user = scope.expand(instruction.user)
    scope.stage.record(f"USER {scope.stage.user}")


def _expose(scope: Scope, instruction: ins.Expose) -> None:
    ports: list[str] = []
    for word in instruction.ports:
        for text in scope.expand_words(word):
            match = _PORT.fullmatch(text)
            first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
            protocol = (match[3] or "tcp").lower() if match else "tcp"
            if protocol not in _PROTOCOLS:
                raise scope.fail(word, f"invalid proto: {protocol}")
            if not first <= last <= 65535:
                raise scope.fail(word, f"invalid containerPort: {text}")
            ports += [f"{port}/{protocol}" for port in range(first, last + 1)]
    scope.stage.exposed.update((port, {}) for port in sorted(ports))
    scope.stage.record(history.ports(ports))


def _volume(scope: Scope, instruction: ins.Volume) -> None:
    paths = [scope.expand(path) for path in instruction.paths]
    for word, path in zip(instruction.paths, paths, strict=True):
        if not path:
            raise scope.fail(word, "VOLUME specified can not be an empty string")
    scope.stage.volumes.update((path, {}) for path in paths)
    scope.stage.record(history.plain_list("VOLUME", paths))


def _arguments(scope: Scope, command: ins.Command) -> list[str]:
    return [*scope.stage.effective_shell(), *command.arguments] if command.shell else list(command.arguments)


def _cmd(scope: Scope, instruction: ins.Cmd) -> None:
    scope.stage.cmd = _arguments(scope, instruction.command)
    scope.stage.cmd_is_own = True
    scope.stage.record(history.quoted_list("CMD", scope.stage.cmd))


def _entrypoint(scope: Scope, instruction: ins.Entrypoint) -> None:
    scope.stage.entrypoint = _arguments(scope, instruction.command)
    if not scope.stage.cmd_is_own:
        # The base image's CMD was meant for the base image's ENTRYPOINT.
        scope.stage.cmd = None
    scope.stage.record(history.quoted_list("ENTRYPOINT", scope.stage.entrypoint))


def _shell(scope: Scope, instruction: ins.Shell) -> None:
    scope.stage.shell = list(instruction.arguments)
    scope.stage.record(history.plain_list("SHELL", instruction.arguments))


def _stop_signal(scope: Scope, instruction: ins.StopSignal) -> None:
    signal = scope.expand(instruction.signal)
    if not _is_signal(signal):
        raise scope.fail(instruction.signal, f"invalid signal: {signal}")
    scope.stage.stop_signal = signal
    scope.stage.record(f"STOPSIGNAL {signal}")


def _is_signal(text: str) -> bool:
    """A number, or a name with or without SIG in front."""
    if text.isascii() and text.isdecimal():
        return 0 < int(text[:9]) < _SIGNALS_END
    name = "SIG" + text.upper().removeprefix("SIG")
    real_time = _REAL_TIME_SIGNAL.fullmatch(name)
    return name in Signals.__members__ or bool(real_time and int(real_time[1]) <= Signals.SIGRTMAX - Signals.SIGRTMIN)


def _healthcheck(scope: Scope, instruction: ins.HealthCheck) -> None:
    check = Healthcheck(
        test=instruction.test,
        interval=instruction.interval_ns,
        timeout=instruction.timeout_ns,
        start_period=instruction.start_period_ns,
        start_interval=instruction.start_interval_ns,
        retries=instruction.retries,
    )
    scope.stage.healthcheck = check
    scope.stage.record(history.healthcheck(check))


def _maintainer(scope: Scope, instruction: ins.Maintainer) -> None:
    scope.stage.author = instruction.author
    scope.stage.record(f"MAINTAINER {instruction.author}")


def _onbuild(scope: Scope, instruction: ins.OnBuild) -> None:
    scope.stage.triggers.append(instruction.trigger)


_HANDLERS: dict[type[Instruction], Callable[[Scope, Any], None]] = {
    ins.Arg: _arg,
    ins.Cmd: _cmd,
    ins.Copy: convert_copy,
    ins.Entrypoint: _entrypoint,
    ins.Env: _env,
    ins.Expose: _expose,
    ins.HealthCheck: _healthcheck,
    ins.Label: _label,
    ins.Maintainer: _maintainer,
    ins.OnBuild: _onbuild,
    ins.Run: convert_run,
    ins.Shell: _shell,
    ins.StopSignal: _stop_signal,
    ins.User: _user,
    ins.Volume: _volume,
    ins.Workdir: _workdir,
}
