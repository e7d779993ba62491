"""Our client against our registry: what is pushed comes back, and only what is missing moves."""

from __future__ import annotations

import json
import os
from base64 import b64encode

import bcrypt
import msgspec
import pytest

from jubako.errors import NotFound, Unauthenticated, Unavailable
from jubako.image import platform
from jubako.image.catalog import Images
from jubako.registry.client import Credentials, login, logout, pull, push

from .images import make_image, make_index

pytestmark = pytest.mark.root


class Log:
    """Progress as lines."""

    def __init__(self):
        self.statuses = {}

    def update(self, id, status, current=None, total=None):
        self.statuses.setdefault(id, []).append(status)

    def last(self):
        return sorted(statuses[-1] for id, statuses in self.statuses.items() if len(id) == 12)


@pytest.fixture
def ref(registry):
    return registry.reference("group/app:v1")


def test_image_pushed_and_pulled_is_the_same(store, other, ref, options):
    image = make_image(store, "app", os.urandom(3_000_000), b"small", b"")
    pushed = push(store, image, ref, options=options)
    pulled = pull(other, Images(other), ref, options=options)
    assert (pulled.id, pulled.manifest_digest) == (image.id, pushed.digest)
    for layer in image.manifest.layers:
        assert other.blobs.read(layer.digest) == store.blobs.read(layer.digest)
    assert Images(other).resolve(str(ref)).id == image.id


def test_second_push_and_pull_move_nothing(store, other, ref, options):
    image = make_image(store, "app", b"one", b"two")
    push(store, image, ref, options=options)
    log = Log()
    push(store, image, ref, options=options, progress=log)
    assert log.last() == ["Layer already exists"] * 3
    pull(other, Images(other), ref, options=options)
    log = Log()
    pull(other, Images(other), ref, options=options, progress=log)
    assert log.last() == ["Already exists"] * 2


def test_layers_are_mounted_from_another_repository(store, registry, ref, options):
    image = make_image(store, "app", b"one")
    push(store, image, ref, options=options)
    Images(store).put(str(ref), image.target)
    log = Log()
    push(store, Images(store).resolve(str(ref)), registry.reference("copy:v1"), options=options, progress=log)
    assert log.last() == ["Mounted from group/app"] * 2


def test_pull_by_digest(store, other, registry, ref, options):
    target = push(store, make_image(store, "app", b"one"), ref, options=options)
    image = pull(other, Images(other), registry.reference(f"group/app@{target.digest}"), options=options)
    assert image.manifest_digest == target.digest


def test_index_is_pushed_whole_and_pulled_for_one_platform(store, other, ref, options):
    index = make_index(store, amd64=b"for amd64", arm64=b"for arm64")
    Images(store).put("multi", index, platform=platform.parse("linux/amd64"))
    assert push(store, Images(store).resolve("multi"), ref, options=options).digest == index.digest
    image = pull(other, Images(other), ref, platform=platform.parse("linux/arm64"), options=options)
    assert image.config.architecture == "arm64"
    assert image.target.digest == index.digest
    assert len(list(other.blobs)) == 4


def test_index_that_is_not_all_here_is_pushed_as_its_one_manifest(store, other, registry, ref, options):
    index = make_index(store, amd64=b"for amd64", arm64=b"for arm64")
    Images(store).put("multi", index, platform=platform.parse("linux/amd64"))
    push(store, Images(store).resolve("multi"), ref, options=options)
    image = pull(other, Images(other), ref, platform=platform.parse("linux/arm64"), options=options)
    elsewhere = registry.reference("elsewhere:v1")
    assert push(other, image, elsewhere, options=options).digest == image.manifest_digest


def test_each_layer_is_announced_with_its_diff_id_before_the_image_has_its_name(store, other, ref, options):
    image = make_image(store, "app", b"one", b"two")
    push(store, image, ref, options=options)
    seen = []

    def on_blob(layer, diff_id):
        assert other.blobs.exists(layer.digest)
        seen.append((layer.digest, diff_id))

    def ready():
        assert Images(other).list() == []

    pull(other, Images(other), ref, options=options, on_blob=on_blob, ready=ready)
    expected = zip((layer.digest for layer in image.manifest.layers), image.diff_ids, strict=True)
    assert sorted(seen) == sorted(expected)


def test_failing_unpack_ends_the_pull_without_an_image(store, other, ref, options):
    push(store, make_image(store, "app", b"one", b"two"), ref, options=options)

    def on_blob(layer, diff_id):
        raise ValueError("cannot unpack")

    with pytest.raises(ValueError, match="cannot unpack"):
        pull(other, Images(other), ref, options=options, on_blob=on_blob)
    assert Images(other).list() == []


def test_unknown_tag_says_manifest_unknown(other, registry, options):
    with pytest.raises(NotFound, match=r"manifest for .*group/app:none not found: manifest unknown"):
        pull(other, Images(other), registry.reference("group/app:none"), options=options)


def test_unreachable_registry_says_connection_refused(other, registry, options):
    dead = registry.reference("app:v1")
    dead = msgspec.structs.replace(dead, domain="127.0.0.1:1")
    with pytest.raises(Unavailable, match=r'Get "http://127.0.0.1:1/v2/": dial tcp .*: connect: connection refused'):
        pull(other, Images(other), dead, options=options)


def test_unresolvable_registry_says_no_such_host(other, registry, options):
    dead = msgspec.structs.replace(registry.reference("app:v1"), domain="registry.invalid")
    with pytest.raises(Unavailable, match=r"lookup registry.invalid: no such host"):
        pull(other, Images(other), dead, options=options)


@pytest.fixture(params=[False, True], ids=["basic", "token"])
def guarded(request, serve, tmp_path):
    """A registry with a user, ann:secret."""
    path = tmp_path / "htpasswd"
    path.write_text(f"ann:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}\n")
    with serve(htpasswd=path, token_auth=request.param) as http:
        yield http


def test_login_push_pull_logout(guarded, store, other, options, configuration):
    ref = guarded.reference("app:v1")
    image = make_image(store, "app", b"one")
    with pytest.raises(Unauthenticated, match="authentication required"):
        push(store, image, ref, options=options)
    assert login(guarded.domain, "ann", "secret", options=options) == str(configuration)
    assert configuration.stat().st_mode & 0o777 == 0o600
    push(store, image, ref, options=options)
    assert pull(other, Images(other), ref, options=options).id == image.id
    assert logout(guarded.domain)
    assert not logout(guarded.domain)
    with pytest.raises(Unauthenticated):
        pull(other, Images(other), ref, options=options)


def test_mount_with_a_token_for_both_repositories(guarded, store, options):
    credentials = Credentials("ann", "secret")
    ref = guarded.reference("app:v1")
    image = make_image(store, str(ref), b"one")
    push(store, image, ref, options=options, credentials=credentials)
    log = Log()
    push(store, image, guarded.reference("copy:v1"), options=options, credentials=credentials, progress=log)
    assert log.last() == ["Mounted from app"] * 2


def test_wrong_password_is_told_and_not_kept(guarded, options, configuration):
    with pytest.raises(Unauthenticated, match="401 Unauthorized"):
        login(guarded.domain, "ann", "guess", options=options)
    assert not configuration.exists()


def test_credentials_of_a_docker_configuration_are_used(guarded, store, options, configuration):
    configuration.parent.mkdir()
    auth = b64encode(b"ann:secret").decode()
    configuration.write_text(json.dumps({"auths": {f"http://{guarded.domain}/v1/": {"auth": auth}}}))
    push(store, make_image(store, "app", b"one"), guarded.reference("app:v1"), options=options)


def test_missing_credential_helper_matters_only_where_credentials_are_wanted(
    registry, guarded, store, options, configuration
):
    configuration.parent.mkdir()
    configuration.write_text('{"credsStore": "nowhere"}')
    image = make_image(store, "app", b"one")
    push(store, image, registry.reference("app:v1"), options=options)
    with pytest.raises(Unavailable, match="docker-credential-nowhere is not installed"):
        push(store, image, guarded.reference("app:v1"), options=options)


def test_tls_with_a_certificate_of_ones_own(serve, tmp_path, store, other, options, certificate):
    cert, key = certificate
    with serve(tls_cert=cert, tls_key=key) as registry:
        ref = registry.reference("app:v1")
        image = make_image(store, "app", b"one" * 100_000)
        trusting = msgspec.structs.replace(options, ca_file=cert)
        push(store, image, ref, options=trusting)
        assert pull(other, Images(other), ref, options=trusting).id == image.id
        with pytest.raises(Unavailable, match="x509"):
            pull(other, Images(other), ref, options=options)
        insecure = msgspec.structs.replace(options, insecure=True)
        assert pull(other, Images(other), ref, options=insecure).id == image.id
