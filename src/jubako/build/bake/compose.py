"""Compose files as bake files: each service that is built is a target, and all of them the default group.

Spec: Compose specification, "Build", "Interpolation"; buildx, "Building from Compose file" (`x-bake`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from jubako.build.bake.expressions import Expression, constant
from jubako.build.bake.syntax import Block
from jubako.build.bake.target import LISTS
from jubako.build.bake.values import BakeError, Value, list_of, map_of, text_of, within_limits
from jubako.spec import yamltext

_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<mark>:?[-?+])(?P<word>[^}]*))?\})"
)
_SAME = {
    "context": "context",
    "dockerfile": "dockerfile",
    "dockerfile_inline": "dockerfile-inline",
    "target": "target",
    "network": "network",
    "shm_size": "shm-size",
    "tags": "tags",
    "platforms": "platforms",
    "cache_from": "cache-from",
    "cache_to": "cache-to",
    "no_cache": "no-cache",
    "pull": "pull",
    "ssh": "ssh",
}
_MAPS = {"args": "args", "labels": "labels", "additional_contexts": "contexts", "extra_hosts": "extra-hosts"}
_READ = frozenset({*_SAME, *_MAPS, "secrets", "ulimits", "privileged"})


def compose_block(text: str, name: str, environ: Mapping[str, str]) -> Block:
    """Raises BakeError for what is no compose file."""
    try:
        with within_limits():
            return _file(map_of(_Interpolation(environ).of(_loaded(text))), environ)
    except BakeError as problem:
        raise BakeError(f"{name}: {problem.message}") from None


def _loaded(text: str) -> Value:
    try:
        found: Value = yamltext.load(text)
    except ValueError as error:
        raise BakeError(str(error)) from None
    return found


def _file(document: dict[str, Value], environ: Mapping[str, str]) -> Block:
    services = map_of(document.get("services") or {})
    secrets = map_of(document.get("secrets") or {})
    blocks = []
    for name, body in services.items():
        service = map_of(body or {})
        if service.get("build") is not None:
            target = _target(service, secrets, environ)
            blocks.append(Block("target", [name.replace(".", "_")], target, []))
    names: list[Value] = [block.labels[0] for block in blocks]
    return Block("", [], {}, [Block("group", ["default"], {"targets": constant(names)}, []), *blocks])


def _target(service: dict[str, Value], secrets: dict[str, Value], environ: Mapping[str, str]) -> dict[str, Expression]:
    build = service["build"]
    given = {"context": build} if isinstance(build, str) else map_of(build)
    found: dict[str, Value] = {ours: given[theirs] for theirs, ours in _SAME.items() if given.get(theirs) is not None}
    for theirs, ours in _MAPS.items():
        if given.get(theirs) is not None:
            found[ours] = _map(given[theirs], environ)
    # What is not read keeps its name, so that the target says what it does not know or can not do.
    found |= {key.replace("_", "-"): given[key] for key in given if key not in _READ and not key.startswith("x-")}
    image = service.get("image")
    if image and "tags" not in found:
        found["tags"] = [image]
    if "platforms" not in found and service.get("platform"):
        found["platforms"] = [service["platform"]]
    if given.get("ulimits"):
        found["ulimits"] = [_ulimit(name, value) for name, value in map_of(given["ulimits"]).items()]
    if given.get("privileged"):
        found["entitlements"] = [*list_of(given.get("entitlements") or []), "security.insecure"]
    if given.get("secrets"):
        found["secret"] = [_secret(each, secrets) for each in list_of(given["secrets"])]
    extension = map_of(given.get("x-bake") or {})
    for key, value in extension.items():
        found[key] = [value] if isinstance(value, str) and key in LISTS else value
    return {key: constant(value) for key, value in found.items()}


def _map(value: Value, environ: Mapping[str, str]) -> Value:
    """`KEY=VALUE` in a list is the same as a map; a key alone has the environment's value, or none."""
    if isinstance(value, dict):
        pairs = {key: None if each is None else text_of(each) for key, each in value.items()}
    else:
        split = [text_of(each).partition("=") for each in list_of(value)]
        pairs = {key: each if equals else None for key, equals, each in split}
    return {key: environ.get(key) if each is None else each for key, each in pairs.items()}


def _ulimit(name: str, value: Value) -> str:
    """One number, or `soft` and `hard`."""
    if not isinstance(value, dict):
        return f"{name}={text_of(value)}"
    soft, hard = (text_of(value.get(each)) for each in ("soft", "hard"))
    return f"{name}={soft}:{hard}"


def _secret(value: Value, secrets: dict[str, Value]) -> Value:
    name = text_of(value if isinstance(value, str) else map_of(value).get("source"))
    source = map_of(secrets.get(name) or {})
    if source.get("environment"):
        return f"id={name},env={text_of(source['environment'])}"
    if source.get("file"):
        return f"id={name},src={text_of(source['file'])}"
    raise BakeError(f"secret {name} is not defined")


class _Interpolation:
    """Variables in every text of a document. What aliases share stays shared: written out, it could be endless."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._done: dict[int, Value] = {}
        self._inside: set[int] = set()

    def of(self, value: Value) -> Value:
        if isinstance(value, str):
            return _VARIABLE.sub(lambda match: _variable(match, self._environ), value)
        if not isinstance(value, (list, dict)):
            return value
        if id(value) not in self._done:
            if id(value) in self._inside:
                raise BakeError("an alias holds itself")
            self._inside.add(id(value))
            self._done[id(value)] = self._inner(value)
        return self._done[id(value)]

    def _inner(self, value: list[Value] | dict[str, Value]) -> Value:
        if isinstance(value, list):
            return [self.of(each) for each in value]
        return {str(key): self.of(each) for key, each in value.items()}


def _variable(match: re.Match[str], environ: Mapping[str, str]) -> str:
    if match["escaped"]:
        return "$"
    name = match["plain"] or match["name"]
    found, mark, word = environ.get(name), match["mark"] or "", match["word"] or ""
    present = bool(found) if mark.startswith(":") else found is not None
    match mark[-1:]:
        case "-":
            return found or "" if present else word
        case "+":
            return word if present else ""
        case "?" if not present:
            raise BakeError(f"required variable {name} is missing a value: {word}")
    return found or ""
