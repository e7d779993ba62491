"""How a container shows in `ps`: its row of texts, made from the engine's document."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from jubako.cli import humanize, times
from jubako.cli.formatting import Row, label_list, label_of

HEADERS = {
    "ID": "CONTAINER ID",
    "Names": "NAMES",
    "Image": "IMAGE",
    "Command": "COMMAND",
    "CreatedAt": "CREATED AT",
    "RunningFor": "CREATED",
    "Ports": "PORTS",
    "State": "STATE",
    "Status": "STATUS",
    "Size": "SIZE",
    "Labels": "LABELS",
    "Mounts": "MOUNTS",
    "LocalVolumes": "LOCAL VOLUMES",
    "Networks": "NETWORKS",
}
TABLE = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"


class ContainerRow(Row):
    type_name = "*formatter.ContainerContext"


def row(document: Mapping[str, Any], *, truncate: bool = True, now: float | None = None) -> ContainerRow:
    """The row of one container as `GET /containers/json` describes it."""
    now = time.time() if now is None else now
    command = str(document["Command"])
    labels = document.get("Labels") or {}
    return ContainerRow(
        {
            "Command": json.dumps(ellipsis(command, 20) if truncate else command, ensure_ascii=False),
            "CreatedAt": times.shown(document["Created"]),
            "ID": short(document["Id"]) if truncate else document["Id"],
            "Image": _image(document, truncate=truncate),
            "Label": label_of(labels),
            "Labels": label_list(labels),
            "LocalVolumes": str(sum(not str(name).startswith("/") for name in _mounts(document))),
            "Mounts": ",".join(ellipsis(name, 15) if truncate else name for name in _mounts(document)),
            "Names": ",".join(name.removeprefix("/") for name in document["Names"]),
            "Networks": ",".join(sorted((document.get("NetworkSettings") or {}).get("Networks") or {})),
            "Ports": ports(document.get("Ports") or []),
            "RunningFor": humanize.duration(now - document["Created"]) + " ago",
            "Size": _size(document),
            "State": document["State"],
            "Status": status(document, now),
        }
    )


def short(identifier: str) -> str:
    """The twelve digits that identify a container or an image to people."""
    return identifier.removeprefix("sha256:")[:12]


def ellipsis(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _image(document: Mapping[str, Any], *, truncate: bool) -> str:
    name = str(document["Image"]) or "<no image>"
    if not truncate:
        return name
    if short(name) == short(str(document.get("ImageID", ""))):
        return short(name)
    return name.partition("@")[0]


def _mounts(document: Mapping[str, Any]) -> list[str]:
    return [
        str(item.get("Name") or item.get("Source", "")) if isinstance(item, dict) else str(item)
        for item in document.get("Mounts") or []
    ]


def _size(document: Mapping[str, Any]) -> str:
    size = humanize.size(document.get("SizeRw") or 0, 3)
    virtual = document.get("SizeRootFs") or 0
    return f"{size} (virtual {humanize.size(virtual, 3)})" if virtual else size


def status(document: Mapping[str, Any], now: float) -> str:
    """`Up 2 minutes`, `Exited (0) 4 seconds ago`, `Created` …"""
    match document["State"]:
        case "running" | "paused" as state:
            age = humanize.duration(now - _moment(document["StartedAt"]))
            return f"Up {age} (Paused)" if state == "paused" else f"Up {age}{_health(document)}"
        case "exited":
            if times.is_zero(document["FinishedAt"]):
                return "Created"
            age = humanize.duration(now - _moment(document["FinishedAt"]))
            return f"Exited ({document['ExitCode']}) {age} ago"
        case "removing":
            return "Removal In Progress"
        case state:
            return str(state).capitalize()


def _health(document: Mapping[str, Any]) -> str:
    health = document.get("Health")
    if not health or health == "none":
        return ""
    return " (health: starting)" if health == "starting" else f" ({health})"


def _moment(text: str) -> float:
    return times.parse_rfc3339(text) / 1e9


def ports(published: Sequence[Mapping[str, Any]]) -> str:
    """`0.0.0.0:8080->80/tcp, 9000-9001/udp`: neighbours that map to the same number are one range."""
    groups: dict[str, list[int]] = {}
    shown: list[str] = []
    mapped: list[str] = []
    for port in sorted(published, key=_port_order):
        private, host, kind = int(port["PrivatePort"]), str(port.get("IP") or ""), str(port["Type"])
        if host and port.get("PublicPort") != private:
            mapped.append(f"{_address(host)}:{port.get('PublicPort')}->{private}/{kind}")
            continue
        key = f"{host}/{kind}" if host else kind
        group = groups.setdefault(key, [private, private - 1])
        if private != group[1] + 1:
            shown.append(_group(key, group))
            groups[key] = [private, private]
        group[1] = private
    return ", ".join([*shown, *(_group(key, group) for key, group in groups.items()), *mapped])


def _port_order(port: Mapping[str, Any]) -> tuple[int, str, int, str]:
    return int(port["PrivatePort"]), str(port.get("IP") or ""), int(port.get("PublicPort") or 0), str(port["Type"])


def _address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _group(key: str, group: Sequence[int]) -> str:
    host, _, kind = key.rpartition("/")
    text = str(group[0]) if group[0] == group[1] else f"{group[0]}-{group[1]}"
    return f"{host}:{text}->{text}/{kind}" if host else f"{text}/{kind}"
