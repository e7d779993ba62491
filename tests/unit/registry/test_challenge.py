from __future__ import annotations

from jubako.registry.client.challenge import parse


def test_bearer_with_quoted_parameters():
    (found,) = parse('Bearer realm="https://auth.example/token",service="a b",scope="repository:x/y:pull,push"')
    assert found.scheme == "bearer"
    assert found.parameters == {
        "realm": "https://auth.example/token",
        "service": "a b",
        "scope": "repository:x/y:pull,push",
    }


def test_several_challenges_in_one_header():
    assert [c.scheme for c in parse('Basic realm="x", Bearer realm="y",service=z, Negotiate')] == [
        "basic",
        "bearer",
        "negotiate",
    ]


def test_escapes_and_bare_values():
    (found,) = parse(r'BEARER Realm="a\"b" , Service=plain')
    assert found.parameters == {"realm": 'a"b', "service": "plain"}


def test_nonsense_is_no_challenge():
    assert parse("") == []
    assert parse("=,=,") == []
    assert [c.parameters for c in parse('Bearer realm="unclosed')] == [{}]
