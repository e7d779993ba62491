"""Columns aligned with spaces, as Docker's tables are (Go's tabwriter: at least 10 wide, 3 spaces between)."""

from __future__ import annotations

from collections.abc import Sequence

_MINIMUM = 10
_PADDING = 3


def align(lines: Sequence[str], *, minimum: int = _MINIMUM, padding: int = _PADDING) -> str:
    """Lay out lines whose cells end with a tab; what follows a line's last tab is not a cell and adds no width.

    A column is a block of consecutive lines that have the cell, as in tabwriter: a shorter line ends the block.
    """
    rows = [line.split("\t") for line in lines]
    widths: list[list[int]] = [[0] * (len(row) - 1) for row in rows]
    for column in range(max((len(row) - 1 for row in rows), default=0)):
        _widen(rows, widths, column, minimum, padding)
    return "".join(_line(row, width) + "\n" for row, width in zip(rows, widths, strict=True))


def _widen(rows: list[list[str]], widths: list[list[int]], column: int, minimum: int, padding: int) -> None:
    start = 0
    while start < len(rows):
        if len(rows[start]) - 1 <= column:
            start += 1
            continue
        end = start
        while end < len(rows) and len(rows[end]) - 1 > column:
            end += 1
        block = range(start, end)
        width = max(len(rows[index][column]) for index in block)
        width = max(width + padding, minimum)
        for index in block:
            widths[index][column] = width
        start = end


def _line(row: list[str], widths: list[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return "".join(cells) + row[-1]
