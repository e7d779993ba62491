"""The command `greet NAME …`."""

from __future__ import annotations

import sys


def greeting(names: list[str]) -> str:
    return f"Hello, {' and '.join(names) or 'world'}!"


def main() -> None:
    print(greeting(sys.argv[1:]))
