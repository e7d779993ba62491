"""jubako version."""

from __future__ import annotations

import platform

from jubako import __version__
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.formatting import FORMAT_ONE, evaluate, parse
from jubako.cli.gotemplate import record
from jubako.cli.options import Arguments

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def run(call: Call, arguments: Arguments) -> int:
    # There is no daemon: client and server are the same program, and `.Server.Version` is asked for by scripts.
    side = {
        "Version": __version__,
        "Os": "linux",
        "Arch": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "PythonVersion": platform.python_version(),
        "KernelVersion": platform.release(),
    }
    format = arguments.text("format")
    if format:
        template = parse("{{json .}}" if format == "json" else format)
        call.line(evaluate(template, record({"Client": side, "Server": side})))
        return 0
    call.out(
        "Client and engine: Jubako\n"
        f" Version:           {side['Version']}\n"
        f" Python version:    {side['PythonVersion']}\n"
        f" Kernel version:    {side['KernelVersion']}\n"
        f" OS/Arch:           {side['Os']}/{side['Arch']}\n"
    )
    return 0


COMMAND = Command(run, "[OPTIONS]", NONE, (FORMAT_ONE,))
