from __future__ import annotations

from jubako.registry.server.tokens import LIFETIME_S, Access, Tokens, load_key

ACCESS = [Access("repository", "a", ["pull"])]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_token_says_who_may_what_until_it_expires():
    clock = Clock()
    tokens = Tokens(b"k" * 32, "service", clock=clock)
    token = tokens.issue("ann", ACCESS)
    claims = tokens.read(token)
    assert claims is not None
    assert (claims.sub, claims.access) == ("ann", ACCESS)
    clock.now += LIFETIME_S
    assert tokens.read(token) is None


def test_token_of_another_key_or_service_is_nothing():
    token = Tokens(b"k" * 32, "service").issue("ann", ACCESS)
    assert Tokens(b"x" * 32, "service").read(token) is None
    assert Tokens(b"k" * 32, "other").read(token) is None


def test_key_is_made_once_and_kept_private(tmp_path):
    key = load_key(tmp_path)
    assert (len(key), load_key(tmp_path)) == (32, key)
    assert [(path.name, path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [("token.key", 0o600)]
