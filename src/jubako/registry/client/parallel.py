"""Several transfers at once, of which the first failure ends all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event

Job = Callable[[Event], None]


def run(jobs: Iterable[Job], workers: int, *, abort: Callable[[], None]) -> None:
    """Do all jobs in threads and raise the first failure, when every thread has ended.

    Jobs look at the event they get, and end early once it is set; `abort` wakes those that wait for a peer.
    """
    cancel = Event()
    with ThreadPoolExecutor(max(1, workers), "transfer") as pool:
        futures = [pool.submit(job, cancel) for job in jobs]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            cancel.set()
            for future in futures:
                future.cancel()
            abort()
            raise
