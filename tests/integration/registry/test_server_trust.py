"""Policy, the OAuth2 form of the token service, client certificates, and reading the configuration again."""

from __future__ import annotations

import subprocess
from urllib.parse import urlencode

import bcrypt
import jwt
import pytest
import urllib3

from .peer import Http, basic

pytestmark = pytest.mark.root
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
POLICY = """
  groups: {team: [ann, bob]}
  policy:
  - {repositories: ["team/**"], actions: [pull, push], groups: [team]}
  - {repositories: ["team/**"], actions: [delete], users: [ann]}
  - {repositories: ["public/*"], actions: [pull], anonymous: true}
"""


def write_users(path, **passwords):
    lines = [f"{user}:{bcrypt.hashpw(text.encode(), bcrypt.gensalt(4)).decode()}" for user, text in passwords.items()]
    path.write_text("\n".join(lines))


@pytest.fixture
def users(tmp_path):
    path = tmp_path / "users"
    write_users(path, ann="secret", bob="secret", eve="secret")
    return path


def test_policy_decides_by_user_group_and_repository(serve_file, users):
    with serve_file(f"access:\n  htpasswd: {users}{POLICY}") as registry:
        location = "/v2/team/a/b/blobs/uploads/"
        assert registry("POST", location, **basic("bob")).status == 202
        assert registry("DELETE", "/v2/team/a/b/manifests/x", **basic("bob")).status == 403
        assert registry("DELETE", "/v2/team/a/b/manifests/x", **basic("ann")).status == 404
        assert registry("POST", location, **basic("eve")).status == 403
        assert registry("POST", location).status == 401
        assert registry("GET", "/v2/public/x/manifests/v1").status == 404
        assert registry("POST", "/v2/public/x/blobs/uploads/", **basic("ann")).status == 403


def test_catalog_shows_what_the_caller_may_pull(serve_file, users):
    open_up = "\n  - {repositories: ['**'], actions: [push, pull], users: [ann]}"
    with serve_file(f"access:\n  htpasswd: {users}{POLICY.rstrip()}{open_up}\n") as registry:
        for name in ("team/a", "public/x", "private"):
            assert registry("POST", f"/v2/{name}/blobs/uploads/?digest={EMPTY}", b"", **basic("ann")).status == 201
        assert registry("GET", "/v2/_catalog", **basic("ann")).json()["repositories"] == [
            "private",
            "public/x",
            "team/a",
        ]
        assert registry("GET", "/v2/_catalog", **basic("eve")).json()["repositories"] == ["public/x"]


EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_anonymous_mount_takes_only_what_the_caller_may_pull(serve_file, users):
    own = "\n  - {repositories: ['ann/*'], actions: [push, pull], users: [ann]}"
    own += "\n  - {repositories: ['eve/*'], actions: [push, pull], users: [eve]}"
    with serve_file(f"access:\n  htpasswd: {users}{POLICY.rstrip()}{own}\n") as registry:
        registry("POST", f"/v2/ann/a/blobs/uploads/?digest={EMPTY}", b"", **basic("ann"))
        assert registry("POST", f"/v2/eve/a/blobs/uploads/?mount={EMPTY}", **basic("eve")).status == 202
        assert registry("POST", f"/v2/ann/b/blobs/uploads/?mount={EMPTY}", **basic("ann")).status == 201


@pytest.fixture
def token_service(serve_file, users):
    with serve_file(f"access:\n  htpasswd: {users}\n  token_service: {{lifetime: 90s}}{POLICY}") as registry:
        yield registry


def ask(registry, **form):
    return registry("POST", "/token", urlencode(form).encode(), **FORM)


def test_form_gives_a_token_with_what_the_policy_allows(token_service):
    scope = "repository:team/a:pull,push,delete repository:private:pull"
    answer = ask(token_service, grant_type="password", username="bob", password="secret", scope=scope, client_id="x")
    found = answer.json()
    assert (answer.status, found["expires_in"], "refresh_token" in found) == (200, 90, False)
    keys = token_service("GET", "/.well-known/jwks.json").json()
    claims = jwt.decode(
        found["access_token"], jwt.PyJWKSet.from_dict(keys).keys[0], ["ES256"], audience="jubako-registry"
    )
    assert claims["access"] == [{"type": "repository", "name": "team/a", "actions": ["pull", "push"]}]
    authorized = {"Authorization": f"Bearer {found['access_token']}"}
    assert token_service("POST", "/v2/team/a/blobs/uploads/", **authorized).status == 202
    assert token_service("DELETE", "/v2/team/a/manifests/x", **authorized).status == 401


def test_refresh_token_buys_tokens_until_the_password_changes(token_service, users):
    first = ask(token_service, grant_type="password", username="ann", password="secret", access_type="offline").json()
    refresh = {
        "grant_type": "refresh_token",
        "refresh_token": first["refresh_token"],
        "scope": "repository:team/a:pull",
    }
    assert ask(token_service, **refresh).status == 200
    assert token_service("GET", "/v2/", Authorization=f"Bearer {first['refresh_token']}").status == 401
    write_users(users, ann="changed", bob="secret")
    assert ask(token_service, **refresh).status == 401


def test_form_that_is_wrong_is_refused(token_service):
    assert ask(token_service, grant_type="password", username="ann", password="guess").status == 401
    assert ask(token_service, grant_type="password").status == 401
    assert ask(token_service, grant_type="refresh_token", refresh_token="x").status == 401
    assert ask(token_service, grant_type="magic").status == 400
    assert ask(token_service, grant_type="password", password="x" * 100_000).status == 413


def test_realm_is_the_configured_one_whatever_host_was_asked(serve_file, users):
    realm = "https://registry.example.com/token"
    with serve_file(f"access:\n  htpasswd: {users}\n  token_service: {{realm: '{realm}'}}\n") as registry:
        answer = registry("GET", "/v2/", Host="evil.example.com")
        assert f'realm="{realm}"' in answer.headers["WWW-Authenticate"]


def make_certificate(base, name, signer=None, extra=()):
    """A key and a certificate for `name`: an authority's own, or signed by one."""
    key, cert = base / f"{name}.key", base / f"{name}.pem"
    common = f"openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /OU=team/CN={name}"
    signed = ["-CA", f"{signer}.pem", "-CAkey", f"{signer}.key"] if signer else []
    subprocess.run(
        [*common.split(), "-x509", "-days", "2", *signed, *extra, "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
        cwd=base,
    )
    return cert, key


def test_client_certificate_stands_for_its_common_name_and_unit(serve_file, certificate, tmp_path):
    authority, _ = make_certificate(tmp_path, "authority")
    cert, key = make_certificate(tmp_path, "ann", "authority")
    stranger, stranger_key = make_certificate(tmp_path, "stranger")
    tls = f"tls: {{certificate: {certificate[0]}, key: {certificate[1]}, client_authorities: {authority}}}\n"
    with serve_file(f"{tls}access:{POLICY}") as registry:
        trusted = {"ca_certs": str(certificate[0])}
        ann = Http(registry.base, cert_file=str(cert), key_file=str(key), **trusted)
        assert ann("POST", "/v2/team/a/blobs/uploads/").status == 202
        assert ann("POST", "/v2/private/blobs/uploads/").status == 403
        for wrong in ({}, {"cert_file": str(stranger), "key_file": str(stranger_key)}):
            with pytest.raises(urllib3.exceptions.HTTPError):
                Http(registry.base, **wrong, **trusted)("GET", "/v2/")


def test_configuration_is_read_again_and_a_wrong_one_changes_nothing(serve_file, users, tmp_path):
    path = tmp_path / "registry.yaml"
    with serve_file("") as registry:
        before = path.read_text()
        assert registry("GET", "/v2/").status == 200
        path.write_text(f"{before}access: {{htpasswd: {users}}}\n")
        registry.reload()
        assert registry("GET", "/v2/").status == 401
        path.write_text("listen: [\n")
        registry.reload()
        assert registry("GET", "/v2/").status == 401
        path.write_text(before)
        registry.reload()
        assert registry("GET", "/v2/").status == 200
