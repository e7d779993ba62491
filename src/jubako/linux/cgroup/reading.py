"""Reading of what groups count: forms that both versions of cgroups share. What is not there counts as nothing."""

from __future__ import annotations

import os

from jubako.linux.cgroup.files import read_table, read_text
from jubako.spec.oci_events import MemoryUse, Pressure, PressureLine

NO_MEMORY = MemoryUse(limit=0, failcnt=0)


def text_of(path: str) -> str:
    """A control file, stripped; "" where there is none, or where the kernel has it and does not support it (PSI)."""
    try:
        return read_text(path).strip()
    except OSError:
        return ""


def table_of(path: str) -> dict[str, int]:
    try:
        return read_table(path)
    except OSError:
        return {}


def number_of(path: str, unlimited: int = 0) -> int:
    """A single number; `unlimited` for "max"."""
    text = text_of(path)
    if text == "max":
        return unlimited
    return int(text) if text.removeprefix("-").isdecimal() else 0


def pressure_of(path: str) -> Pressure | None:
    """PSI of one resource (kernel accounting/psi); None where it is switched off."""
    lines: dict[str, PressureLine] = {}
    for line in text_of(path).splitlines():
        kind, *words = line.split()
        values = dict(word.split("=", 1) for word in words)
        averages = {key: float(values[key]) for key in ("avg10", "avg60", "avg300")}
        lines[kind] = PressureLine(total=int(values["total"]), **averages)
    return Pressure(some=lines["some"], full=lines.get("full") or PressureLine()) if "some" in lines else None


def page_sizes(directory: str, suffix: str) -> list[str]:
    """Sizes that a group has files for, such as 2MB."""
    if not os.path.isdir(directory):
        return []
    names = [name.removeprefix("hugetlb.").removesuffix(suffix) for name in os.listdir(directory)
             if name.startswith("hugetlb.") and name.endswith(suffix)]  # fmt: skip
    return sorted(name for name in names if "." not in name)
