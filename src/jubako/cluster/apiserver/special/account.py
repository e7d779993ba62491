"""A TokenRequest for a service account. Spec: authentication.k8s.io/v1 TokenRequest."""

from __future__ import annotations

from datetime import UTC, datetime

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.access.tokens import Bound, Reference, Tokens
from jubako.cluster.types import times
from jubako.cluster.types.document import Object, array, child, integer, mapping, text

_DEFAULT_S, _LEAST_S, _MOST_S = 3600, 600, 1 << 32


def issued(tokens: Tokens, account: Object, request: Object, pod: Object | None) -> Object:
    """Return the request with its token; `pod` is the one that it names. Raises Failure (400, 422)."""
    spec = child(request, "spec")
    lifetime_s = integer(spec.get("expirationSeconds"), _DEFAULT_S)
    if not _LEAST_S <= lifetime_s <= _MOST_S:
        name = text(mapping(account["metadata"]).get("name"))
        why = f"spec.expirationSeconds: Invalid value: {lifetime_s}: may not specify a duration less than 10 minutes"
        raise failures.failure(422, "Invalid", f'TokenRequest.authentication.k8s.io "{name}" is invalid: {why}')
    metadata = mapping(account["metadata"])
    bound = Bound(
        namespace=text(metadata.get("namespace")),
        serviceaccount=_reference(account),
        pod=_reference(pod) if pod else None,
    )
    audiences = [text(each) for each in array(spec.get("audiences"))]
    token, ends = tokens.issue(bound, lifetime_s, audiences)
    spec["expirationSeconds"] = lifetime_s
    request["status"] = {"token": token, "expirationTimestamp": times.render(datetime.fromtimestamp(ends, UTC))}
    child(request, "metadata").update({"name": metadata["name"], "namespace": metadata["namespace"]})
    return request


def _reference(document: Object) -> Reference:
    metadata = mapping(document["metadata"])
    return Reference(text(metadata.get("name")), text(metadata.get("uid")))
