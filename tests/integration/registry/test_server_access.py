"""Who may do what: htpasswd, tokens, anonymous pull."""

from __future__ import annotations

from base64 import b64encode

import bcrypt
import pytest

from jubako.errors import InvalidArgument
from jubako.registry.client.challenge import parse
from jubako.registry.server import configured

from .peer import basic, digest_of

pytestmark = pytest.mark.root
BASIC = {"Authorization": "Basic " + b64encode(b"ann:secret").decode()}
OWNERS = (("his", "bob"), ("hers", "ann"))
WRONG = {"Authorization": "Basic " + b64encode(b"ann:guess").decode()}


@pytest.fixture
def htpasswd(tmp_path):
    path = tmp_path / "htpasswd"
    path.write_text(f"# users\nann:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}\n")
    return path


def token(registry, challenge, headers):
    realm = challenge.parameters.pop("realm")
    query = "&".join(f"{name}={value}" for name, value in challenge.parameters.items())
    answer = registry("GET", f"{realm}?{query}", **headers)
    return answer, {"Authorization": "Bearer " + answer.json().get("token", "")}


def challenge(answer):
    assert answer.status == 401
    (found,) = parse(answer.headers["WWW-Authenticate"])
    return found


def test_basic_needs_the_right_password(serve, htpasswd):
    with serve(htpasswd=htpasswd) as registry:
        answer = registry("GET", "/v2/")
        assert challenge(answer).scheme == "basic"
        assert registry.code(answer) == "UNAUTHORIZED"
        assert registry("GET", "/v2/", **WRONG).status == 401
        assert registry("GET", "/v2/", **BASIC).status == 200
        assert registry("GET", "/v2/", Authorization="Basic nonsense!").status == 401


def test_users_file_is_read_again_when_it_changes(serve, htpasswd):
    with serve(htpasswd=htpasswd) as registry:
        assert registry("GET", "/v2/", **BASIC).status == 200
        htpasswd.write_text("")
        assert registry("GET", "/v2/", **BASIC).status == 401


def test_anonymous_pull_allows_reading_and_nothing_else(serve, htpasswd):
    with serve(htpasswd=htpasswd, anonymous_pull=True) as registry:
        digest = digest_of(b"data")
        assert registry("POST", f"/v2/a/blobs/uploads/?digest={digest}", b"data", **BASIC).status == 201
        assert registry("GET", f"/v2/a/blobs/{digest}").data == b"data"
        assert registry("POST", "/v2/a/blobs/uploads/").status == 401
        assert registry("DELETE", f"/v2/a/blobs/{digest}").status == 401
        assert registry("GET", f"/v2/a/blobs/{digest}", **WRONG).status == 401


def test_upload_session_belongs_to_its_user(serve, htpasswd):
    htpasswd.write_text(htpasswd.read_text() + f"bob:{bcrypt.hashpw(b'x', bcrypt.gensalt(4)).decode()}\n")
    with serve(htpasswd=htpasswd) as registry:
        location = registry("POST", "/v2/a/blobs/uploads/", **BASIC).headers["Location"]
        bob = {"Authorization": "Basic " + b64encode(b"bob:x").decode()}
        assert registry("GET", location, **bob).status == 404
        assert registry("GET", location, **BASIC).status == 204


def test_token_allows_what_it_was_asked_for_and_no_more(serve, htpasswd):
    with serve(htpasswd=htpasswd, token_auth=True) as registry:
        wanted = challenge(registry("POST", "/v2/a/blobs/uploads/"))
        assert (wanted.scheme, wanted.parameters["scope"]) == ("bearer", "repository:a:pull,push")
        answer, bearer = token(registry, wanted, BASIC)
        assert answer.status == 200
        assert registry("POST", "/v2/a/blobs/uploads/", **bearer).status == 202
        refused = registry("POST", "/v2/b/blobs/uploads/", **bearer)
        assert challenge(refused).parameters["error"] == "insufficient_scope"
        assert registry("GET", "/v2/_catalog", **bearer).status == 401


def test_tokens_for_nobody_allow_pull_only_where_that_is_open_to_all(serve, htpasswd):
    with serve(htpasswd=htpasswd, token_auth=True, anonymous_pull=True) as registry:
        digest = digest_of(b"data")
        _, writer = token(registry, challenge(registry("POST", "/v2/a/blobs/uploads/")), BASIC)
        assert registry("POST", f"/v2/a/blobs/uploads/?digest={digest}", b"data", **writer).status == 201
        _, reader = token(registry, challenge(registry("POST", "/v2/a/blobs/uploads/")), {})
        assert registry("GET", f"/v2/a/blobs/{digest}", **reader).data == b"data"
        assert registry("POST", "/v2/a/blobs/uploads/", **reader).status == 401


def test_token_service_wants_the_right_password(serve, htpasswd):
    with serve(htpasswd=htpasswd, token_auth=True) as registry:
        wanted = challenge(registry("GET", "/v2/"))
        assert token(registry, wanted, WRONG)[0].status == 401
        assert token(registry, challenge(registry("GET", "/v2/")), {})[0].status == 401


def test_forged_token_is_refused(serve, htpasswd):
    with serve(htpasswd=htpasswd, token_auth=True) as registry:
        _, bearer = token(registry, challenge(registry("GET", "/v2/")), BASIC)
        header, payload, signature = bearer["Authorization"].removeprefix("Bearer ").split(".")
        unsigned = b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
        for forged in (f"{unsigned}.{payload}.", f"{header}.{payload}.{signature[::-1]}", "x.y.z", ""):
            assert registry("GET", "/v2/", Authorization=f"Bearer {forged}").status == 401
        assert registry("GET", "/v2/", **bearer).status == 200


@pytest.mark.parametrize("source", ["&from=secret", ""])
def test_mount_needs_the_right_to_read_the_source(serve, htpasswd, source):
    with serve(htpasswd=htpasswd, token_auth=True) as registry:
        digest = digest_of(b"data")
        _, secret = token(registry, challenge(registry("POST", "/v2/secret/blobs/uploads/")), BASIC)
        assert registry("POST", f"/v2/secret/blobs/uploads/?digest={digest}", b"data", **secret).status == 201
        _, mine = token(registry, challenge(registry("POST", "/v2/mine/blobs/uploads/")), BASIC)
        path = f"/v2/mine/blobs/uploads/?mount={digest}{source}"
        wanted = challenge(registry("POST", path, **mine))
        assert wanted.parameters["scope"] == "repository:mine:pull,push repository:secret:pull"
        _, both = token(registry, wanted, BASIC)
        assert registry("POST", path, **both).status == 201
        absent = path.replace(digest, digest_of(b"absent"))
        assert registry("POST", absent, **mine).status == 202


def test_mount_from_where_the_user_may_not_read_is_an_upload(serve_file, htpasswd):
    htpasswd.write_text(htpasswd.read_text() + htpasswd.read_text().replace("ann:", "bob:"))
    rules = ", ".join(f"{{repositories: [{name}], actions: [pull, push], users: [{user}]}}" for name, user in OWNERS)
    digest = digest_of(b"data")
    with serve_file(f"access: {{htpasswd: {htpasswd}, policy: [{rules}], token_service: {{}}}}\n") as registry:
        _, his = token(registry, challenge(registry("POST", "/v2/his/blobs/uploads/")), basic("bob"))
        assert registry("POST", f"/v2/his/blobs/uploads/?digest={digest}", b"data", **his).status == 201
        _, hers = token(registry, challenge(registry("POST", "/v2/hers/blobs/uploads/")), BASIC)
        for source in ("&from=his", ""):
            assert registry("POST", f"/v2/hers/blobs/uploads/?mount={digest}{source}", **hers).status == 202


def test_token_auth_without_users_is_refused(tmp_path):
    with pytest.raises(InvalidArgument, match="needs users"):
        configured(tmp_path, token_auth=True)
