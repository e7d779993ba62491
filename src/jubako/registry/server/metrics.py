"""Numbers about the requests of a registry, for Prometheus. All series exist from the start, so memory is flat.

Spec: Prometheus text exposition format 0.0.4.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import get_args

from jubako.registry.server.routes import Endpoint

ENDPOINTS: tuple[str, ...] = (*get_args(Endpoint), "unknown")
_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)
_POSITION = {endpoint: position for position, endpoint in enumerate(ENDPOINTS)}
# For each endpoint: one number for each class of status and bucket (the last is +Inf), then seconds, bytes in and out.
_BUCKETS_AT = len(_CLASSES)
_SECONDS_AT = _BUCKETS_AT + len(_BUCKETS_S) + 1
_RECEIVED_AT, _SENT_AT = _SECONDS_AT + 1, _SECONDS_AT + 2
_WIDTH = _SENT_AT + 1
STRIPE = _WIDTH * len(ENDPOINTS)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One process's view of the counters of all of them: `numbers` holds a stripe for each."""

    def __init__(self, numbers: memoryview[float], index: int, processes: int) -> None:
        self._numbers = numbers
        self._processes = processes
        self._base = index * STRIPE

    def observe(self, endpoint: str, status: int, seconds: float, *, received: int, sent: int) -> None:
        numbers, at = self._numbers, self._base + _POSITION[endpoint] * _WIDTH
        numbers[at + min(max(status // 100, 1), 5) - 1] += 1
        numbers[at + _BUCKETS_AT + bisect_left(_BUCKETS_S, seconds)] += 1
        numbers[at + _SECONDS_AT] += seconds
        numbers[at + _RECEIVED_AT] += received
        numbers[at + _SENT_AT] += sent

    def lines(self) -> Iterator[str]:
        """The counters of all processes; endpoints that nobody asked yet are left out."""
        totals = {endpoint: row for endpoint in ENDPOINTS if sum(row := self._row(endpoint))}
        yield from _described("jubako_registry_requests_total", "counter", "Requests that were answered.")
        for endpoint, row in totals.items():
            for name, value in zip(_CLASSES, row, strict=False):
                if value:
                    yield f'jubako_registry_requests_total{{endpoint="{endpoint}",status="{name}"}} {value:.0f}'
        yield from self._histogram(totals)
        for name, at, text in (
            ("received", _RECEIVED_AT, "Bytes of request bodies."),
            ("sent", _SENT_AT, "Bytes of response bodies."),
        ):
            yield from _described(f"jubako_registry_{name}_bytes_total", "counter", text)
            for endpoint, row in totals.items():
                yield f'jubako_registry_{name}_bytes_total{{endpoint="{endpoint}"}} {row[at]:.0f}'

    def _histogram(self, totals: dict[str, list[float]]) -> Iterator[str]:
        name = "jubako_registry_request_seconds"
        yield from _described(name, "histogram", "Time from a request's head to the end of its answer.")
        for endpoint, row in totals.items():
            count = 0.0
            for bound, value in zip((*_BUCKETS_S, "+Inf"), row[_BUCKETS_AT:], strict=False):
                count += value
                yield f'{name}_bucket{{endpoint="{endpoint}",le="{bound}"}} {count:.0f}'
            yield f'{name}_sum{{endpoint="{endpoint}"}} {row[_SECONDS_AT]:.6f}'
            yield f'{name}_count{{endpoint="{endpoint}"}} {count:.0f}'

    def _row(self, endpoint: str) -> list[float]:
        starts = [index * STRIPE + _POSITION[endpoint] * _WIDTH for index in range(self._processes)]
        return [sum(self._numbers[start + offset] for start in starts) for offset in range(_WIDTH)]


def gauges(values: Iterable[tuple[str, str, float]]) -> Iterator[str]:
    """Lines for values that are what they are now: name, help, value."""
    for name, text, value in values:
        yield from _described(name, "gauge", text)
        yield f"{name} {value:.0f}"


def _described(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
