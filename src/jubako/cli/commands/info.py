"""jubako info."""

from __future__ import annotations

from typing import Any

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.formatting import FORMAT_ONE, evaluate, parse
from jubako.cli.gotemplate import record
from jubako.cli.inspection import MAPS, POINTERS
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    info = call.engine.system.info()
    format = arguments.text("format")
    if format:
        template = parse("{{json .}}" if format == "json" else format)
        call.line(evaluate(template, record(info, MAPS, POINTERS)))
    else:
        call.out(_text(info))
    return 0


def _text(info: dict[str, Any]) -> str:
    security = [option.partition("name=")[2] for option in info["SecurityOptions"]]
    lines = [
        "Client:",
        f" Version:    {info['ServerVersion']}",
        "",
        "Server:",
        f" Containers: {info['Containers']}",
        f"  Running: {info['ContainersRunning']}",
        f"  Paused: {info['ContainersPaused']}",
        f"  Stopped: {info['ContainersStopped']}",
        f" Images: {info['Images']}",
        f" Server Version: {info['ServerVersion']}",
        f" Storage Driver: {info['Driver']}",
        f" Logging Driver: {info['LoggingDriver']}",
        f" Cgroup Driver: {info['CgroupDriver']}",
        f" Cgroup Version: {info['CgroupVersion']}",
        f" Default Runtime: {info['DefaultRuntime']}",
        " Security Options:",
        *(f"  {option.partition(',')[0]}" for option in security),
        f" Kernel Version: {info['KernelVersion']}",
        f" Operating System: {info['OperatingSystem']}",
        f" OSType: {info['OSType']}",
        f" Architecture: {info['Architecture']}",
        f" CPUs: {info['NCPU']}",
        f" Total Memory: {humanize.binary_size(info['MemTotal'])}",
        f" Name: {info['Name']}",
        f" ID: {info['ID']}",
        # Scripts look for this line by Docker's name.
        f" Docker Root Dir: {info['DockerRootDir']}",
        f" Run Root: {info['RunRoot']}",
        f" Rootless: {'true' if info['Rootless'] else 'false'}",
    ]
    return "\n".join(lines) + "\n"


COMMAND = Command(run, "[OPTIONS]", NONE, (FORMAT_ONE,))
