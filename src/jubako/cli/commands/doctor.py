"""jubako doctor."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.options import Arguments
from jubako.cli.texttable import align


def run(call: Call, arguments: Arguments) -> int:
    from jubako.engine import doctor, paths

    # Not through the engine: what is wrong here may keep it from opening.
    findings = doctor.examine(paths.resolve(call.root, call.run_root)[0])
    lines = [
        f"{finding.level}\t{finding.subject}\t{finding.detail}" + (f" ({finding.remedy})" if finding.remedy else "")
        for finding in findings
    ]
    call.out(align(lines))
    return 1 if any(finding.level == "error" for finding in findings) else 0


COMMAND = Command(
    run,
    "",
    NONE,
    details="Each line is ok, warning (something optional is missing) or error (containers will not run).",
)
