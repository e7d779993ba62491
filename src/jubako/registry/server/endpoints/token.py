"""The token service: short-lived tokens for passwords, and for refresh tokens. Its rights are what the policy gives.

Spec:  Docker's token authentication (GET) and its OAuth2 form (POST); RFC 7517 for the key set.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from urllib.parse import parse_qs

import msgspec
from aiohttp import web

from jubako.registry.server.access.caller import ANONYMOUS, Caller, Grant, Scope
from jubako.registry.server.access.guard import BASIC, Guard, challenge
from jubako.registry.server.access.tokens import Tokens
from jubako.registry.server.endpoints.body import read_body
from jubako.registry.server.refusal import Refused
from jubako.registry.server.registry import Registry
from jubako.registry.server.routes import Route
from jubako.spec.distribution import Code, Token, is_repository

_ACTIONS = ("pull", "push", "delete", "*")
_FORM_LIMIT_BYTES = 64 << 10
_SCOPES_LIMIT = 100


async def get(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """A token for the user of the Authorization header, or for nobody."""
    guard, tokens = registry.guard, _tokens(registry.guard)
    wanted = read_scopes(request.query.getall("scope", []))
    found = await guard.identify(request)
    if found is None or found.granted is not None or not (found.user or _open_to_all(guard, wanted)):
        raise challenge(BASIC, wanted)
    refresh = request.query.get("offline_token", "").lower() in ("1", "true")
    return _answer(guard, tokens, found, wanted, refresh=refresh)


async def post(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """A token for the user of a form: `password` or `refresh_token`."""
    guard, tokens = registry.guard, _tokens(registry.guard)
    form = await _form(request)
    wanted = read_scopes([form.get("scope", "")])
    match form.get("grant_type"):
        case "password":
            found = await guard.password(form.get("username", ""), form.get("password", ""))
        case "refresh_token":
            found = _refreshed(guard, tokens, form.get("refresh_token", ""))
        case other:
            raise Refused(Code.UNSUPPORTED, f"unsupported grant_type {str(other)[:40]!r}", status=400)
    if found is None:
        raise challenge(BASIC, wanted)
    return _answer(guard, tokens, found, wanted, refresh=form.get("access_type") == "offline")


async def keys(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """The key set that checks our tokens."""
    return _json(_tokens(registry.guard).key.public_set())


def read_scopes(texts: list[str]) -> list[Grant]:
    """Read `type:name:action,action` entries; the name may hold colons. What is no scope is left out."""
    entries: list[Grant] = []
    for scope in " ".join(texts).split()[:_SCOPES_LIMIT]:
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        known = [action for action in actions.split(",") if action in _ACTIONS]
        if known and (is_repository(name) if kind == "repository" else kind == "registry" and name == "catalog"):
            entries.append(Grant(kind, name, known))
    return entries


def _answer(guard: Guard, tokens: Tokens, found: Caller, wanted: list[Grant], *, refresh: bool) -> web.Response:
    token = tokens.issue(found, [grant for entry in wanted if (grant := _granted(guard, found, entry)).actions])
    fingerprint = guard.users.fingerprint(found.user) if refresh and guard.users else None
    return _json(
        Token(
            token=token,
            access_token=token,
            expires_in=int(tokens.settings.lifetime),
            issued_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            refresh_token=tokens.issue_refresh(found.user, fingerprint) if fingerprint else "",
        )
    )


def _granted(guard: Guard, caller: Caller, wanted: Grant) -> Grant:
    """The part of what is asked for that the policy gives."""
    if wanted.type != "repository":
        allowed = guard.policy.allows(caller, Scope(wanted.type, wanted.name, ("*",)))
        return Grant(wanted.type, wanted.name, wanted.actions if allowed else [])
    allowed_actions = guard.policy.actions(caller, wanted.name)
    asked = _ACTIONS[:-1] if "*" in wanted.actions else wanted.actions
    return Grant(wanted.type, wanted.name, [action for action in asked if action in allowed_actions])


def _refreshed(guard: Guard, tokens: Tokens, token: str) -> Caller | None:
    claims = tokens.read_refresh(token)
    fingerprint = guard.users.fingerprint(claims.sub) if claims and guard.users else None
    if claims is None or fingerprint is None or not hmac.compare_digest(fingerprint, claims.bound_to):
        return None
    return guard.caller(claims.sub)


def _open_to_all(guard: Guard, wanted: list[Grant]) -> bool:
    return any(_granted(guard, ANONYMOUS, entry).actions for entry in wanted)


def _tokens(guard: Guard) -> Tokens:
    if guard.tokens is None:
        raise Refused(Code.UNSUPPORTED, "there is no such endpoint", status=404)
    return guard.tokens


async def _form(request: web.BaseRequest) -> Mapping[str, str]:
    data = await read_body(request, _FORM_LIMIT_BYTES, "a form")
    return {name: values[-1] for name, values in parse_qs(data.decode("utf-8", "replace")).items()}


def _json(document: object) -> web.Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return web.Response(body=msgspec.json.encode(document), headers=headers)
