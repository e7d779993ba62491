"""RUN, with its here-documents."""

from __future__ import annotations

import msgspec

from jubako.build.convert import history
from jubako.build.convert.granted import check_allowed, convert_devices
from jubako.build.convert.mounting import convert_mounts
from jubako.build.convert.scope import Place, Scope
from jubako.build.dockerfile.instructions import Run
from jubako.build.dockerfile.lexer import Heredoc, heredoc_token
from jubako.build.emulation import can_run
from jubako.build.graph.execute import Execute, RunSpec
from jubako.image import platform as platforms

SCRIPT_PATH = "/dev/pipes/"
"""Where the script of a here-document with a `#!` line appears (BuildKit's place)."""


def convert_run(scope: Scope, instruction: Run) -> None:
    _check_platform(scope, instruction)
    devices = convert_devices(scope, instruction)
    check_allowed(scope, instruction)
    arguments, script = _command(scope, instruction)
    mounts, sources = convert_mounts(scope, instruction)
    given = _given(scope, instruction)
    spec = msgspec.structs.replace(given, arguments=arguments, script=script, mounts=mounts, devices=devices)
    hidden = {name: value for name, value in scope.arguments.proxies().items() if name not in spec.env}
    workshop, stage = scope.workshop, scope.stage
    operation = Execute(scope.step_name(instruction), scope.bench, workshop.container, spec, hidden, workshop.keep)
    shown = {name: stage.lookup(name) for name in stage.args}
    stage.record(history.run(arguments, shown), scope.add_step(instruction, operation, *sources))


def _given(scope: Scope, instruction: Run) -> RunSpec:
    """What does not depend on the command: the stage's state, and what every RUN of the build is given."""
    stage, conditions = scope.stage, scope.workshop.conditions
    network = instruction.network or "default"
    return RunSpec(
        arguments=[],
        env=dict(stage.variables),
        workdir=stage.workdir or "/",
        user=stage.user,
        network=conditions.network if network == "default" else network,
        security=instruction.security or "sandbox",
        hosts=list(conditions.hosts),
        ulimits=list(conditions.ulimits),
        shm_bytes=conditions.shm_bytes,
        hostname=scope.arguments.given("BUILDKIT_SANDBOX_HOSTNAME") or "",
    )


def _check_platform(scope: Scope, instruction: Run) -> None:
    if can_run(scope.stage.platform):
        return
    platform = platforms.text(scope.stage.platform)
    raise Place(scope.source, instruction).error(
        f"a RUN for {platform} can not run on this machine ({platforms.text(platforms.host())})",
        "register qemu-user with binfmt_misc (flag F), or cross-compile in a stage FROM --platform=$BUILDPLATFORM",
    )


def _command(scope: Scope, instruction: Run) -> tuple[list[str], str | None]:
    """The arguments, and the script that they name when there is one."""
    command, heredocs = instruction.command, instruction.heredocs
    if not command.shell:
        return list(command.arguments), None
    shell = scope.stage.effective_shell()
    text = command.arguments[0]
    if not heredocs:
        return [*shell, text], None
    if len(heredocs) > 1 or heredoc_token(text) is None:
        # The shell knows here-documents itself.
        return [*shell, text + "".join(f"\n{_raw(heredoc)}" for heredoc in heredocs)], None
    script = heredocs[0].text()
    if script.startswith("#!"):
        return [SCRIPT_PATH + heredocs[0].name], script
    return [*shell, script], None


def _raw(heredoc: Heredoc) -> str:
    return heredoc.content + heredoc.name
