from __future__ import annotations

import jwt
import pytest

from jubako.registry.server.access.caller import Caller, Grant
from jubako.registry.server.access.keys import load_key
from jubako.registry.server.access.tokens import Tokens
from jubako.registry.server.config.schema import TokenService

SERVICE = TokenService(service="service")
ACCESS = [Grant("repository", "a", ["pull"])]
ANN = Caller("ann", frozenset({"team"}))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def key(tmp_path):
    return load_key(tmp_path)


def test_token_says_who_may_what_until_it_expires(key):
    clock = Clock()
    tokens = Tokens(key, SERVICE, clock=clock)
    token = tokens.issue(ANN, ACCESS)
    assert tokens.read(token) == Caller("ann", frozenset({"team"}), tuple(ACCESS))
    clock.now += SERVICE.lifetime
    assert tokens.read(token) is None


def test_token_of_another_key_or_service_is_nothing(key, tmp_path):
    token = Tokens(key, SERVICE).issue(ANN, ACCESS)
    (tmp_path / "other").mkdir()
    assert Tokens(load_key(tmp_path / "other"), SERVICE).read(token) is None
    assert Tokens(key, TokenService(service="other")).read(token) is None


def test_refresh_token_is_no_access_token_and_the_other_way_round(key):
    tokens = Tokens(key, SERVICE)
    assert tokens.read(tokens.issue_refresh("ann", "fingerprint")) is None
    assert tokens.read_refresh(tokens.issue(ANN, ACCESS)) is None
    claims = tokens.read_refresh(tokens.issue_refresh("ann", "fingerprint"))
    assert claims is not None
    assert (claims.sub, claims.bound_to) == ("ann", "fingerprint")


def test_key_set_checks_our_tokens(key):
    (published,) = jwt.PyJWKSet.from_dict(key.public_set()).keys
    claims = jwt.decode(Tokens(key, SERVICE).issue(ANN, ACCESS), published, ["ES256"], audience="service")
    assert (claims["sub"], claims["access"][0]["actions"]) == ("ann", ["pull"])


@pytest.mark.parametrize("token", ["", "x", "x.y.z", "a" * 100_000, "....", "é.é.é"])
def test_nonsense_is_no_token(key, token):
    assert Tokens(key, SERVICE).read(token) is None


def test_key_is_made_once_and_kept_private(key, tmp_path):
    assert load_key(tmp_path).id == key.id
    assert [(path.name, path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [("token.pem", 0o600)]
