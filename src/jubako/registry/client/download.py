"""A blob from a registry into the store: shared, resumed where it broke off, hashed, and linked when it is right.

Sharing:  processes and threads that want one blob at the same time download it once (store.partial). Who waits for
          another gives up when that one stands still for very long: it may have been stopped.
Ranges:   a large blob from another machine comes in several ranges at once, where the registry has ranges.
Mirrors:  what one source does not have, or breaks off, the next one goes on with.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Event

from jubako.errors import DataLoss, JubakoError, NotFound, Unavailable
from jubako.registry.client import parallel
from jubako.registry.client.repository import Repository
from jubako.registry.client.stream import Cancelled, NoRanges, Transfer
from jubako.spec.oci_image import Descriptor
from jubako.store import Partial, Store

_POLL_S = 0.05

Report = Callable[[int], None]


def fetch(sources: Sequence[Repository], store: Store, blob: Descriptor, *, cancel: Event, report: Report) -> None:
    """Download `blob` unless it is here. Raises DataLoss, Unavailable, Cancelled, what the last source's refusal means.

    `report` is told how many bytes there are, now and then, also while another process downloads them.
    """

    limit_s, seen, since = sources[0].session.options.standstill_s, -1, 0.0

    def waiting(done: int) -> None:
        nonlocal seen, since
        report(min(done, blob.size))
        if done != seen:
            seen, since = done, time.monotonic()
        elif time.monotonic() - since > limit_s:
            who = f"see who with `fuser {store.partials.path(blob.digest)}`"
            raise Unavailable(f"the process that downloads {blob.digest} stands still", hint=who)
        if cancel.wait(_POLL_S):
            raise Cancelled

    if is_here(store, blob):
        return
    with store.partials.claim(blob.digest, blob.size, waiting) as part:
        if is_here(store, blob):
            return
        part.catch_up()
        _from_any(sources, blob, part, cancel, report)
        part.commit(store.blobs.path(blob.digest))


def is_here(store: Store, blob: Descriptor) -> bool:
    try:
        return store.blobs.stat(blob.digest).size == blob.size
    except NotFound:
        return False


def _from_any(sources: Sequence[Repository], blob: Descriptor, part: Partial, cancel: Event, report: Report) -> None:
    attempts, is_resumed = [*sources], part.have > 0
    while True:
        try:
            _from_one(attempts[0], blob, part, cancel, report)
            part.verify()
            return
        except JubakoError as error:
            is_wrong = isinstance(error, DataLoss)
            if is_wrong:
                part.restart()
            # A power cut may have left anything of what was here before: then it is no source's fault.
            if not (is_wrong and is_resumed):
                attempts.pop(0)
            is_resumed = is_resumed and not is_wrong
            if cancel.is_set() or not attempts:
                raise


def _from_one(source: Repository, blob: Descriptor, part: Partial, cancel: Event, report: Report) -> None:
    session, transfer = source.session, Transfer(source, blob, cancel)
    if session.ranges > 1 and blob.size - part.have >= session.options.ranges_from_bytes:
        with suppress(NoRanges):
            _in_ranges(transfer, part, session.ranges, report)
            return

    def put(offset: int, data: memoryview) -> None:
        # A registry that knows no ranges begins again at 0: what is here already is passed over.
        part.write(data[part.have - offset :])
        report(part.have)

    transfer.run(part.have, blob.size, put)


def _in_ranges(transfer: Transfer, part: Partial, count: int, report: Report) -> None:
    start, end = part.have, part.size
    length = -(-(end - start) // count)
    done = [0] * count

    def job(number: int, cancel: Event) -> None:
        first = start + number * length

        def put(offset: int, data: memoryview) -> None:
            if cancel.is_set():
                raise Cancelled
            part.write_at(offset, data)
            done[number] = offset + len(data) - first
            report(start + sum(done))

        transfer.run(first, min(first + length, end), put)

    jobs = [partial(job, number) for number in range(count) if start + number * length < end]
    try:
        parallel.run(jobs, count, abort=lambda: None)
    except JubakoError:
        part.catch_up()
        raise
    part.catch_up()
