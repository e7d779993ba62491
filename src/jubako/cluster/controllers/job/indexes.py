"""Sets of completion indexes as a Job writes them: "0-2,5"."""

from __future__ import annotations

from collections.abc import Iterable

from jubako.cluster.objects import Object, annotated, number, text, whole

MOST = 100_000
INDEX = "batch.kubernetes.io/job-completion-index"


def is_indexed(job: Object) -> bool:
    return text(job, "spec", "completionMode") == "Indexed"


def index_of(pod: Object) -> int:
    """The completion index of a pod; -1 where it has none."""
    found = whole(annotated(pod).get(INDEX, ""))
    return -1 if found is None else found


def parse(written: str) -> set[int]:
    """Return the indexes; what is no range, or beyond what a Job may have, is left out."""
    found: set[int] = set()
    for part in filter(None, written.split(",")):
        begin, _, end = part.partition("-")
        first, last = whole(begin), whole(end or begin)
        if first is not None and last is not None:
            found |= set(range(first, min(last, MOST) + 1))
    return found


def render(indexes: Iterable[int]) -> str:
    runs: list[list[int]] = []
    for each in sorted(indexes):
        if runs and each == runs[-1][1] + 1:
            runs[-1][1] = each
        else:
            runs.append([each, each])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)


def wanted(job: Object) -> range:
    return range(number(job, "spec", "completions"))
