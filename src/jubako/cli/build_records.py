"""How a build's record shows: a row of `builder history ls`, and the document of `inspect`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jubako.cli import humanize
from jubako.cli.formatting import Row

if TYPE_CHECKING:
    from jubako.build.history import BuildRecord

HEADERS = {
    "Ref": "BUILD ID",
    "Name": "NAME",
    "Status": "STATUS",
    "CreatedAt": "CREATED AT",
    "Duration": "DURATION",
}
TABLE = "{{.Ref}}\t{{.Name}}\t{{.Status}}\t{{.CreatedAt}}\t{{.Duration}}"


def row(ref: str, record: BuildRecord) -> Row:
    return Row(
        {
            "Ref": ref,
            "Name": record.name,
            "Status": record.status,
            "CreatedAt": f"{humanize.duration(time.time() - record.started_ns / 1e9)} ago",
            "Duration": duration(record),
        }
    )


def duration(record: BuildRecord) -> str:
    """How long it took, or has taken until now; unknown of one that was killed."""
    if not record.completed_ns and record.status != "Running":
        return "-"
    seconds = ((record.completed_ns or time.time_ns()) - record.started_ns) / 1e9
    return f"{int(seconds // 60)}m {int(seconds % 60)}s" if seconds >= 60 else f"{seconds:.1f}s"


def document(ref: str, record: BuildRecord) -> dict[str, object]:
    """What `inspect --format json` gives; the names are buildx's."""
    return {
        "Name": record.name,
        "Ref": ref,
        "Context": record.context,
        "Dockerfile": record.dockerfile,
        "Target": record.target,
        "Platform": record.platforms,
        "Names": record.names,
        "Status": record.status.lower(),
        "Error": record.error,
        "StartedAt": _moment(record.started_ns),
        "CompletedAt": _moment(record.completed_ns) if record.completed_ns else None,
        "Duration": record.completed_ns - record.started_ns if record.completed_ns else 0,
        "NumCompletedSteps": record.steps,
        "NumTotalSteps": record.steps,
        "NumCachedSteps": record.cached,
        "Image": record.image,
    }


def text(ref: str, record: BuildRecord) -> str:
    """The page that `inspect` shows."""
    cached = f" ({100 * record.cached // record.steps}% cached)" if record.steps else ""
    rows = {
        "Name": record.name,
        "Ref": ref,
        "Context": record.context,
        "Dockerfile": record.dockerfile,
        "Target": record.target,
        "Platforms": ", ".join(record.platforms),
        "Images": ", ".join(record.names),
        "Started": _moment(record.started_ns),
        "Duration": duration(record),
        "Status": record.status,
        "Build Steps": f"{record.steps}{cached}",
        "Image ID": record.image,
        "Error": record.error,
    }
    return "".join(f"{name + ':':<14}{value}\n" for name, value in rows.items() if value)


def _moment(time_ns: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_ns / 1e9))
