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


def copy(spec: CopySpec, destination: str) -> str:
    """`destination` is as it was written, perhaps relative."""
    flags = [f"--{name}={value}" for name, value in (("chown", spec.chown), ("chmod", spec.chmod)) if value]
    sources = [*spec.remote, *spec.sources, *(f"<<{file.name}" for file in spec.inline)]
    return " ".join([spec.keyword, *flags, *sources, destination, "# buildkit"])


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
    """As Go prints a duration: 1m30s."""
    if nanoseconds % 10**9:
        return f"{nanoseconds / 10**6:g}ms"
    minutes, seconds = divmod(nanoseconds // 10**9, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
