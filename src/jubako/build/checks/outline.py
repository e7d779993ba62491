"""What a build takes: the arguments, secrets, agents and caches of a target, and the targets that there are.

Spec: BuildKit subrequests/outline, subrequests/targets.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from jubako.build.checks.form import description
from jubako.build.checks.report import location
from jubako.build.checks.stages import Stages
from jubako.build.checks.variables import expand
from jubako.build.dockerfile import instructions as ins
from jubako.build.dockerfile.instructions import Dockerfile, Instruction, Stage


def outline_text(stages: Stages) -> str:
    """The tables of `--call=outline`."""
    head = [f"TARGET:      {stages.target.source.text.split()[-1] if stages.target.name else '(default)'}"]
    if about := _about(stages.dockerfile, stages.target):
        head.append(f"DESCRIPTION: {about}")
    tables = ["\n".join(head) + "\n"] if stages.target.name or about else []
    arguments = [(str(item["name"]), str(item["value"]), str(item["description"])) for item in _arguments(stages)]
    if arguments:
        tables.append(_table([("BUILD ARG", "VALUE", "DESCRIPTION"), *arguments]))
    for kind in ("secret", "ssh"):
        rows = [(str(item["name"]), "true" if item["required"] else "") for item in _mounts(stages, kind)]
        if rows:
            tables.append(_table([(kind.upper(), "REQUIRED"), *rows]))
    return "\n".join(tables)


def outline_data(stages: Stages) -> bytes:
    document: dict[str, object] = {
        "name": stages.target.name,
        "description": _about(stages.dockerfile, stages.target),
        "args": list(_arguments(stages)),
        "secrets": list(_mounts(stages, "secret")),
        "ssh": list(_mounts(stages, "ssh")),
        "cache": [{"ID": item["name"], "location": item["location"]} for item in _mounts(stages, "cache")],
    }
    return _json({name: value for name, value in document.items() if value}, stages.dockerfile)


def targets_text(stages: Stages) -> str:
    """The table of `--call=targets`."""
    last = stages.dockerfile.stages[-1]
    rows = [(_shown(stage, stage is last), _about(stages.dockerfile, stage)) for stage in _targets(stages)]
    return _table([("TARGET", "DESCRIPTION"), *rows], gap=1)


def targets_data(stages: Stages) -> bytes:
    last = stages.dockerfile.stages[-1]
    entries: list[dict[str, object]] = []
    for stage in _targets(stages):
        entry: dict[str, object] = {
            "name": stage.name,
            "default": stage is last,
            "description": _about(stages.dockerfile, stage),
            "base": stages.base_name(stage),
            "platform": stage.source.platform.value if stage.source.platform else "",
            "location": _place(stage.source),
        }
        entries.append({name: value for name, value in entry.items() if value})
    return _json({"targets": entries}, stages.dockerfile)


def _targets(stages: Stages) -> list[Stage]:
    """The stages that can be named, and the last one."""
    everything = stages.dockerfile.stages
    return [stage for stage in everything if stage.name or stage is everything[-1]]


def _shown(stage: Stage, default: bool) -> str:
    name = stage.name or ""
    return f"{name} (default)".strip() if default else name


def _about(dockerfile: Dockerfile, stage: Stage) -> str:
    return description(dockerfile.source, stage.source, stage.name) if stage.name else ""


def _arguments(stages: Stages) -> Iterator[dict[str, object]]:
    """The arguments that what is built for the target declares, each once."""
    seen: set[str] = set()
    for instruction in (*stages.dockerfile.global_args, *_instructions(stages)):
        if isinstance(instruction, ins.Arg):
            for item in instruction.items:
                name = item.key.value
                if name not in seen and name not in stages.automatic:
                    seen.add(name)
                    yield _argument(stages, instruction, item)


def _argument(stages: Stages, instruction: ins.Arg, item: ins.KeyValue) -> dict[str, object]:
    name = item.key.value
    default = expand(item.value.value, stages.globals, stages.dockerfile.escape)[0] if item.value else ""
    return {
        "name": name,
        "description": description(stages.dockerfile.source, instruction, name),
        "value": stages.given.get(name, default),
        "location": _place(instruction),
    }


def _mounts(stages: Stages, kind: str) -> Iterator[dict[str, object]]:
    seen: set[str] = set()
    for instruction in _instructions(stages):
        for mount in instruction.mounts if isinstance(instruction, ins.Run) else ():
            target = mount.options.get("target", "")
            of_secret = mount.options.get("source") or target.rpartition("/")[2]
            unnamed = {"secret": of_secret, "ssh": "default"}.get(kind, target)
            name = mount.options.get("id") or unnamed
            if mount.kind == kind and name not in seen:
                seen.add(name)
                required = mount.options.get("required", "") in ("true", "1")
                yield {"name": name, "required": required, "location": _place(instruction)}


def _instructions(stages: Stages) -> Iterable[Instruction]:
    return (instruction for stage in stages.needed() for instruction in stage.instructions)


def _place(instruction: Instruction) -> dict[str, object]:
    return location(instruction.position.line, instruction.last_line)


def _table(rows: Sequence[Sequence[str]], gap: int = 3) -> str:
    widths = [max(map(len, column)) + gap for column in list(zip(*rows, strict=True))[:-1]]
    return "".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) + row[-1] + "\n" for row in rows
    )


def _json(document: dict[str, object], dockerfile: Dockerfile) -> bytes:
    content = base64.b64encode("\n".join(dockerfile.source.lines).encode()).decode()
    return msgspec.json.format(msgspec.json.encode({**document, "sources": [content]}), indent=2)
