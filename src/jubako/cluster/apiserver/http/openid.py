"""How others verify tokens of service accounts: the issuer's description and its public key.

Spec: "Configure Service Accounts for Pods", Service account issuer discovery; OpenID Connect Discovery 1.0; RFC 7517.
"""

from __future__ import annotations

from aiohttp import web

from jubako.cluster.apiserver.access.tokens import ALGORITHM, ISSUER, Tokens
from jubako.cluster.apiserver.http.answers import encode
from jubako.cluster.types.document import Object

CONFIGURATION, KEYS = "/.well-known/openid-configuration", "/openid/v1/jwks"
_CACHED = {"Cache-Control": "public, max-age=3600"}


def answer(request: web.Request, tokens: Tokens) -> web.Response | None:
    """Answer a GET of one of these paths; None for any other."""
    if request.path == CONFIGURATION:
        return web.Response(body=encode(_configuration(request.host)), content_type="application/json", headers=_CACHED)
    if request.path == KEYS:
        keys: Object = {"keys": [tokens.public_key()]}
        return web.Response(body=encode(keys), content_type="application/jwk-set+json", headers=_CACHED)
    return None


def _configuration(host: str) -> Object:
    return {
        "issuer": ISSUER,
        "jwks_uri": f"https://{host}{KEYS}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
    }
