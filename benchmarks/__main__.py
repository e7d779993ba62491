"""python -m benchmarks [--rounds N] [--json FILE] [ROW …]"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import oci  # noqa: F401 - its rows
from benchmarks.peers import bench
from benchmarks.rows import ROWS, describe


def show(name: str, title: str, result: dict[str, Any]) -> None:
    """Print one row for a person."""
    print(f"\n{name}: {title}")
    for contender, value in result.get("median_ms", {}).items():
        print(f"    {contender:<10} {value:10.1f} ms")
    for peer, ratio in result.get("ratios", {}).items():
        met = "" if ratio["goal"] is None else ("met" if ratio["ratio"] <= ratio["goal"] else "MISSED")
        goal = "" if ratio["goal"] is None else f"goal {ratio['goal']:.2f}"
        print(f"    against {peer:<8} {ratio['ratio']:8.3f}x   {goal}  {met}")
    if "pss_kib" in result:
        print(f"    {result['pss_kib']} KiB, goal {result['goal_kib']} KiB")
    sys.stdout.flush()


def main() -> int:
    """Measure the rows that were asked for (all by default)."""
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/latest.json"))
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], metavar="ROW", help=", ".join(ROWS))
    arguments = parser.parse_args()
    results: dict[str, Any] = {"kernel": platform.release(), "machine": platform.machine(), "rows": {}}
    with tempfile.TemporaryDirectory(prefix="jubako-bench.", dir="/var/tmp") as work, bench(Path(work)) as parties:
        for name in arguments.rows or ROWS:
            title, function = ROWS[name]
            result = function(parties, arguments.rounds)
            results["rows"][name] = {"title": title, **result}
            show(name, title, result)
    describe(arguments.json, results)
    print(f"\nwritten to {arguments.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
