"""Telling a webhook: one POST of the envelope that Docker's registry sends, signed as GitHub signs.

Signature:  X-Hub-Signature-256: sha256=<HMAC of the body by the secret, in hex>
Answer:     any 2xx within ten seconds is taken for received; a redirect is not followed.
"""

from __future__ import annotations

import hmac
import time
from typing import Any

import msgspec
import urllib3

from jubako.errors import Unavailable
from jubako.registry.server.config.schema import Webhook
from jubako.registry.server.events import Event
from jubako.registry.server.outward.address import host_header, path_of, pool_for

ENVELOPE = "application/vnd.docker.distribution.events.v2+json"
_ANSWER_LIMIT_BYTES = 64 << 10


def post(hook: Webhook, event: Event) -> None:
    """Deliver one event. Raises Unavailable when it was not received, InvalidArgument for an address not to use."""
    body = msgspec.json.encode({"events": [_envelope(event)]})
    headers = {"Content-Type": ENVELOPE, "Host": host_header(hook.url), "User-Agent": "jubako-registry"}
    if hook.secret_file is not None:
        headers["X-Hub-Signature-256"] = "sha256=" + sign(hook.secret_file.read_bytes().strip(), body)
    try:
        with pool_for(hook.url) as pool:
            response = pool.urlopen(
                "POST", path_of(hook.url), body, headers, redirect=False, preload_content=False, decode_content=False
            )
            response.read(_ANSWER_LIMIT_BYTES)
            response.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unavailable(f"the webhook {host_header(hook.url)} cannot be reached: {error}") from error
    if not 200 <= response.status < 300:
        raise Unavailable(f"the webhook {host_header(hook.url)} answered {response.status}")


def sign(secret: bytes, body: bytes) -> str:
    return hmac.digest(secret, body, "sha256").hex()


def _envelope(event: Event) -> dict[str, Any]:
    target: dict[str, Any] = {"repository": event.repository, "digest": event.digest, "tag": event.tag}
    target |= {"mediaType": event.media_type, "size": event.size, "length": event.size} if event.media_type else {}
    return {
        "id": event.id,
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(event.at)),
        "action": event.action,
        "target": {key: value for key, value in target.items() if value is not None},
        "actor": {"name": event.user} if event.user else {},
    }
