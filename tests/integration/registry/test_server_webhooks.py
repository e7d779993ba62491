"""Webhooks: what they are sent, until they have it."""

from __future__ import annotations

import hmac

import pytest
from tests.waiting import until

from jubako.registry.client import push
from jubako.spec.oci_image import MANIFEST

from .images import make_image
from .listener import event_of, listening

pytestmark = pytest.mark.root


@pytest.fixture
def listener():
    with listening() as listener:
        yield listener


@pytest.fixture
def hooks(listener, tmp_path):
    secret = tmp_path / "hook-secret"
    secret.write_text("s3cret\n")
    return f"webhooks: [{{url: '{listener.url}', secret_file: {secret}, repositories: ['app/**']}}]\n"


@pytest.fixture
def upload(store, options):
    def upload(registry, name, content=b"one"):
        image = make_image(store, "x", content)
        push(store, image, registry.reference(name), options=options)
        return image

    return upload


def test_push_and_delete_are_told_signed(serve_file, hooks, listener, upload):
    with serve_file(hooks) as registry:
        image = upload(registry, "app/a:v1")
        told = listener.take()
        signature = "sha256=" + hmac.digest(b"s3cret", told.body, "sha256").hex()
        assert told.headers["X-Hub-Signature-256"] == signature
        assert told.headers["Content-Type"] == "application/vnd.docker.distribution.events.v2+json"
        assert event_of(told)["action"] == "push"
        target = event_of(told)["target"]
        assert (target["repository"], target["tag"], target["digest"]) == ("app/a", "v1", image.manifest_digest)
        assert (target["mediaType"], target["size"] > 100) == (MANIFEST, True)
        registry("DELETE", "/v2/app/a/manifests/v1")
        event = event_of(listener.take())
        assert (event["action"], event["target"]) == ("delete", {"repository": "app/a", "tag": "v1"})


def test_only_what_was_asked_for_is_told(serve_file, hooks, listener, upload):
    with serve_file(hooks.replace("repositories", "events: [delete], repositories")) as registry:
        upload(registry, "elsewhere:v1")
        upload(registry, "app/a:v1")
        registry("DELETE", "/v2/elsewhere/manifests/v1")
        registry("DELETE", "/v2/app/a/manifests/v1")
        assert event_of(listener.take())["target"]["repository"] == "app/a"
    assert listener.is_quiet()


@pytest.mark.parametrize("status", [500, 302, 404])
def test_what_was_not_received_is_sent_again_in_order(serve_file, hooks, listener, upload, status):
    listener.statuses = [status]
    with serve_file(hooks) as registry:
        upload(registry, "app/a:v1", b"one")
        upload(registry, "app/a:v2", b"two")
        first, again, second = listener.take(), listener.take(), listener.take()
        assert first.body == again.body
        assert [event_of(one)["target"]["tag"] for one in (again, second)] == ["v1", "v2"]


def test_what_waits_outlives_the_server(serve_file, hooks, listener, upload):
    listener.statuses = [503]
    with serve_file(hooks) as registry:
        upload(registry, "app/a:v1")
        listener.take()
    with serve_file(hooks):
        assert event_of(listener.take())["target"]["tag"] == "v1"


def test_link_local_addresses_are_not_sent_to(serve_file, upload, caplog):
    with serve_file("webhooks: [{url: 'http://169.254.169.254/latest'}]\n") as registry:
        upload(registry, "app/a:v1")
        until(lambda: "refusing to send" in caplog.text)
        assert "169.254.169.254" in caplog.text
