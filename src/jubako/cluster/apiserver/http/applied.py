"""The body of a server-side apply -> the document that is applied: what stands in it and no more.

Spec: "Server-Side Apply"; k8s.io/apiserver/pkg/endpoints/handlers, apply patches.
"""

from __future__ import annotations

from aiohttp import web

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.attributes import Attributes
from jubako.cluster.apiserver.http import bodies
from jubako.cluster.apiserver.http.parameters import Parameters, check_patch
from jubako.cluster.fields import MANAGED, problems, shape_of
from jubako.cluster.types.decoding import yamltext
from jubako.cluster.types.decoding.body import conform
from jubako.cluster.types.decoding.parsing import parse
from jubako.cluster.types.document import Object, at, mapping, text
from jubako.cluster.types.served import Kind
from jubako.errors import InvalidArgument


async def config_of(request: web.Request, kind: Kind, asked: Attributes, given: Parameters) -> tuple[Object, list[str]]:
    """Return the document, which is of `kind`, and warnings. Raises Failure (400, 413, 422, 500)."""
    check_patch(given, applies=True)
    config = _parsed(await bodies.read(request))
    _check_kind(kind, config)
    if at(config, "metadata", MANAGED) is not None:
        raise failures.bad_request("metadata.managedFields must be nil")
    _check_types(kind, config, asked)
    try:
        _, warnings = conform(kind, config, given.validation)
    except InvalidArgument as error:
        raise failures.of(error) from None
    return config, warnings


def _parsed(body: bytes) -> Object:
    """JSON is YAML, and read as itself where it can be."""
    try:
        value = parse(body) if body.lstrip().startswith(b"{") else yamltext.parse(body)
    except InvalidArgument as error:
        raise failures.bad_request(f"error decoding YAML: {error.message}") from None
    if not isinstance(value, dict):
        raise failures.bad_request("error decoding YAML: the document is no object")
    return value


def _check_kind(kind: Kind, config: Object) -> None:
    version, name = text(config.get("apiVersion")), text(config.get("kind"))
    if not version or not name:
        what = "kind" if not name else "apiVersion"
        raise failures.bad_request(f"Object '{what}' is missing in the applied document")
    if version != kind.api_version:
        raise failures.bad_request(
            f"Incorrect version specified in apply patch. Specified patch version: {version}, "
            f"expected: {kind.api_version}"
        )
    if name != kind.name:
        raise failures.bad_request(f'{name} in version "{kind.version}" cannot be handled as a {kind.name}')


def _check_types(kind: Kind, config: Object, asked: Attributes) -> None:
    found = problems(shape_of(kind.message_name), config)
    if not found:
        return
    what = f"{asked.namespace}/{text(mapping(config.get('metadata')).get('name'))}"
    told = found[0] if len(found) == 1 else "\n  ".join(("errors:", *found))
    version = f"{kind.group}/{kind.version}, Kind={kind.name}"
    message = f"failed to create typed patch object ({what}; {version}): {told}"
    raise failures.Failure(failures.status_of(500, "", message))
