"""Provenance: from what an image was built, and how it was asked for.

`min` leaves out the values of build arguments, the graph, the Dockerfile, and which secrets and agents a RUN may have;
`max` has them. What a secret holds is in neither.
Spec: SLSA provenance v0.2; BuildKit, docs/attestations/slsa-provenance.md.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from jubako.build.attest.statement import digest_set, package_url
from jubako.build.bases import Material
from jubako.build.convert.state import StageState
from jubako.build.exporters.product import PROVENANCE, Predicate
from jubako.build.graph.execute import Execute
from jubako.build.graph.vertex import reachable
from jubako.image import platform as platforms

_TYPE = "https://slsa.dev/provenance/v0.2"
_BUILD_TYPE = "https://mobyproject.org/buildkit@v1"


class Invocation(msgspec.Struct, frozen=True, kw_only=True):
    """How the build was called. Times are RFC 3339."""

    ref: str
    dockerfile_name: str
    dockerfile: bytes
    target: str
    build_args: Mapping[str, str]
    labels: Mapping[str, str]
    started: str
    finished: str


def provenance(
    mode: Literal["min", "max"], invocation: Invocation, state: StageState, materials: Sequence[Material]
) -> Predicate:
    """The predicate about the image that `state` ended in."""
    full = mode == "max"
    args = {f"label:{name}": value for name, value in invocation.labels.items()}
    if invocation.target:
        args["target"] = invocation.target
    if full:
        args |= {f"build-arg:{name}": value for name, value in invocation.build_args.items()}
    document: dict[str, object] = {
        "builder": {"id": ""},
        "buildType": _BUILD_TYPE,
        "materials": [_material(each) for each in materials],
        "invocation": {
            "configSource": {"entryPoint": invocation.dockerfile_name},
            "parameters": {
                "frontend": "dockerfile.v0",
                "args": dict(sorted(args.items())),
                "locals": [{"name": "context"}, {"name": "dockerfile"}],
                **(_confided(state) if full else {}),
            },
            "environment": {"platform": platforms.text(platforms.host())},
        },
        "metadata": {
            "buildInvocationID": invocation.ref,
            "buildStartedOn": invocation.started,
            "buildFinishedOn": invocation.finished,
            "completeness": {"parameters": full, "environment": True, "materials": False},
            "reproducible": False,
            f"{_BUILD_TYPE}#metadata": _source(invocation) if full else {},
        },
    }
    if full:
        document["buildConfig"] = {"llbDefinition": _steps(state)}
    return Predicate(_TYPE, msgspec.json.encode(document), PROVENANCE)


def _confided(state: StageState) -> dict[str, list[dict[str, object]]]:
    """The IDs of the secrets and agents that commands mount."""
    found: dict[str, dict[str, dict[str, object]]] = {"secrets": {}, "ssh": {}}
    for vertex in reachable([state.vertex]):
        for mount in vertex.operation.spec.mounts if isinstance(vertex.operation, Execute) else ():
            kind = {"secret": "secrets", "ssh": "ssh"}.get(mount.kind)
            if kind:
                optional = {} if mount.required else {"optional": True}
                found[kind].setdefault(mount.id, {"id": mount.id, **optional})
    return {kind: list(each.values()) for kind, each in found.items() if each}


def _material(material: Material) -> dict[str, object]:
    return {"uri": package_url(material.name, material.platform), "digest": digest_set(material.digest)}


def _source(invocation: Invocation) -> dict[str, object]:
    data = base64.b64encode(invocation.dockerfile).decode()
    name = invocation.dockerfile_name
    return {"source": {"infos": [{"filename": name, "language": "Dockerfile", "data": data}]}}


def _steps(state: StageState) -> list[dict[str, object]]:
    """The graph, what comes first first."""
    vertexes = list(reachable([state.vertex]))
    names = {id(vertex): f"step{number}" for number, vertex in enumerate(vertexes)}
    return [
        {
            "id": names[id(vertex)],
            "name": vertex.operation.name,
            "inputs": [f"{names[id(source)]}:0" for source in vertex.inputs],
        }
        for vertex in vertexes
    ]
