"""Tokens of an OpenID Connect issuer, as bearer and as password."""

from __future__ import annotations

import threading
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from jubako.registry.server.access.caller import Caller
from jubako.registry.server.access.oidc import Issuer
from jubako.registry.server.config.schema import Oidc

from .issuer import AUDIENCE, issuing

pytestmark = pytest.mark.root


@pytest.fixture
def issuer():
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def registry(issuer, serve_file):
    policy = "[{repositories: ['team/*'], actions: [pull, push], groups: [team]}]"
    with serve_file(
        f"access:\n  oidc: [{{issuer: '{issuer.url}', audience: {AUDIENCE}, user_claim: email}}]\n  policy: {policy}\n"
    ) as http:
        yield http


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_token_of_the_issuer_stands_for_a_user_in_groups(issuer, registry):
    ann = bearer(issuer.token("1", email="ann", groups=["team"]))
    bob = bearer(issuer.token("2", email="bob", groups=["other"]))
    assert registry("GET", "/v2/", **bob).status == 200
    assert registry("POST", "/v2/team/a/blobs/uploads/", **ann).status == 202
    refused = registry("POST", "/v2/team/a/blobs/uploads/", **bob)
    assert (refused.status, registry.code(refused)) == (403, "DENIED")
    assert issuer.fetches == 1


def test_token_is_taken_as_a_password(issuer, registry):
    token = issuer.token("1", email="ann", groups=["team"])
    basic = {"Authorization": "Basic " + b64encode(f"anybody:{token}".encode()).decode()}
    assert registry("POST", "/v2/team/a/blobs/uploads/", **basic).status == 202


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"iss": "https://login.example.com"},
        {"exp": int(time.time()) - 3600},
        {"email": None},
        {"email": 7},
        {"nbf": int(time.time()) + 3600},
    ],
)
def test_token_that_is_not_for_us_or_not_for_now_is_refused(issuer, registry, claims):
    token = issuer.token("1", **({"email": "ann"} | claims))
    assert registry("GET", "/v2/", **bearer(token)).status == 401


def test_token_that_somebody_else_signed_is_refused(issuer, registry):
    registry("GET", "/v2/", **bearer(issuer.token("1", email="ann")))
    claims = {"iss": issuer.url, "aud": AUDIENCE, "email": "ann", "exp": int(time.time()) + 300}
    public = issuer.answer("/keys")["keys"][0]["n"]
    forged = jwt.encode(claims, public, "HS256", {"kid": "first"})
    unsigned = jwt.encode(claims, None, "none", {"kid": "first"})
    issuer.rotate("first")
    other_key = issuer.token("1", email="ann")
    for token in (forged, unsigned, other_key):
        assert registry("GET", "/v2/", **bearer(token)).status == 401


def test_unknown_keys_do_not_make_us_ask_the_issuer_again_and_again(issuer, registry):
    registry("GET", "/v2/", **bearer(issuer.token("1", email="ann")))
    issuer.rotate("second")
    for _ in range(5):
        assert registry("GET", "/v2/", **bearer(issuer.token("1", email="ann"))).status == 401
    assert issuer.fetches == 1


def test_known_keys_stay_while_the_issuer_is_away():
    now = [0.0]
    with issuing() as issuer:
        reader = Issuer(Oidc(issuer=issuer.url, audience=AUDIENCE), clock=lambda: now[0])
        token = issuer.token("ann")
        assert reader.read(token) == Caller("ann")
    now[0] += 60
    issuer.rotate("second")
    assert reader.read(issuer.token("ann")) is None
    assert reader.read(token) == Caller("ann")


def test_a_known_key_does_not_wait_while_an_unknown_one_is_asked_for(monkeypatch):
    now = [0.0]
    with issuing() as issuer, ThreadPoolExecutor(2) as threads:
        reader = Issuer(Oidc(issuer=issuer.url, audience=AUDIENCE), clock=lambda: now[0])
        known = issuer.token("ann")
        assert reader.read(known) == Caller("ann")
        now[0] += 60
        issuer.rotate("second")
        asked, go_on = threading.Event(), threading.Event()
        answer = issuer.answer

        def slow(path):
            asked.set()
            assert go_on.wait(30)
            return answer(path)

        monkeypatch.setattr(issuer, "answer", slow)
        unknown = threads.submit(reader.read, issuer.token("bob"))
        try:
            assert asked.wait(30)
            assert threads.submit(reader.read, known).result(5) == Caller("ann")
        finally:
            go_on.set()
        assert unknown.result(30) == Caller("bob")
