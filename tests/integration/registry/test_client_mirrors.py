"""registries.conf: mirrors, other locations, blocked registries; certs.d beside it; podman's credentials."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import msgspec
import pytest
from tests.conftest import Cli

from jubako.errors import InvalidArgument, NotFound, PermissionDenied
from jubako.image.catalog import Images
from jubako.image.reference import parse
from jubako.registry.client import configuration, pull, push
from jubako.registry.client.credentials import credentials_for

from .images import make_image
from .scripted import Answer, scripted

pytestmark = pytest.mark.root


@pytest.fixture
def write(configuration: Path):
    """Writes registries.conf."""

    def write(text: str) -> None:
        path = configuration.with_name("registries.conf")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    return write


def sources(text: str) -> list[str]:
    found = configuration.sources(parse(text), configuration.load())
    return [f"{source.ref}{' insecure' * source.insecure}" for source in found]


def test_names_are_matched_by_their_longest_beginning(write):
    write("""
        [[registry]]
        prefix = "example.com"
        location = "other.example"
        [[registry]]
        prefix = "example.com/team"
        location = "localhost:5000/mirrored/team"
        insecure = true
        [[registry.mirror]]
        location = "first.example:8443"
        [[registry.mirror]]
        location = "second.example/cache"
        insecure = true
        pull-from-mirror = "digest-only"
        [[registry]]
        prefix = "*.corp.example"
        insecure = true
        [[registry]]
        prefix = "docker.io"
        [[registry.mirror]]
        location = "hub.example"
    """)
    digest = "sha256:" + "0" * 64
    assert sources("example.com/x:1") == ["other.example/x:1"]
    assert sources("example.com/teams:1") == ["other.example/teams:1"]
    assert sources("example.com/team/x:1") == ["first.example:8443/x:1", "localhost:5000/mirrored/team/x:1 insecure"]
    assert sources(f"example.com/team/x@{digest}")[1] == f"second.example/cache/x@{digest} insecure"
    assert sources("a.corp.example/x:1") == ["a.corp.example/x:1 insecure"]
    assert sources("busybox") == ["hub.example/library/busybox:latest", "docker.io/library/busybox:latest"]
    assert sources("elsewhere.example/x:1") == ["elsewhere.example/x:1"]


@pytest.mark.parametrize(
    "text", ["[[registry]]\nlocaton = 'x'", "nonsense", "unqualified-search-registries = ['x']", "\xff", "[registry]"]
)
def test_a_malformed_file_is_told_by_name(write, text, other, options):
    write(text)
    with pytest.raises(InvalidArgument, match=r"registries\.conf"):
        pull(other, Images(other), parse("127.0.0.1:1/x"), options=options)


def test_a_blocked_registry_is_not_asked(write, other, options):
    write('[[registry]]\nlocation = "127.0.0.1:1"\nblocked = true\n')
    with pytest.raises(PermissionDenied, match="blocked"):
        pull(other, Images(other), parse("127.0.0.1:1/x"), options=options)


def mirrored(origin: str, *mirrors: str) -> str:
    return f'[[registry]]\nlocation = "{origin}"\n' + "".join(
        f'[[registry.mirror]]\nlocation = "{m}"\n' for m in mirrors
    )


def test_a_mirror_serves_and_the_registry_is_not_asked(write, honest, image, other, options):
    with scripted(honest) as mirror, scripted(honest) as origin:
        write(mirrored(origin.domain, mirror.domain))
        pulled = pull(other, Images(other), parse(f"{origin.domain}/app:v1"), options=options)
    assert (pulled.id, pulled.names) == (image.id, [f"{origin.domain}/app:v1"])
    assert (len(mirror.asked), origin.asked) == (4, [])


def test_commands_read_the_file(write, configuration, honest, image, state: Cli):
    env = {"JUBAKO_REGISTRIES_CONF": str(configuration.with_name("registries.conf"))}
    with scripted(honest) as mirror:
        write(mirrored("127.0.0.1:1", mirror.domain))
        done = state.run("pull", "-q", "127.0.0.1:1/app:v1", env=env)
        assert (done.stdout, done.stderr) == (b"127.0.0.1:1/app:v1\n", b"")
        state("rmi", "127.0.0.1:1/app:v1")
    write("registry = 1")
    assert b"registries.conf: Expected `array`" in state.run("pull", "127.0.0.1:1/app:v1", env=env).stderr


@pytest.mark.parametrize("status", [404, 401, 403, 429, 500])
def test_what_a_mirror_refuses_comes_from_the_next(write, honest, image, other, options, status):
    fast = msgspec.structs.replace(options, retries=0)
    with scripted(lambda asked: Answer(status)) as first, scripted(honest) as second, scripted(honest) as origin:
        write(mirrored(origin.domain, "127.0.0.1:1", first.domain, second.domain))
        assert pull(other, Images(other), parse(f"{origin.domain}/app:v1"), options=fast).id == image.id
    assert (len(second.asked), origin.asked) == (4, [])


def test_a_blob_that_a_mirror_has_wrong_or_breaks_off_comes_from_the_registry(write, honest, image, other, options):
    def script(asked):
        answer = honest(asked)
        if "/blobs/" not in asked.path:
            return answer
        if image.manifest.layers[0].digest in asked.path:
            return answer._replace(body=answer.body[:2_000_000], length=len(answer.body))
        return answer._replace(body=b"\0" + answer.body[1:-1] + b"!")

    fast = msgspec.structs.replace(options, retries=0)
    with scripted(script) as mirror, scripted(honest) as origin:
        write(mirrored(origin.domain, mirror.domain))
        assert pull(other, Images(other), parse(f"{origin.domain}/app:v1"), options=fast).id == image.id
    resumed = [asked.headers["Range"] for asked in origin.asked if "Range" in asked.headers]
    assert resumed == ["bytes=2000000-"]


def test_the_last_refusal_is_the_registrys(write, honest, other, options):
    with scripted(lambda asked: Answer(500)) as mirror, scripted(lambda asked: Answer(404)) as origin:
        write(mirrored(origin.domain, mirror.domain))
        with pytest.raises(NotFound, match="manifest unknown"):
            pull(other, Images(other), parse(f"{origin.domain}/app:v1"), options=options)


def test_pushes_go_to_the_location_and_never_to_a_mirror(write, store, registry, options):
    image = make_image(store, "registry.invalid/app:v1", b"x")
    write(mirrored("registry.invalid", "127.0.0.1:1") + f'[[registry]]\nprefix = "registry.invalid/app"\n'
          f'location = "{registry.domain}/moved/app"\n')  # fmt: skip
    push(store, image, parse("registry.invalid/app:v1"), options=options)
    assert registry("GET", "/v2/moved/app/tags/list").json()["tags"] == ["v1"]


def auth(user: str) -> dict[str, str]:
    return {"auth": b64encode(f"{user}:secret".encode()).decode()}


def test_podmans_file_has_credentials_for_parts_of_a_registry(tmp_path, monkeypatch):
    monkeypatch.delenv("JUBAKO_AUTH_FILE")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    path = tmp_path / "run/containers/auth.json"
    path.parent.mkdir(parents=True)
    auths = {
        "quay.io/team/app": auth("app"),
        "quay.io/team": auth("team"),
        "quay.io": auth("all"),
        "docker.io": auth("hub"),
    }
    path.write_text(msgspec.json.encode({"auths": auths}).decode())

    def user(domain: str, repository: str = "") -> str | None:
        found = credentials_for(domain, repository)
        return found.user if found else None

    assert user("quay.io", "team/app") == "app"
    assert user("quay.io", "team/application") == "team"
    assert user("quay.io", "other") == "all"
    assert user("docker.io", "library/busybox") == "hub"
    assert user("elsewhere.example", "team/app") is None
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/config.json").write_text(msgspec.json.encode({"auths": {"quay.io": auth("docker")}}).decode())
    assert user("quay.io", "team/app") == "docker"
    (tmp_path / "named").write_text(msgspec.json.encode({"auths": {"quay.io/team": auth("named")}}).decode())
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "named"))
    assert (user("quay.io", "team/app"), user("quay.io", "x")) == ("named", "docker")
