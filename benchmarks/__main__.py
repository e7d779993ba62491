"""python -m benchmarks [--rounds N] [--json FILE] [ROW …]; the beginning of rows' names (`cluster`) is all of them."""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from benchmarks import cluster, cluster_api, oci  # noqa: F401 - their rows
from benchmarks.peers import Bench, bench
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
    for name, found in result.get("numbers", {}).items():
        print(f"    {name:<12} {found['value']:10.2f} {found['unit']:<16} {_judged(found)}")
    sys.stdout.flush()


def _judged(found: dict[str, Any]) -> str:
    if "below" in found:
        return f"goal < {found['below']:g}   {'met' if found['value'] < found['below'] else 'MISSED'}"
    if "above" in found:
        return f"goal >= {found['above']:g}   {'met' if found['value'] >= found['above'] else 'MISSED'}"
    return ""


def _rows(text: str) -> list[str]:
    """Return the row of that name, or those whose names begin with it."""
    found = [text] if text in ROWS else [name for name in ROWS if name.startswith(f"{text}_")]
    if not found:
        raise argparse.ArgumentTypeError(f"no row '{text}': {', '.join(ROWS)}")
    return found


def _set_up(work: Path, rows: list[str]) -> AbstractContextManager[Bench]:
    """The cluster has no peers: where only its rows are asked for, none is started."""
    return bench(work, peers=not all(name.startswith("cluster_") for name in rows))


def main() -> int:
    """Measure the rows that were asked for (all by default)."""
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/latest.json"))
    parser.add_argument("rows", nargs="*", type=_rows, metavar="ROW", help=", ".join(ROWS))
    arguments = parser.parse_args()
    wanted = [name for names in arguments.rows for name in names] or list(ROWS)
    results: dict[str, Any] = {"kernel": platform.release(), "machine": platform.machine(), "rows": {}}
    with (
        tempfile.TemporaryDirectory(prefix="jubako-bench.", dir="/var/tmp") as work,
        _set_up(Path(work), wanted) as parties,
    ):
        for name in wanted:
            title, function = ROWS[name]
            result = function(parties, arguments.rounds)
            results["rows"][name] = {"title": title, **result}
            show(name, title, result)
    describe(arguments.json, results)
    print(f"\nwritten to {arguments.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
