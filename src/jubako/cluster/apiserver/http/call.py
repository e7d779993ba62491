"""One request that may be served, and the form of its answer."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from aiohttp import web

from jubako.cluster.apiserver.attributes import Attributes
from jubako.cluster.apiserver.audit.record import Record
from jubako.cluster.apiserver.caller import Request, User
from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.apiserver.http.answers import encode
from jubako.cluster.apiserver.http.negotiation import JSON_TYPE, YAML_TYPE, Wanted
from jubako.cluster.apiserver.http.parameters import Parameters
from jubako.cluster.apiserver.objects.reading import Selection
from jubako.cluster.apiserver.objects.selecting import keep
from jubako.cluster.types.document import at, integer

_AGENT_MAX = 128


class Call:
    """What is known of a request once it may be served; `verb` is what the verbs on objects take."""

    def __init__(
        self, request: web.Request, asked: Attributes, user: User, given: Parameters, form: Wanted, record: Record
    ) -> None:
        self.request, self.asked, self.given, self.form, self.record = request, asked, given, form, record
        manager = given.manager or _agent(request)
        self.verb = Request(attributes=asked, user=user, dry_run=given.dry_run, manager=manager, notes=record.notes)

    @property
    def applies(self) -> Request:
        return msgspec.structs.replace(self.verb, operation="Apply")

    @property
    def selection(self) -> Selection:
        """What a list, a watch or a deletion of many is about."""
        asked, given = self.asked, self.given
        fields = [given.field_selector] if given.field_selector else []
        if asked.verb == "watch" and asked.name:
            fields.append(f"metadata.name={asked.name}")
        return Selection(
            resource=asked.resource,
            namespace=asked.namespace,
            keep=keep(asked.resource, given.label_selector, ",".join(fields)),
            limit=given.limit,
            token=given.token,
            version=given.version,
            exact=given.exact,
        )


def _agent(request: web.Request) -> str:
    """Return what a client calls itself, for managedFields: the program's name in its User-Agent."""
    name = request.headers.get("User-Agent", "").partition("/")[0]
    return "".join(each for each in name if each.isprintable())[:_AGENT_MAX] or "unknown"


def response(call: Call, body: bytes, status: int = 200, warnings: Iterable[str] = ()) -> web.Response:
    """Return a document, which is JSON text, in the media type that the client wants."""
    media_type = call.form.media_type
    made = web.Response(status=status, body=_as_yaml(body) if media_type == YAML_TYPE else body)
    made.content_type = media_type
    for warning in (*warnings, *call.verb.notes.warnings):
        quoted = warning.replace("\\", "\\\\").replace('"', '\\"')
        made.headers.add("Warning", f'299 - "{quoted}"')
    return made


def failed_response(failed: Failure) -> web.Response:
    """Return the Status that tells a failure."""
    made = web.Response(status=failed.code, body=encode(failed.status), content_type=JSON_TYPE)
    if seconds := integer(at(failed.status, "details", "retryAfterSeconds")):
        made.headers["Retry-After"] = str(seconds)
    return made


def _as_yaml(body: bytes) -> bytes:
    import json

    import yaml

    return yaml.dump(json.loads(body), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False).encode()
