"""Redirects, challenges and tokens: credentials go where they are meant, and nowhere else."""

from __future__ import annotations

import json

import pytest

from jubako.errors import InvalidArgument, NotFound, Unauthenticated, Unavailable
from jubako.image.reference import parse
from jubako.registry.client import Credentials, push
from jubako.spec.oci_image import MANIFEST

from .scripted import Answer, scripted

pytestmark = pytest.mark.root
CREDENTIALS = Credentials("ann", "secret")


def test_redirect_to_another_host_is_followed_without_authorization(honest, fetch, image):
    with scripted(lambda asked: honest(asked._replace(path=asked.path.replace("/cdn/", "/blobs/")))) as cdn:

        def script(asked):
            if "Authorization" not in asked.headers and asked.path != "/v2/":
                return Answer(401, headers={"WWW-Authenticate": 'Basic realm="x"'})
            if "/blobs/" in asked.path:
                return Answer(307, headers={"Location": f"{cdn.base}/cdn/{asked.path.rpartition('/')[2]}"})
            return honest(asked)

        with scripted(script) as server:
            assert fetch(server, credentials=CREDENTIALS).id == image.id
        assert server.count("/blobs/") == 3
        assert len(cdn.asked) == 3
        assert not any("Authorization" in asked.headers for asked in cdn.asked)


@pytest.mark.parametrize(
    "target",
    ["http://registry.invalid/blob", "ftp://127.0.0.1/blob", "file:///etc/passwd", "https://169.254.169.254/x"],
)
def test_redirect_to_where_no_blob_can_be_is_refused(honest, fetch, target):
    def script(asked):
        return Answer(307, headers={"Location": target}) if "/blobs/" in asked.path else honest(asked)

    with scripted(script) as server, pytest.raises(InvalidArgument, match="refusing to follow"):
        fetch(server)


@pytest.mark.parametrize("kept", [True, False], ids=["the registry has it", "it is elsewhere"])
def test_urls_of_foreign_layers_are_never_asked(honest, fetch, image, store, kept):
    with scripted(lambda asked: Answer(body=b"no layer")) as elsewhere:
        document = json.loads(store.blobs.read(image.manifest_digest))
        foreign = document["layers"][1]
        foreign["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
        foreign["urls"] = [f"{elsewhere.base}/layer", "http://169.254.169.254/layer"]

        def script(asked):
            if "/manifests/" in asked.path:
                return Answer(body=json.dumps(document).encode(), headers={"Content-Type": MANIFEST})
            return Answer(404) if asked.path.endswith(foreign["digest"]) and not kept else honest(asked)

        with scripted(script) as server:
            if kept:
                assert fetch(server).diff_ids == image.diff_ids
            else:
                with pytest.raises(NotFound):
                    fetch(server)
        assert elsewhere.asked == []


def test_an_upload_to_where_no_registry_can_be_is_refused(store, image, options):
    def script(asked):
        location = {"Location": "http://169.254.169.254/latest"}
        return Answer(202, headers=location) if asked.method == "POST" else Answer(404)

    with scripted(script) as server, pytest.raises(InvalidArgument, match="refusing to follow"):
        push(store, image, parse(f"{server.domain}/app:v1"), options=options)


@pytest.mark.parametrize("status", [307, 308])
def test_a_push_follows_where_the_registry_moved_to(store, image, options, status):
    def moved(asked):
        if asked.method == "HEAD":
            return Answer(404)
        return Answer(202, headers={"Location": "1?state=x"}) if asked.method == "POST" else Answer(201)

    with scripted(moved) as there:
        gone = lambda asked: Answer(status, headers={"Location": there.base + asked.path})  # noqa: E731
        with scripted(lambda asked: Answer() if asked.path == "/v2/" else gone(asked)) as server:
            push(store, image, parse(f"{server.domain}/app:v1"), options=options)
        puts = [(asked.path.partition("?digest")[0], asked.body) for asked in there.asked if asked.method == "PUT"]
    assert all(path.startswith("/v2/app/blobs/uploads/1?state=x") for path, _ in puts[:-1])
    assert puts[-1] == ("/v2/app/manifests/v1", store.blobs.read(image.manifest_digest))


def test_a_write_that_would_become_a_read_is_not_redirected(store, image, options):
    def script(asked):
        return Answer(302, headers={"Location": "/v2/"}) if asked.method == "POST" else Answer(404)

    with scripted(script) as server, pytest.raises(InvalidArgument, match="unexpected status 302"):
        push(store, image, parse(f"{server.domain}/app:v1"), options=options)


def test_challenge_of_another_host_gets_no_credentials(honest, fetch):
    """Of where a registry redirects to, as of a registry's token service elsewhere (CVE-2020-15157)."""
    with scripted(lambda asked: Answer(body=b'{"token": "t"}')) as thief:
        challenge = {"WWW-Authenticate": f'Bearer realm="{thief.base}/token"'}
        with scripted(lambda asked: Answer(401, headers=challenge)) as cdn:

            def script(asked):
                location = {"Location": f"{cdn.base}{asked.path}"}
                return Answer(307, headers=location) if "/blobs/" in asked.path else honest(asked)

            with scripted(script) as server, pytest.raises(Unauthenticated):
                fetch(server, credentials=CREDENTIALS)
        assert thief.asked == []


def test_redirects_in_a_circle_end(fetch):
    script = lambda asked: Answer(307, headers={"Location": asked.path}) if "/app/" in asked.path else Answer()  # noqa: E731
    with scripted(script) as server, pytest.raises(Unavailable, match="redirects"):
        fetch(server)


def test_cve_2020_15157_token_realm_elsewhere_over_http_gets_no_credentials(fetch):
    challenge = 'Bearer realm="http://tokens.invalid/token",service="x"'
    with (
        scripted(lambda asked: Answer(401, headers={"WWW-Authenticate": challenge})) as server,
        pytest.raises(InvalidArgument, match="refusing to follow"),
    ):
        fetch(server, credentials=CREDENTIALS)


def test_token_is_asked_for_once_with_scope_and_sent_only_to_the_registry(honest, fetch, image):
    def script(asked):
        if asked.path.startswith("/token"):
            return Answer(body=b'{"token": "t0ken", "expires_in": 60}')
        if asked.headers.get("Authorization") != "Bearer t0ken" and asked.path != "/v2/":
            realm = f'Bearer realm="{server.base}/token",service="s p",scope="repository:app:pull"'
            return Answer(401, headers={"WWW-Authenticate": realm})
        return honest(asked)

    with scripted(script) as server:
        assert fetch(server, credentials=CREDENTIALS).id == image.id
        tokens = [asked for asked in server.asked if asked.path.startswith("/token")]
    assert [asked.path for asked in tokens] == ["/token?service=s+p&scope=repository%3Aapp%3Apull&account=ann"]
    assert tokens[0].headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize("more", ['"token": null', '"expires_in": null', '"expires_in": "300", "issued_at": 0'])
def test_what_a_token_service_adds_to_the_token_does_not_matter(honest, fetch, image, more):
    def script(asked):
        if asked.path.startswith("/token"):
            return Answer(body=b'{"access_token": "t", %s}' % more.encode())
        if asked.path != "/v2/" and asked.headers.get("Authorization") != "Bearer t":
            return Answer(401, headers={"WWW-Authenticate": f'Bearer realm="{server.base}/token"'})
        return honest(asked)

    with scripted(script) as server:
        assert fetch(server).id == image.id


def test_expired_token_is_renewed(honest, fetch, image):
    def script(asked):
        issued = server.count("/token")
        if asked.path.startswith("/token"):
            return Answer(body=b'{"access_token": "t%d"}' % issued)
        # The first token is no longer good when it comes to blobs.
        good = "Bearer t2" if "/blobs/" in asked.path else "Bearer t1"
        if asked.path != "/v2/" and asked.headers.get("Authorization") != good:
            return Answer(401, headers={"WWW-Authenticate": f'Bearer realm="{server.base}/token"'})
        return honest(asked)

    with scripted(script) as server:
        assert fetch(server).id == image.id
        assert server.count("/token") == 2


def test_identity_token_is_exchanged_by_oauth2(honest, fetch, image):
    def script(asked):
        if asked.path == "/token":
            return Answer(body=b'{"access_token": "t"}') if asked.method == "POST" else Answer(405)
        if asked.path != "/v2/" and asked.headers.get("Authorization") != "Bearer t":
            return Answer(401, headers={"WWW-Authenticate": f'Bearer realm="{server.base}/token"'})
        return honest(asked)

    with scripted(script) as server:
        assert fetch(server, credentials=Credentials(identity_token="id")).id == image.id


def test_registry_that_never_accepts_a_token_is_unauthenticated(fetch):
    def script(asked):
        if asked.path.startswith("/token"):
            return Answer(body=b'{"token": "t"}')
        return Answer(401, headers={"WWW-Authenticate": f'Bearer realm="{server.base}/token"'})

    with scripted(script) as server, pytest.raises(Unauthenticated, match="authentication required"):
        fetch(server)
    assert server.count("/manifests/") == 2
