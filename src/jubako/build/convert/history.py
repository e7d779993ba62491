"""The `created_by` texts of an image's history, in the form that BuildKit gave them and tools have learned to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jubako.build.graph.copy import CopySpec
from jubako.spec.oci_image import Healthcheck

COMMENT = "buildkit.dockerfile.v0"
"""Tools tell by this comment how to read `created_by`; it names the form, not who wrote it."""


def run(arguments: list[str], build_args: Mapping[str, str | None]) -> str:
    given = [f"{name}={value or ''}" for name, value in build_args.items()]
    counted = [f"|{len(given)}", *given] if given else []
    return " ".join(["RUN", *counted, *arguments, "# buildkit"])


def copy(spec: CopySpec, sources: Iterable[str], destination: str) -> str:
    """`sources` are in the order in which they were written, `destination` is perhaps relative."""
    flags = [f"--{name}={value}" for name, value in (("chown", spec.chown), ("chmod", spec.chmod)) if value]
    inline = [f"<<{file.name}" for file in spec.inline]
    return " ".join([spec.keyword, *flags, *sources, *inline, destination, "# buildkit"])


def pairs(keyword: str, items: Iterable[tuple[str, str | None]]) -> str:
    return " ".join([keyword, *(key if value is None else f"{key}={value}" for key, value in items)])


def plain_list(keyword: str, items: Iterable[str]) -> str:
    return f"{keyword} [{' '.join(items)}]"


def quoted_list(keyword: str, items: Iterable[str]) -> str:
    return f"{keyword} [{' '.join(map(_quoted, items))}]"


def ports(items: Iterable[str]) -> str:
    """As Go prints a map."""
    return f"EXPOSE map[{' '.join(f'{port}:{{}}' for port in sorted(items))}]"


def healthcheck(check: Healthcheck) -> str:
    times = [check.interval, check.timeout, check.start_period, check.start_interval]
    test = " ".join(map(_quoted, check.test or []))
    return f"HEALTHCHECK &{{[{test}] {' '.join(_quoted(_duration(t)) for t in times)} '\\x{check.retries:02x}'}}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _duration(nanoseconds: int) -> str:
    """As Go prints a duration: 1m30s, 1.5s, 100ms."""
    if nanoseconds < 10**9:
        return f"{_decimal(nanoseconds, 10**6)}ms" if nanoseconds else "0s"
    minutes, rest = divmod(nanoseconds, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_decimal(rest, 10**9)}s"
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds


def _decimal(value: int, unit: int) -> str:
    """`value / unit` with as many digits as it has."""
    whole, rest = divmod(value, unit)
    return f"{whole}.{rest:0{len(str(unit)) - 1}d}".rstrip("0").rstrip(".")
