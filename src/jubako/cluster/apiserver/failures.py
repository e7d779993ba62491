"""Everything that a request can be refused with: the Status that tells it, in Kubernetes' words.

Spec: API conventions, "Response Status Kind"; k8s.io/apimachinery/pkg/api/errors.
"""

from __future__ import annotations

from jubako import errors
from jubako.cluster.fields import Conflicts, Entry, spelled
from jubako.cluster.store import FutureRevision, Gone
from jubako.cluster.types.document import JSON, Object, integer, text
from jubako.cluster.types.served import Resource

_KINDS: tuple[tuple[type[errors.JubakoError], int, str], ...] = (
    (Gone, 410, "Expired"),
    (FutureRevision, 504, "Timeout"),
    (errors.InvalidArgument, 400, "BadRequest"),
    (errors.NotFound, 404, "NotFound"),
    (errors.AlreadyExists, 409, "AlreadyExists"),
    (errors.Conflict, 409, "Conflict"),
    (errors.FailedPrecondition, 409, "Conflict"),
    (errors.PermissionDenied, 403, "Forbidden"),
    (errors.Unauthenticated, 401, "Unauthorized"),
    (errors.ResourceExhausted, 413, "RequestEntityTooLarge"),
    (errors.Unavailable, 503, "ServiceUnavailable"),
)


class Failure(errors.JubakoError):
    """A refusal with the Status that the client gets."""

    def __init__(self, status: Object) -> None:
        super().__init__(text(status.get("message")))
        self.status = status

    @property
    def code(self) -> int:
        return integer(self.status.get("code"), 500)


def failure(code: int, reason: str, message: str, details: Object | None = None) -> Failure:
    return Failure(status_of(code, reason, message, details))


def status_of(code: int, reason: str, message: str, details: Object | None = None) -> Object:
    """Return the Status of a failure."""
    status: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    if reason:
        status["reason"] = reason
    if details:
        status["details"] = details
    status["code"] = code
    return status


def success(resource: Resource, name: str, uid: str) -> Object:
    """Return the Status that says that an object is gone."""
    details: Object = {**_details(resource, name), "uid": uid}
    return {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
    }  # fmt: skip


def of(error: errors.JubakoError) -> Failure:
    """Return the refusal that an error of another layer means."""
    if isinstance(error, Failure):
        return error
    for kind, code, reason in _KINDS:
        if isinstance(error, kind):
            return failure(code, reason, error.message, _retry(error))
    return failure(500, "InternalError", f"Internal error occurred: {error.message}")


def _retry(error: errors.JubakoError) -> Object | None:
    if not isinstance(error, FutureRevision):
        return None
    cause: JSON = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return {"causes": [cause], "retryAfterSeconds": 1}


def not_found(resource: Resource, name: str) -> Failure:
    return failure(404, "NotFound", f'{resource.group_resource} "{name}" not found', _details(resource, name))


def already_exists(resource: Resource, name: str) -> Failure:
    message = f'{resource.group_resource} "{name}" already exists'
    return failure(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: Resource, name: str, why: str) -> Failure:
    message = f'Operation cannot be fulfilled on {resource.group_resource} "{name}": {why}'
    return failure(409, "Conflict", message, _details(resource, name))


def modified(resource: Resource, name: str) -> Failure:
    """The object is another than the client has seen."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(resource, name, why)


def apply_conflict(conflicts: Conflicts) -> Failure:
    """Others have fields that an applier wants otherwise."""
    by_manager: dict[str, list[str]] = {}
    for entry, path in conflicts.found:
        by_manager.setdefault(_manager(entry), []).append(spelled(path))
    told = [(who, path) for who in sorted(by_manager) for path in by_manager[who]]
    causes: list[JSON] = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path} for who, path in told
    ]
    if len(told) == 1:
        message = f"Apply failed with 1 conflict: conflict with {told[0][0]}: {told[0][1]}"
    else:
        listed = ("\n- ".join((f"conflicts with {who}:", *by_manager[who])) for who in sorted(by_manager))
        message = f"Apply failed with {len(told)} conflicts: " + "\n".join(listed)
    return failure(409, "Conflict", message, {"causes": causes})


def _manager(entry: Entry) -> str:
    through = f' with subresource "{entry.subresource}"' if entry.subresource else ""
    using = f" using {entry.api_version}" if entry.operation == "Update" else ""
    return f'"{entry.manager}"{through}{using}'


def forbidden(resource: Resource, name: str, why: str) -> Failure:
    what = f'{resource.group_resource} "{name}"' if name else resource.group_resource
    return failure(403, "Forbidden", f"{what} is forbidden: {why}", _details(resource, name))


def terminating(resource: Resource, name: str, namespace: str, why: str) -> Failure:
    """Nothing new comes into a namespace that ends; controllers know it by the cause."""
    found = forbidden(resource, name, why)
    told = f"namespace {namespace} is being terminated"
    cause: JSON = {"reason": "NamespaceTerminating", "message": told, "field": "metadata.namespace"}
    return Failure({**found.status, "details": {**_details(resource, name), "causes": [cause]}})


def bad_request(message: str) -> Failure:
    return failure(400, "BadRequest", message)


def too_large(message: str) -> Failure:
    return failure(413, "RequestEntityTooLarge", message)


def unknown_path() -> Failure:
    return failure(404, "NotFound", "the server could not find the requested resource", {})


def method_not_allowed() -> Failure:
    return failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def _details(resource: Resource, name: str) -> Object:
    details: Object = {"name": name} if name else {}
    if resource.kind.group:
        details["group"] = resource.kind.group
    return {**details, "kind": resource.plural}
