"""jubako system check."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.options import FLAG, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    report = call.engine.system.check(repair=arguments.flag("repair"), quick=arguments.flag("quick"))
    lost: dict[str, None] = {}
    for finding in report.findings:
        done = f" ({finding.repair})" if finding.repair else ""
        call.line(f"{finding.kind} {finding.name}: {finding.problem}{done}")
        if not finding.repaired:
            lost.update(dict.fromkeys(finding.images))
    for name in lost:
        call.line(f"image {name} is affected: pull or load it again, or remove it")
    call.line(f"Checked {report.blobs} blobs and {report.layers} layers: {len(report.findings)} damaged or missing")
    return 0 if report.is_sound else 1


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("quick", "q", FLAG, "Only look whether everything is there, without reading it"),
        Option("repair", "r", FLAG, "Remove what is damaged, and fetch or unpack it again where that can be done"),
    ),
    details="Exits with 1 when something is damaged or missing and was not repaired.",
)
