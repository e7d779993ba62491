"""What a container's monitor writes of a probe (executor/probe.c), as it stands in the file `health` and in records."""

from __future__ import annotations

import msgspec

STARTING, HEALTHY, UNHEALTHY = "starting", "healthy", "unhealthy"


class Result(msgspec.Struct, frozen=True):
    """`code` is -1 where it could not be performed, or was `late` and killed; `output` is in hexadecimal digits."""

    start_ns: int
    end_ns: int
    code: int
    late: bool
    output: str

    @property
    def text(self) -> str:
        return bytes.fromhex(self.output).decode(errors="replace")


class Health(msgspec.Struct, frozen=True):
    """`count` results so far, the last of them in `log`, oldest first."""

    status: str = STARTING
    failing_streak: int = 0
    count: int = 0
    log: list[Result] = []
