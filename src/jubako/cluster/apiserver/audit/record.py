"""What is known of a request, and the Event that tells it.

Invariant:    no body is in it, nor what a message quotes of one; the values of parameters that hold a token are not
              either. What a client may make long is cut off.
Spec:         audit.k8s.io/v1, Event.
"""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from jubako.cluster.apiserver.attributes import Attributes
from jubako.cluster.apiserver.caller import Notes, User
from jubako.cluster.types.document import JSON, Object, integer, text

_URI, _AGENT, _MESSAGE, _NAME, _GROUPS = 4096, 1024, 4096, 256, 64
_TOKEN = re.compile(r"([?&][^=&]*(?:token|password|secret|authorization)[^=&]*=)[^&]*", re.IGNORECASE)
_DECISION, _REASON = "authorization.k8s.io/decision", "authorization.k8s.io/reason"
_QUOTING = (400, 422)
"""Their messages quote what was sent."""


class Record:
    """One request, filled in while it is answered. Its `notes` become annotations."""

    def __init__(self, audit_id: str, uri: str, method: str, source: str, agent: str, received: datetime) -> None:
        self.audit_id, self._uri, self._method, self._source = audit_id, uri, method, source
        self._agent, self._received = agent, received
        self.user: User | None = None
        self.impersonated: User | None = None
        self.asked: Attributes | None = None
        self.name = ""
        self.notes = Notes()

    def allow(self, reason: str) -> None:
        """Note that authorization allows it, and why."""
        self.notes.annotations |= {_DECISION: "allow", _REASON: reason}

    def forbid(self) -> None:
        """Note that it was not allowed, unless it was, and something else has refused it."""
        if _DECISION not in self.notes.annotations:
            self.notes.annotations |= {_DECISION: "forbid", _REASON: ""}

    def event(self, stage: str, now: datetime, code: int, failure: Object | None) -> Object:
        """Return the Event of a stage; `failure` is the Status that the client got."""
        event: Object = {
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": self.audit_id,
            "stage": stage, "requestURI": _cut(_TOKEN.sub(r"\1REDACTED", self._uri), _URI),
            "verb": self.asked.verb if self.asked else self._method.lower(), "user": _user(self.user),
        }  # fmt: skip
        if self.impersonated is not None:
            event["impersonatedUser"] = _user(self.impersonated)
        event |= {"sourceIPs": [self._source], "userAgent": _cut(self._agent, _AGENT)}
        if self.asked is not None:
            event["objectRef"] = self._object(self.asked)
        if code:
            event["responseStatus"] = _status(code, failure)
        event |= {"requestReceivedTimestamp": _time(self._received), "stageTimestamp": _time(now)}
        if self.notes.annotations:
            event["annotations"] = {key: _cut(value, _URI) for key, value in self.notes.annotations.items()}
        return event

    def _object(self, asked: Attributes) -> Object:
        kind, below = asked.resource.kind, asked.subresource.name if asked.subresource else ""
        found: Object = {
            "resource": asked.resource.plural, "namespace": _cut(asked.namespace, _NAME),
            "name": _cut(asked.name or self.name, _NAME),
            "apiGroup": kind.group, "apiVersion": kind.version, "subresource": below,
        }  # fmt: skip
        return {key: value for key, value in found.items() if value}


def _user(user: User | None) -> Object:
    if user is None:
        return {}
    groups: list[JSON] = [_cut(group, _NAME) for group in user.groups[:_GROUPS]]
    extra: Object = {key: list(values) for key, values in user.extra.items()}
    found: Object = {"username": _cut(user.name, _NAME), "uid": _cut(user.uid, _NAME), "groups": groups, "extra": extra}
    return {key: value for key, value in found.items() if value}


def _status(code: int, failure: Object | None) -> Object:
    status: Object = {"metadata": {}}
    if failure is not None:
        status["status"] = "Failure"
        if integer(failure.get("code")) not in _QUOTING:
            status["message"] = _cut(text(failure.get("message")), _MESSAGE)
        status["reason"] = failure.get("reason")
    return {**status, "code": code}


def _cut(value: str, most: int) -> str:
    """Return a text as it may stand in the log: clients send bytes that are none, and without end."""
    whole = value[:most].encode("utf-8", "replace").decode()
    return whole if len(value) <= most else f"{whole}...TRUNCATED"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def encode(event: Object) -> bytes:
    """Return the line of an event."""
    return msgspec.json.encode(event) + b"\n"
