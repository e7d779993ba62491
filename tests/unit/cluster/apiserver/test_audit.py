"""The audit log: which requests, what of them, and the file."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from tests.unit.cluster.apiserver.conftest import admin_tls

from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.attributes import attributes
from jubako.cluster.apiserver.audit.log import AuditLog
from jubako.cluster.apiserver.audit.policy import Auditing, is_kept
from jubako.cluster.apiserver.audit.record import Record, encode
from jubako.cluster.apiserver.bootstrap import bootstrap
from jubako.cluster.apiserver.caller import MASTERS, User
from jubako.cluster.apiserver.http.auditing import Auditor
from jubako.cluster.apiserver.http.handler import Handler
from jubako.cluster.apiserver.http.server import Server, tls_of
from jubako.cluster.apiserver.streams import Streams
from jubako.cluster.store import AsyncStore, MemoryStore
from jubako.cluster.types.document import at

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_MAPS, _SECRETS = "/api/v1/namespaces/default/configmaps", "/api/v1/namespaces/default/secrets"


@pytest.mark.parametrize(
    ("auditing", "user", "method", "path", "code", "kept"),
    [
        ("metadata", "joe", "POST", _MAPS, 201, True),
        ("metadata", "joe", "DELETE", f"{_MAPS}/a", 404, True),
        ("metadata", "joe", "GET", _MAPS, 200, False),
        ("metadata", "joe", "GET", _MAPS, 403, True),
        ("metadata", "joe", "GET", "/healthz", 200, False),
        ("metadata", "joe", "GET", "/metrics", 403, True),
        ("metadata", "joe", "GET", "/api/v1/namespaces/default/pods/p/exec", 101, True),
        ("metadata", "joe", "GET", "/api/v1/namespaces/default/pods/p/log", 200, False),
        ("metadata", "joe", "POST", "/api/v1/namespaces/default/events", 201, False),
        ("metadata", "joe", "PUT", "/apis/coordination.k8s.io/v1/namespaces/default/leases/l", 200, False),
        ("metadata", "system:kube-scheduler", "POST", _MAPS, 201, False),
        ("metadata", "system:node:n", "PATCH", f"{_MAPS}/a", 403, True),
        ("metadata", None, "POST", _MAPS, 401, True),
        ("all", "joe", "GET", "/healthz", 200, True),
        ("none", "joe", "POST", _MAPS, 403, False),
    ],
)
def test_what_is_kept(auditing: Auditing, user: str | None, method: str, path: str, code: int, kept: bool) -> None:
    asked = attributes(method, path)
    assert is_kept(auditing, User(name=user) if user else None, asked, code) is kept


def test_tokens_in_an_address_are_left_out_and_what_is_long_is_cut_off() -> None:
    uri = "/api/v1/pods?access_token=abc&limit=5&Token=d%20e&" + "x" * 9000
    event = Record("id", uri, "GET", "127.0.0.1", "a" * 9000, NOW).event("ResponseComplete", NOW, 200, None)
    told = str(event["requestURI"])
    assert told.startswith("/api/v1/pods?access_token=REDACTED&limit=5&Token=REDACTED&xxx")
    assert told.endswith("x...TRUNCATED")
    assert len(str(event["userAgent"])) == 1024 + len("...TRUNCATED")
    assert event["requestReceivedTimestamp"] == "2026-01-01T00:00:00.000000Z"


def test_bytes_that_are_no_text_are_audited_as_such() -> None:
    record = Record("id", "/", "GET", "127.0.0.1", "a\udcff", NOW)
    record.user = User(name="b\udcff")
    event = json.loads(encode(record.event("ResponseComplete", NOW, 200, None)))
    assert (event["userAgent"], event["user"]["username"]) == ("a?", "b?")


Ask = Callable[..., Awaitable[aiohttp.ClientResponse]]


def served(tmp_path: Path, scene: Callable[[Ask], Awaitable[None]], auditing: Auditing = "metadata") -> list[Any]:
    """Play with a served API, and return what it audited."""
    path = tmp_path / "audit.log"

    async def play() -> None:
        authority = Authority(tmp_path / "pki")
        api = Api(AsyncStore(MemoryStore()), authority)
        await bootstrap(api, tmp_path / "volumes")
        log = AuditLog(path)
        handler = Handler(api, cast(Streams, None), Auditor(api.clock, auditing, log))
        server = Server(handler, tls_of(authority, *authority.server(["127.0.0.1"])))
        port = await server.start("127.0.0.1", 0)
        connector = aiohttp.TCPConnector(ssl=admin_tls(authority))
        async with aiohttp.ClientSession(f"https://127.0.0.1:{port}", connector=connector) as session:
            await scene(session.request)
        await server.stop()
        log.close()

    asyncio.run(asyncio.wait_for(play(), 20))
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_change_is_audited_and_what_a_secret_holds_is_not(tmp_path: Path) -> None:
    async def scene(ask: Ask) -> None:
        secret = {"metadata": {"generateName": "s-"}, "stringData": {"a": "hidden"}}
        made = await ask("POST", f"{_SECRETS}?fieldManager=me", json=secret, headers={"Audit-ID": "mine"})
        assert (made.status, made.headers["Audit-ID"]) == (201, "mine")
        wrong = {"metadata": {"name": "t"}, "type": "kubernetes.io/tls", "data": {"hidden!": "aGlkZGVu"}}
        assert (await ask("POST", _SECRETS, json=wrong)).status == 422
        assert len((await ask("GET", _SECRETS)).headers["Audit-ID"]) == 36

    made, wrong = served(tmp_path, scene)
    assert made["objectRef"].pop("name").startswith("s-")
    assert {key: made[key] for key in ("kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb")} == {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "mine",
        "stage": "ResponseComplete", "requestURI": f"{_SECRETS}?fieldManager=me", "verb": "create",
    }  # fmt: skip
    assert [*made["user"].pop("extra")] == ["authentication.kubernetes.io/credential-id"]
    assert made["user"] == {"username": "kubernetes-admin", "groups": [MASTERS, "system:authenticated"]}
    assert made["objectRef"] == {"resource": "secrets", "namespace": "default", "apiVersion": "v1"}
    assert (made["sourceIPs"], made["responseStatus"]) == (["127.0.0.1"], {"metadata": {}, "code": 201})
    assert made["annotations"] == {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""}
    assert wrong["responseStatus"] == {"metadata": {}, "status": "Failure", "reason": "Invalid", "code": 422}
    assert "hidden" not in (tmp_path / "audit.log").read_text()


def test_who_is_refused_is_named_beside_whom_he_would_be(tmp_path: Path) -> None:
    async def scene(ask: Ask) -> None:
        joe = {"Impersonate-User": "joe", "Impersonate-Group": "dev"}
        assert (await ask("GET", _MAPS, headers=joe)).status == 403

    (event,) = served(tmp_path, scene)
    assert event["user"]["username"] == "kubernetes-admin"
    assert event["impersonatedUser"] == {"username": "joe", "groups": ["dev", "system:authenticated"]}
    assert event["responseStatus"]["message"].startswith('configmaps is forbidden: User "joe" cannot list')
    assert at(event, "annotations", "authorization.k8s.io/decision") == "forbid"


def test_why_something_is_allowed_is_told(tmp_path: Path) -> None:
    group, rbac = "rbac.authorization.k8s.io", "/apis/rbac.authorization.k8s.io/v1/namespaces/default"

    async def scene(ask: Ask) -> None:
        rules = [{"verbs": ["delete"], "apiGroups": [""], "resources": ["configmaps"]}]
        await ask("POST", f"{rbac}/roles", json={"metadata": {"name": "r"}, "rules": rules})
        reference = {"apiGroup": group, "kind": "Role", "name": "r"}
        subjects = [{"apiGroup": group, "kind": "Group", "name": "dev"}]
        binding = {"metadata": {"name": "b"}, "roleRef": reference, "subjects": subjects}
        await ask("POST", f"{rbac}/rolebindings", json=binding)
        joe = {"Impersonate-User": "joe", "Impersonate-Group": "dev"}
        assert (await ask("DELETE", f"{_MAPS}/a", headers=joe)).status == 404

    *_, event = served(tmp_path, scene)
    reason = 'RBAC: allowed by RoleBinding "b/default" of Role "r" to Group "dev"'
    assert at(event, "annotations", "authorization.k8s.io/reason") == reason


def test_a_watch_is_audited_when_it_starts_and_when_it_ends(tmp_path: Path) -> None:
    async def scene(ask: Ask) -> None:
        answer = await ask("GET", f"{_MAPS}?watch=1&timeoutSeconds=1")
        await answer.read()

    events = served(tmp_path, scene, "all")
    assert [(each["verb"], each["stage"]) for each in events] == [
        ("watch", "ResponseStarted"), ("watch", "ResponseComplete"),
    ]  # fmt: skip
    assert events[0]["auditID"] == events[1]["auditID"]


def test_the_file_is_private_and_only_so_many_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    for number in range(8):
        log = AuditLog(path, most_bytes=10, kept=2)
        log.write(b"line %5d\n" % number)
        log.close()
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {
        "audit.log": "line     7\n", "audit.log.1": "line     6\n", "audit.log.2": "line     5\n",
    }  # fmt: skip
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_cut_off_is_ended_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b'{"half')
    log = AuditLog(path)
    log.write(b"{}\n")
    log.close()
    assert path.read_bytes() == b'{"half\n{}\n'


def test_a_full_disk_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    log = AuditLog(Path("/dev/full"))
    log.write(b"one\n")
    log.close()
    (told,) = caplog.records
    assert told.getMessage().endswith("its events are dropped: [Errno 28] No space left on device")


def test_what_was_dropped_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "there" / "audit.log"
    log = AuditLog(path)
    log.write(b"one\n")
    deadline = time.monotonic() + 10
    while not caplog.records and time.monotonic() < deadline:
        os.sched_yield()
    path.parent.mkdir()
    log.write(b"two\n")
    log.close()
    assert path.read_bytes() == b"two\n"
    assert [each.getMessage() for each in caplog.records] == [
        f"the audit log can not be written, its events are dropped: [Errno 2] No such file or directory: '{path}'",
        "the audit log is written again; 1 events were dropped",
    ]


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(path, waiting_bytes=100)
    log.write(b"x" * 99 + b"\n")
    log.write(b"y" * 200 + b"\n")
    log.close()
    assert path.read_bytes() == b"x" * 99 + b"\n"
