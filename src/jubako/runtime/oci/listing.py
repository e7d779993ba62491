"""`list`: the containers of a root, as a table, as JSON or as ids alone."""

from __future__ import annotations

import os

import msgspec

from jubako.errors import InvalidArgument, JubakoError
from jubako.runtime.oci.arguments import Arguments
from jubako.runtime.oci.containers import Container, Containers
from jubako.runtime.oci.log import Log

_HEAD = ("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER")
_WIDTH_MIN = 9


def text(containers: Containers, arguments: Arguments, log: Log) -> str:
    """What `list` prints. A container whose record can not be read is told of, and does not hide the others."""
    found = _readable(containers, log)
    if arguments.given("quiet"):
        return "".join(f"{container.record.id}\n" for container in found)
    match arguments.option("format", "table"):
        case "table":
            return _table([_row(container) for container in found])
        case "json":
            return msgspec.json.encode([document(container) for container in found] or None).decode() + "\n"
        case _:
            raise InvalidArgument("invalid format option")


def _readable(containers: Containers, log: Log) -> list[Container]:
    found = []
    for name in containers.names():
        try:
            found.append(containers.load(name))
        except JubakoError as error:
            log.warning(f"load container {name}: {error.message}")
    return found


def document(container: Container) -> dict[str, object]:
    """The state, with what runc shows besides."""
    root = container.spec().root if os.path.exists(container.config_path) else None
    state = container.document()
    inner = {key: state.pop(key) for key in ("created", "annotations")}  # runc's order, which scripts look for
    return {**state, "rootfs": root.path if root else "", **inner, "owner": _owner(container.directory)}


def _row(container: Container) -> tuple[str, ...]:
    state = container.document()
    cells = (state["id"], state["pid"], state["status"], state["bundle"], state["created"])
    return (*(str(cell) for cell in cells), _owner(container.directory))


def _owner(path: str) -> str:
    import pwd

    uid = os.stat(path).st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def _table(rows: list[tuple[str, ...]]) -> str:
    rows = [_HEAD, *rows]
    widths = [max(_WIDTH_MIN, *(len(row[column]) for row in rows)) for column in range(len(_HEAD))]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)
