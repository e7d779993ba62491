from __future__ import annotations

import re
from pathlib import Path

import pytest

from jubako.errors import InvalidArgument
from jubako.registry.server.config import configured, load
from jubako.registry.server.config.values import Duration, Size
from jubako.registry.server.globs import Glob

WHOLE = """
root: data
listen: 0.0.0.0:5000
processes: 2
drain: 1m
access:
  htpasswd: users
  groups: {team: [ann]}
  token_service: {service: registry.example.com, lifetime: 90s}
  oidc: [{issuer: "https://login.example.com", audience: registry}]
  policy:
    - {repositories: ["team/**"], actions: [pull, push], groups: [team]}
    - {repositories: ["**"], actions: [pull], anonymous: true}
storage: {s3: {bucket: images, endpoint: "http://127.0.0.1:9000"}}
collection: {every: 6h, grace: 2h, delete_untagged: true}
repositories:
  - {match: ["prod/**"], immutable_tags: ["v*"], quota: 10GB, retention: [{newest: 5, max_age: 90d}]}
upstreams: [{prefix: hub, url: "https://registry.example.com"}]
peers: [{url: "https://other.example.com", repositories: ["prod/**"]}]
webhooks: [{url: "https://hooks.example.com/x", events: [push]}]
limits: {rate: 50, burst: 200, blob: 10GiB}
log: {access: json}
"""


@pytest.fixture
def write(tmp_path):
    (tmp_path / "users").touch()

    def write(text):
        path = tmp_path / "registry.yaml"
        path.write_text(text)
        return path

    return write


def test_every_section_is_read(write, tmp_path):
    found = load(write(WHOLE))
    assert (found.root, found.access.htpasswd) == (tmp_path / "data", tmp_path / "users")
    assert (found.drain, found.limits.blob) == (60, 10 << 30)
    assert found.repositories[0].retention[0].max_age == 90 * 86400


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("root: x\nlisten: 5\n", "line 2: listen: Expected `str`, got `int`"),
        ("root: x\nfoo: 1\n", "line 2: there is no such key: foo"),
        ("root: x\naccess:\n  bar: 2\n", "line 3: access: there is no such key: bar"),
        ("root: x\nrepositories:\n- match: [a]\n  quota: 3 apples\n", r"line 4: repositories\[0\].quota: '3 apples'"),
        ("root: x\nroot: y\n", "line 2: root is given twice"),
        ("- a\n", "line 1: Expected `object`, got `array`"),
        ("root: [\n", "is not valid YAML"),
        ("root: x\nprocesses: 0\n", "line 2: processes: expected a number from 1 to 64"),
        ("root: x\nwebhooks:\n- url: ftp://x\n", r"line 3: webhooks\[0\].url: 'ftp://x'"),
        ("root: x\npeers:\n- url: https://ann:secret@x\n", r"peers\[0\].url: .* without credentials"),
        ("root: x\naccess: {htpasswd: nope}\n", "line 2: access.htpasswd: there is no file"),
        ("root: x\naccess: {token_service: {}}\n", "needs users"),
        ("root: x\ndrain: soon\n", "line 2: drain: 'soon' is not a duration"),
        ("root: x\nupstreams:\n- {prefix: Up, url: 'https://x'}\n", r"upstreams\[0\].prefix: 'Up'"),
        ("root: x\naccess:\n  policy:\n  - {repositories: ['a'], actions: [fly]}\n", "line 4: .*actions.*'fly'"),
        ("root: x\nrepositories: [{match: [a], retention: [{}]}]\n", "newest, max_age or both"),
    ],
)
def test_mistake_is_told_with_its_key_and_line(write, text, message):
    with pytest.raises(InvalidArgument, match=message):
        load(write(text))


def test_missing_file_is_told(tmp_path):
    with pytest.raises(InvalidArgument, match=r"/nothing.yaml: No such file or directory$"):
        load(tmp_path / "nothing.yaml")


def test_certificate_needs_its_key(tmp_path):
    with pytest.raises(InvalidArgument, match="needs its key"):
        configured(tmp_path, tls_cert=tmp_path)


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("1.5h", 5400), ("30d", 2592000), (5, 5), ("200ms", 0.2)])
def test_durations(text, value):
    assert Duration.read(text) == value


@pytest.mark.parametrize(("text", "value"), [("500MB", 500_000_000), ("2GiB", 2 << 30), (7, 7), ("1kb", 1000)])
def test_sizes(text, value):
    assert Size.read(text) == value


@pytest.mark.parametrize(
    ("glob", "name", "matches"),
    [
        ("team/*", "team/a", True),
        ("team/*", "team/a/b", False),
        ("team/**", "team/a/b", True),
        ("team/**", "team", True),
        ("team/**", "teams/a", False),
        ("**", "anything/at/all", True),
        ("v?.*", "v1.2", True),
        ("v?.*", "v12", False),
        ("a.b", "axb", False),
    ],
)
def test_globs(glob, name, matches):
    assert Glob(glob).matches(name) is matches


def test_example_of_the_user_documentation_is_valid(tmp_path):
    page = Path(__file__).parents[3] / "docs" / "user" / "registry.md"
    (example,) = re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    for name in re.findall(r"[\w-]+\.(?:pem|key)|[\w-]*(?:users|secret|password)(?=[,}\n])", example):
        (tmp_path / name).touch()
    path = tmp_path / "registry.yaml"
    path.write_text(example)
    found = load(path)
    assert all(getattr(found, section) for section in ("tls", "upstreams", "peers", "webhooks", "repositories"))
