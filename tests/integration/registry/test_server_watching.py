"""What tells people how a registry does: metrics, access log, web page; and limits on what one client may ask."""

from __future__ import annotations

import json
import re

import bcrypt
import pytest
from tests.waiting import until

from jubako.registry.client import push

from .images import make_image
from .peer import basic

pytestmark = pytest.mark.root


@pytest.fixture
def users(tmp_path):
    path = tmp_path / "users"
    path.write_text(f"ann:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}\n")
    return path


def value(text, series):
    return float(re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)[1])


def test_metrics_count_requests_bytes_and_what_is_stored(registry):
    data = b"x" * 5000
    digest = registry.push_blob("a", data)
    for _ in range(3):
        registry("GET", f"/v2/a/blobs/{digest}")
    registry("GET", "/v2/a/blobs/sha256:" + "0" * 64)
    answer = registry("GET", "/metrics")
    text = answer.data.decode()
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert value(text, 'jubako_registry_requests_total{endpoint="blob",status="2xx"}') == 3
    assert value(text, 'jubako_registry_requests_total{endpoint="blob",status="4xx"}') == 1
    assert value(text, 'jubako_registry_sent_bytes_total{endpoint="blob"}') > 15000
    assert value(text, 'jubako_registry_received_bytes_total{endpoint="uploads"}') == 5000
    assert value(text, 'jubako_registry_request_seconds_count{endpoint="blob"}') == 4
    assert value(text, 'jubako_registry_request_seconds_bucket{endpoint="blob",le="+Inf"}') == 4
    assert value(text, "jubako_registry_repository_bytes") == 5000
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r'(#.*|\w+(\{(\w+="[^"]*",?)+\})? [\d.+einf-]+)', line) for line in text.splitlines())


def test_metrics_need_somebody_where_there_are_users_and_can_be_off(serve_file, users):
    with serve_file(f"access: {{htpasswd: {users}}}\n") as registry:
        assert registry("GET", "/metrics").status == 401
        assert registry("GET", "/metrics", **basic("ann", "secret")).status == 200
        assert registry("GET", "/healthz").status == 200
    with serve_file("metrics: false\nweb: false\n") as registry:
        assert registry("GET", "/metrics").status == 404
        assert registry("GET", "/").status == 404


def test_access_log_has_a_line_for_each_request_and_no_secrets(serve_file, users, tmp_path):
    log = tmp_path / "access.log"
    with serve_file(f"access: {{htpasswd: {users}}}\nlog: {{access: json, file: {log}}}\n") as registry:
        registry("GET", "/v2/?token=hush", User_Agent='a"b\n'.strip(), **basic("ann", "secret"))
        registry("GET", "/v2/a/manifests/x", **basic("ann", "wrong"))
        # A line is written once its answer is out.
        until(lambda: log.read_text().count("\n") == 2)
        log.rename(tmp_path / "rotated.log")
        registry.reload()
        registry("GET", "/v2/")
    first, second = [json.loads(line) for line in (tmp_path / "rotated.log").read_text().splitlines()]
    assert (first["user"], first["status"], first["path"], first["agent"]) == ("ann", 200, "/v2/", 'a"b')
    assert (second["method"], second["status"], second["client"], "user" in second) == ("GET", 401, "127.0.0.1", False)
    assert len(log.read_text().splitlines()) == 1
    everything = (tmp_path / "rotated.log").read_text() + log.read_text()
    assert not re.search(r"hush|secret|wrong|Basic", everything)


def test_client_that_asks_too_often_is_told_when_to_come_back(serve_file):
    with serve_file("limits: {rate: 0.1, burst: 5}\n") as registry:
        answers = [registry("GET", "/v2/") for _ in range(7)]
        assert [answer.status for answer in answers] == [200] * 5 + [429] * 2
        assert registry.code(answers[-1]) == "TOOMANYREQUESTS"
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 11
        assert registry("GET", "/healthz").status == 200


def test_each_user_has_a_limit_of_their_own(serve_file, users):
    with serve_file(f"access: {{htpasswd: {users}}}\nlimits: {{rate: 0.1, burst: 3}}\n") as registry:
        assert [registry("GET", "/v2/").status for _ in range(4)] == [401, 401, 401, 429]
        assert registry("GET", "/v2/", **basic("ann", "secret")).status == 200


def test_passwords_cannot_be_guessed_without_end(serve_file, users):
    with serve_file(f"access: {{htpasswd: {users}}}\n") as registry:
        statuses = [registry("GET", "/v2/", **basic("ann", str(number))).status for number in range(25)]
        assert statuses[:20] == [401] * 20
        assert statuses[-1] == 429
        assert registry("GET", "/v2/", **basic("ann", "secret")).status == 429
        assert registry("GET", "/v2/").status == 401


def test_passwords_cannot_be_guessed_at_the_token_service_either(serve_file, users):
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    with serve_file(f"access: {{htpasswd: {users}, token_service: {{}}}}\n") as registry:
        statuses = [registry("GET", "/token", **basic("ann", str(number))).status for number in range(15)]
        for number in range(15):
            guess = f"grant_type=password&username=ann&password={number}".encode()
            statuses.append(registry("POST", "/token", guess, **form).status)
        assert (statuses[:20], statuses[-1]) == ([401] * 20, 429)
        assert registry("GET", "/token", **basic("ann", "secret")).status == 429
        assert registry("GET", "/token").status == 401


def test_page_shows_repositories_tags_and_layers_escaped(registry, store, options):
    image = make_image(store, "x", b"one", b"two")
    push(store, image, registry.reference("team/app:v1"), options=options)
    home = registry("GET", "/")
    assert home.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in home.headers["Content-Security-Policy"]
    assert '<a href="/-/repository/team/app">team/app</a>' in home.data.decode()
    tags = registry("GET", "/-/repository/team/app").data.decode()
    assert f"/-/manifest/team/app@{image.manifest_digest}" in tags
    manifest = registry("GET", f"/-/manifest/team/app@{image.manifest_digest}").data.decode()
    assert all(layer.digest[:19] in manifest for layer in image.manifest.layers)
    assert registry("GET", "/-/style.css").headers["Content-Type"] == "text/css; charset=utf-8"


def test_page_of_a_hostile_manifest_is_text(registry):
    from jubako.spec.oci_image import CONFIG, MANIFEST

    config = registry.push_blob("a", b"{}")
    evil = "<script>alert(1)</script>"
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG + evil, "digest": config, "size": 2},
        "layers": [],
        "annotations": {evil: f'"{evil}'},
    }
    answer = registry("PUT", "/v2/a/manifests/v1", json.dumps(document).encode(), Content_Type=MANIFEST)
    page = registry("GET", f"/-/manifest/a@{answer.headers['Docker-Content-Digest']}")
    assert page.status == 200
    assert b"<script" not in page.data
    assert page.data.count(b"&lt;script&gt;") == 3


def test_page_asks_for_a_password_and_shows_what_its_user_may_see(serve_file, users):
    policy = "policy: [{repositories: ['ann/*'], actions: [pull, push], users: [ann]}, "
    policy += "{repositories: ['public/*'], actions: [pull], anonymous: true}]"
    with serve_file(f"access:\n  htpasswd: {users}\n  token_service: {{}}\n  {policy}\n") as registry:
        assert registry("GET", "/").headers["WWW-Authenticate"].startswith("Basic")
        assert registry("GET", "/-/repository/ann/a").headers["WWW-Authenticate"].startswith("Basic")
        registry("POST", "/v2/ann/a/blobs/uploads/?digest=" + EMPTY, b"", **basic("ann", "secret"))
        assert b"ann/a" in registry("GET", "/", **basic("ann", "secret")).data
        assert registry("GET", "/-/repository/ann/a", **basic("ann", "secret")).status == 200


EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("path", ["/-/repository/../x", "/-/repository/A", "/-/manifest/a@x", "/-/manifest/a", "/-/x"])
def test_page_of_no_name_is_404(registry, path):
    assert registry("GET", path).status == 404
