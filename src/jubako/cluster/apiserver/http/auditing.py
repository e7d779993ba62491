"""Auditing as the HTTP server calls it: a record for each request, which becomes events.

Concurrency:  within the event loop; the log is another thread's.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from jubako.cluster.apiserver.audit import policy
from jubako.cluster.apiserver.audit.log import AuditLog
from jubako.cluster.apiserver.audit.record import Record, encode
from jubako.cluster.types.document import Object

_HEADER = "Audit-ID"
_LONGEST_ID = 64
_FORBIDDEN, _REDIRECTS = 403, 300
RECORD = web.RequestKey("record", Record)


class Auditor:
    """`log` is None where nothing is audited; requests have an Audit-ID all the same."""

    def __init__(self, clock: Callable[[], datetime], auditing: policy.Auditing, log: AuditLog | None) -> None:
        self._clock, self._auditing, self._log = clock, auditing, log

    def begin(self, request: web.Request) -> Record:
        """Return the record of a request, which `request[RECORD]` is too."""
        record = Record(
            _id(request.headers.get(_HEADER, "")),
            request.raw_path,
            request.method,
            request.remote or "",
            request.headers.get("User-Agent", ""),
            self._clock(),
        )
        request[RECORD] = record
        return record

    async def prepared(self, request: web.Request, response: web.StreamResponse) -> None:
        """Name the request to the client; what goes on for long is audited when it starts too."""
        record = request.get(RECORD)
        if record is None:
            return
        response.headers[_HEADER] = record.audit_id
        if record.asked is not None and response.status < _REDIRECTS and _is_long(record):
            self._keep(record, "ResponseStarted", response.status, None)

    def end(self, record: Record, code: int, failure: Object | None) -> None:
        """Audit what has been answered; `code` is 0 where nothing was."""
        if code == _FORBIDDEN:
            record.forbid()
        self._keep(record, "ResponseComplete", code, failure)

    def _keep(self, record: Record, stage: str, code: int, failure: Object | None) -> None:
        # Who asks, not as whom: otherwise one would not be audited by impersonating a part of the system.
        user = record.user
        if self._log is not None and policy.is_kept(self._auditing, user, record.asked, code):
            self._log.write(encode(record.event(stage, self._clock(), code, failure)))


def _is_long(record: Record) -> bool:
    asked = record.asked
    return asked is not None and (asked.verb == "watch" or policy.connects(asked))


def _id(given: str) -> str:
    """Return the client's name for its request, where it has a sane one, or a new one."""
    if 0 < len(given) <= _LONGEST_ID and given.isascii() and given.isprintable():
        return given
    return str(uuid.uuid4())
