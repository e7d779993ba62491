"""Print what this container may use, as a table."""

from __future__ import annotations

import os
import platform

from tabulate import tabulate


def facts() -> list[tuple[str, object]]:
    return [
        ("python", platform.python_version()),
        ("processors", len(os.sched_getaffinity(0))),
        ("user", os.getuid()),
        ("process", os.getpid()),
    ]


if __name__ == "__main__":
    print(tabulate(facts(), headers=("fact", "value"), tablefmt="github"))
