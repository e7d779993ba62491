"""`RUN --mount`: the flags with their variables expanded, and the vertices that binds and caches take files from."""

from __future__ import annotations

import posixpath

from jubako.build.convert.scope import Place, Scope
from jubako.build.dockerfile.instructions import Run
from jubako.build.dockerfile.mounts import BadMount, MountFlag, check_mount
from jubako.build.dockerfile.source import Placed
from jubako.build.graph.copy import Copy, CopySpec
from jubako.build.graph.filesystem import Filesystem, FsVertex
from jubako.build.graph.mounts import MountSpec
from jubako.build.graph.source import Base
from jubako.build.graph.vertex import Vertex
from jubako.build.truth import truth

_COPIED = "/source"
"""Where the part of the context that a bind shows lies in its layer, be it a file or a directory."""


def convert_mounts(scope: Scope, instruction: Run) -> tuple[list[MountSpec], list[FsVertex]]:
    """The mounts of a RUN, and the sources that its binds and caches refer to by number. Raises DockerfileError."""
    sources: list[FsVertex] = []
    mounts = [_convert(scope, instruction, flag, sources) for flag in instruction.mounts]
    return mounts, sources


def _convert(scope: Scope, instruction: Run, flag: MountFlag, sources: list[FsVertex]) -> MountSpec:
    kind, options = _expanded(scope, flag)
    target = options.get("target", "")
    if target or kind not in ("secret", "ssh"):
        target = scope.stage.absolute(target)
    if target == "/":
        raise scope.fail(flag.at, "a mount can not be at /")
    source = options.get("source", "")
    if kind == "bind":
        sources.append(_source(scope, instruction, flag, options))
        source = (source or "/") if "from" in options else _COPIED
    elif "from" in options:
        sources.append(_source(scope, instruction, flag, options))
        source = source or "/"
    return MountSpec(
        kind=kind,
        target=target,
        source="" if kind == "secret" else source,
        id=options.get("id") or {"secret": source or posixpath.basename(target), "ssh": "default"}.get(kind, target),
        readonly=_readonly(scope, flag, kind, options),
        sharing=options.get("sharing", "shared").lower(),
        mode=_number(scope, flag, options, "mode", base=8),
        uid=_number(scope, flag, options, "uid") or 0,
        gid=_number(scope, flag, options, "gid") or 0,
        size=options.get("size", ""),
        required=_truth(scope, flag, options, "required"),
        env=options.get("env", ""),
    )


def _expanded(scope: Scope, flag: MountFlag) -> tuple[str, dict[str, str]]:
    """The type and the options with their variables expanded, checked."""
    place = flag.at.position()
    kind = scope.expand(Placed(flag.kind, place))
    options = {name: scope.expand(Placed(value, place)) for name, value in flag.options.items()}
    try:
        check_mount(kind, options, options)
    except BadMount as error:
        raise scope.fail(flag.at, str(error)) from None
    return kind.lower(), options


def _source(scope: Scope, instruction: Run, flag: MountFlag, options: dict[str, str]) -> FsVertex:
    """Another stage or image; or the part of the context, as a layer of its own so that nothing ignored is seen."""
    if "from" in options:
        return scope.stage_vertex(scope, Placed(options["from"], flag.at.position()))
    path = options.get("source", "") or "."
    spec = CopySpec(sources=[path], destination=_COPIED)
    workshop = scope.workshop
    operation = Copy(f"[context] mount {path}", scope.bench, spec, workshop.context, workshop.hashes)
    vertex: FsVertex = Vertex(operation, [Vertex(Base("scratch", Filesystem()))])
    workshop.places[id(vertex)] = Place(scope.source, instruction)
    return vertex


def _readonly(scope: Scope, flag: MountFlag, kind: str, options: dict[str, str]) -> bool:
    if "readonly" not in options and kind == "bind":
        return not _truth(scope, flag, options, "readwrite")
    return _truth(scope, flag, options, "readonly")


def _truth(scope: Scope, flag: MountFlag, options: dict[str, str], name: str) -> bool:
    value = truth(options.get(name, "false"))
    if value is None:
        raise scope.fail(flag.at, f"invalid value for {name}: {options[name]}")
    return value


def _number(scope: Scope, flag: MountFlag, options: dict[str, str], name: str, base: int = 10) -> int | None:
    if name not in options:
        return None
    try:
        value = int(options[name], base)
    except ValueError:
        value = -1
    if not 0 <= value < (0o10000 if base == 8 else (1 << 32) - 1):
        raise scope.fail(flag.at, f"invalid value for {name}: {options[name]}")
    return value
