"""Sets of completion indexes as a Job writes them: "0-2,5"."""

from __future__ import annotations

from collections.abc import Iterable

from jubako.cluster.objects import Object, annotated, number, text

INDEX = "batch.kubernetes.io/job-completion-index"


def is_indexed(job: Object) -> bool:
    return text(job, "spec", "completionMode") == "Indexed"


def index_of(pod: Object) -> int:
    """The completion index of a pod; -1 where it has none."""
    written = annotated(pod).get(INDEX, "")
    return int(written) if written.isdigit() else -1


def parse(written: str) -> set[int]:
    found: set[int] = set()
    for part in filter(None, written.split(",")):
        first, _, last = part.partition("-")
        if first.isdigit() and (last or first).isdigit():
            found |= set(range(int(first), int(last or first) + 1))
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
