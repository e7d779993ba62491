"""Whoever reaches the API may say anything: the right answer, no crash, and nothing told that is not his to know."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.integration.cluster.serving import BODY_S, IDLE_S
from tests.integration.cluster.visiting import SECRET, Client, Served, heard

from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.types.protobuf import envelope
from jubako.cluster.types.resources import kind

MAPS, SECRETS = "/api/v1/namespaces/default/configmaps", "/api/v1/namespaces/default/secrets"
OTHERS = "/api/v1/namespaces/others"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
YAML, PROTOBUF, APPLY = "application/yaml", "application/vnd.kubernetes.protobuf", "application/apply-patch+yaml"
MIB = 1 << 20
TOO_LONG_S = 10


def configmap(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    running = Served(tmp_path_factory.mktemp("served"))
    try:
        prepare(running.admin())
        yield running
        assert running.process.poll() is None, running.log
        assert "Traceback" not in running.log
    finally:
        running.stop()


def prepare(admin: Client) -> None:
    """Secrets that nobody may see, and a role that allows a little."""
    admin("POST", "/api/v1/namespaces", {"metadata": {"name": "others"}})
    for path in (SECRETS, f"{OTHERS}/secrets"):
        made = admin("POST", path, {"metadata": {"name": "hidden"}, "data": {"key": SECRET}})
        assert made.status == 201
    allowed = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch", "patch"]}]
    admin("POST", f"{RBAC}/namespaces/default/roles", {"metadata": {"name": "reader"}, "rules": allowed})
    subjects = [
        {"kind": "User", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"},
        {"kind": "ServiceAccount", "name": "robot", "namespace": "default"},
    ]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    binding = {"metadata": {"name": "reader"}, "subjects": subjects, "roleRef": reference}
    assert admin("POST", f"{RBAC}/namespaces/default/rolebindings", binding).status == 201


@pytest.fixture
def admin(served: Served) -> Client:
    return served.admin()


@pytest.fixture
def reader(served: Served) -> Client:
    """May read and change configmaps of one namespace, and nothing else."""
    return served.user("reader")


@pytest.fixture(autouse=True)
def unharmed(served: Served) -> Iterator[None]:
    """After each test the server is there, answers at once, and has not grown much."""
    yield
    begun = time.monotonic()
    assert served.admin()("GET", "/version").status == 200
    assert time.monotonic() - begun < 2
    assert served.memory_kb() < 400 * 1024


# --- sizes ---------------------------------------------------------------------------------------------------------


def test_a_body_over_three_mebibytes_is_refused_before_it_is_read_to_its_end(admin: Client) -> None:
    refused = admin("POST", MAPS, b"{" + b" " * (3 * MIB))
    assert (refused.status, refused.reason) == (413, "RequestEntityTooLarge")
    assert refused.document["message"] == "Request entity too large: limit is 3145728"
    head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" % MAPS.encode()
    endless = (b"%x\r\n%s\r\n" % (MIB, b" " * MIB) for _ in range(64))
    answer = admin.say(head + b"Transfer-Encoding: chunked\r\n\r\n", *endless)
    assert b" 413 " in answer.splitlines()[0]


def test_an_object_that_is_too_large_to_store_is_refused_and_so_is_growing_to_it(admin: Client) -> None:
    pod = {
        "metadata": {"name": "large"},
        "spec": {"containers": [{"name": "c", "image": "i", "args": ["x" * 2 * MIB]}]},
    }
    template = {"metadata": {"name": "large"}, "template": {"spec": pod["spec"]}}
    refused = admin("POST", "/api/v1/namespaces/default/podtemplates", template)
    assert (refused.status, refused.reason) == (413, "RequestEntityTooLarge")
    assert admin("POST", MAPS, configmap("large", a="x" * 900_000)).status == 201
    more = admin("PATCH", f"{MAPS}/large", {"data": {"b": "x" * 900_000}}, type="application/merge-patch+json")
    assert more.status == 422  # a configmap may have one mebibyte
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "large", "labels": {"a": "b" * 2 * MIB}}}
    assert admin("PATCH", f"{MAPS}/large?fieldManager=m", applied, type=APPLY).status in (413, 422)


def test_a_body_that_says_it_is_compressed_is_not_unpacked(served: Served, admin: Client) -> None:
    bomb = gzip.compress(bytes(512 * MIB), 9)
    before = served.memory_kb()
    assert admin("POST", MAPS, bomb, Content_Encoding="gzip").status == 400
    assert served.memory_kb() - before < 64 * 1024


# --- bodies --------------------------------------------------------------------------------------------------------

DEEP = 100_000
HOSTILE_JSON = {
    "deep lists": b"[" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep in a field": b'{"metadata":{"name":"d","annotations":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}}",
    "a number of many digits": b'{"metadata":{"name":"n","generation":' + b"9" * 100_000 + b"}}",
    "a number out of range": b'{"metadata":{"name":"n","generation":1e999}}',
    "not a number": b'{"metadata":{"name":"n","generation":NaN}}',
    "a list for an object": b"[]",
    "nothing": b"",
    "null": b"null",
    "a name that is no text": b'{"metadata":{"name":{}}}',
    "metadata that is none": b'{"metadata":[1]}',
    "bytes that are no text": b'{"metadata":{"name":"\xff\xfe"}}',
    "half a surrogate": b'{"metadata":{"name":"\\ud800"}}',
    "zero": b'{"metadata":{"name":"a\\u0000b"}}',
    "another kind": b'{"apiVersion":"v1","kind":"Secret","metadata":{"name":"k"}}',
    "another namespace": b'{"metadata":{"name":"k","namespace":"others"}}',
}


@pytest.mark.parametrize("body", HOSTILE_JSON.values(), ids=HOSTILE_JSON)
def test_json_that_is_none_of_ours_is_refused(admin: Client, body: bytes) -> None:
    begun = time.monotonic()
    assert admin("POST", MAPS, body).status in (400, 422)
    for media_type in ("application/merge-patch+json", "application/strategic-merge-patch+json", APPLY):
        refused = admin("PATCH", f"{MAPS}/kube-root?fieldManager=m", body, type=media_type)
        assert refused.status in (400, 404, 409, 422, 500), refused.text
        assert refused.status != 500 or "failed to create typed patch object" in refused.text
    assert time.monotonic() - begun < TOO_LONG_S


def test_numbers_that_no_one_can_hold_are_refused_where_anything_may_stand(admin: Client) -> None:
    revisions = "/apis/apps/v1/namespaces/default/controllerrevisions"
    for number in (b"1e999", b"-1e999", b"9" * 400, b"NaN"):
        body = b'{"metadata":{"name":"n"},"revision":1,"data":{"a":[%s]}}' % number
        assert admin("POST", revisions, body).status == 400


def laughs(first: bytes, several: bytes, one: bytes) -> bytes:
    """Twenty lines of which each has nine times what the one before it has."""
    lines = [b"a: &a %s" % first]
    for letter in range(98, 117):
        before = one.replace(b"%c", b"%c" % (letter - 1))
        lines.append(b"%c: &%c " % (letter, letter) + several.replace(b"%s", b", ".join([before] * 9)))
    return b"\n".join(lines) + b"\n"


HOSTILE_YAML = {
    "laughs": laughs(b"x", b"[%s]", b"*%c"),
    "laughs in maps": laughs(b"v", b"{%s}", b"*%c: *%c"),
    "merges": laughs(b"{k: v}", b"{<<: [%s]}", b"*%c"),
    "itself": b"a: &a [*a]\n",
    "deep": b"[" * DEEP,
    "deep indents": b"".join(b" " * n + b"a:\n" for n in range(2000)),
    "code": b"!!python/object/apply:os.system ['touch /tmp/owned']\n",
    "many documents": b"---\n" * 100_000,
    "no end": b'a: "' + b"x" * MIB,
    "controls": b"a: \x01\x02\n",
    "keys that are lists": b"? [a, b]\n: c\n",
}  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE_YAML.values(), ids=HOSTILE_YAML)
def test_yaml_is_counted_before_it_is_built(admin: Client, body: bytes) -> None:
    begun = time.monotonic()
    assert admin("POST", MAPS, body, type=YAML).status in (400, 422)
    applied = admin("PATCH", f"{MAPS}/y?fieldManager=m", body, type=APPLY)
    assert applied.status in (400, 422) or "failed to create typed patch object" in applied.message
    assert time.monotonic() - begun < TOO_LONG_S
    assert not Path("/tmp/owned").exists()


def test_a_tag_means_nothing(admin: Client) -> None:
    body = b"metadata: !!python/object/new:os.system {name: tagged}\ndata: !!python/name:os.system {a: b}\n"
    made = admin("POST", MAPS, body, type=YAML)
    assert (made.status, made.document["data"]) == (201, {"a": "b"})


def test_broken_protobuf_is_refused_wherever_it_breaks(admin: Client) -> None:
    of = kind("v1", "ConfigMap")
    assert of
    whole = envelope.wrap(of.message, {**configmap("p", a="b"), "metadata": {"name": "p", "labels": {"a": "b"}}})
    for cut in range(len(whole)):
        answer = admin("POST", f"{MAPS}?dryRun=All", whole[:cut], type=PROTOBUF)
        assert answer.status in (201, 400, 422), (cut, answer.text)
    for wrong in (
        b"k8s\0" + b"\xff" * 100,
        b"k8s\0" + b"\x12\xff\xff\xff\xff\x0f",  # a length of four gigabytes
        b"k8s\0" + b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"k8s\0" + b"\x0b" * 100_000,  # groups within groups
        b"k8s\0" + b"\x08" + b"\x80" * 100_000,  # a number without end
        b"x8s\0" + whole[4:],
        bytes(MIB),
    ):
        assert admin("POST", MAPS, wrong, type=PROTOBUF).status == 400


def test_protobuf_within_itself_ends_somewhere(admin: Client) -> None:
    nested = b""
    for _ in range(3000):
        nested = b"\x12" + _varint(len(nested)) + nested
    assert admin("POST", MAPS, b"k8s\0" + nested, type=PROTOBUF).status in (400, 422)
    body = b"k8s\0" + b"\x0a\x0f\x0a\x02v1\x12\x09ConfigMap" + b"\x12" + _varint(len(nested)) + nested
    assert admin("POST", MAPS, body, type=PROTOBUF).status in (400, 422)


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def test_mutated_bodies_are_never_an_error_of_ours(admin: Client) -> None:
    chosen = random.Random(6)
    spec = {
        "containers": [{"name": "c", "image": "i", "env": [{"name": "A", "value": "b"}]}],
        "nodeSelector": {"a": "b"},
    }
    seed = json.dumps(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "m", "labels": {"a": "b"}}, "spec": spec}
    )
    for _ in range(300):
        body = bytearray(seed.encode())
        for _ in range(chosen.randint(1, 6)):
            at = chosen.randrange(len(body))
            body[at : at + chosen.randint(0, 5)] = chosen.choice(
                [b"", b"null", b"[]", b"{}", b"1e9", b'"', b"-1", b"\xff"]
            )
        answer = admin("POST", "/api/v1/namespaces/default/pods?dryRun=All", bytes(body))
        assert answer.status in (201, 400, 403, 422), (bytes(body), answer.text)
        answer = admin("PATCH", "/api/v1/namespaces/default/pods/m?fieldManager=f&dryRun=All", bytes(body), type=APPLY)
        assert answer.status < 500 or "failed to create typed patch object" in answer.text, (bytes(body), answer.text)


# --- paths, names and queries --------------------------------------------------------------------------------------

TRICKS = (
    "/api/v1/namespaces/default/../others/secrets/hidden",
    "/api/v1/namespaces/default/configmaps/../secrets/hidden",
    "/api/v1/namespaces/default/configmaps/..%2fsecrets%2fhidden",
    "/api/v1/namespaces/default/configmaps/%2e%2e/secrets/hidden",
    "/api/v1/namespaces/default%2f..%2fothers/secrets/hidden",
    "/api/v1/namespaces/default%00/secrets/hidden",
    "/api/v1/namespaces//secrets/hidden",
    "/api/v1/namespaces//secrets",
    "//api/v1/secrets",
    "/api/v1/secrets",
    "/api/v1/namespaces/default/secrets/hidden?x=/configmaps",
    "/api/v1/namespaces/default/configmaps/hidden/../../secrets/hidden",
    "/api/v1/namespaces/default;/secrets/hidden",
    "/api/v1/namespaces/default/secrets%20/hidden",
    "/api/v1/namespaces/default/SECRETS/hidden",
    "/api/v1/namespaces/default/configmaps/secrets/hidden",
    "/api/../etc/passwd",
    "/../../../../etc/passwd",
    "/openapi/v3/../../../../etc/passwd",
    "/openapi/v3/..%2f..%2f..%2fetc%2fpasswd",
    "/.well-known/../api/v1/secrets",
)


@pytest.mark.parametrize("path", TRICKS)
@pytest.mark.parametrize("accept", ["application/json", "application/json;as=Table;v=v1;g=meta.k8s.io"])
def test_no_way_of_writing_a_path_leads_to_what_one_may_not_read(reader: Client, path: str, accept: str) -> None:
    answer = reader("GET", path, Accept=accept)
    assert answer.status in (400, 403, 404), answer.text
    assert SECRET not in answer.text
    assert "root:" not in answer.text
    head = reader.say(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
    assert SECRET.encode() not in head
    assert head.split()[1] in (b"400", b"403", b"404")


@pytest.mark.parametrize(
    "name", ["..", ".", "../x", "a/b", "a\\b", "a\0b", "a b", "A", "x" * 300, "é", "-", "%2e", "$(id)"]
)
def test_names_and_namespaces_that_are_none_are_refused(admin: Client, name: str) -> None:
    assert admin("POST", MAPS, configmap(name)).status == 422
    assert admin("POST", "/api/v1/namespaces", {"metadata": {"name": name}}).status == 422
    assert admin("POST", MAPS, {"metadata": {"generateName": name + "/"}}).status == 422


def _token(revision: Any, start: str) -> str:
    return base64.urlsafe_b64encode(json.dumps({"rv": revision, "start": start}).encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        f"continue={_token(1, '/registry/core/secrets/')}",
        f"continue={_token(1, '/registry/core/configmaps/others/')}",
        f"continue={_token(1, '/registry/core/configmaps/default/../../secrets/')}",
        f"continue={_token(-1, '/registry/core/configmaps/default/')}",
        f"continue={_token(10**30, '/registry/core/configmaps/default/')}",
        f"continue={_token('1', '/registry/core/configmaps/default/')}",
        "continue=%00", "continue=!!!!", "limit=x", "limit=9" + "9" * 5000, "resourceVersion=-1",
        "resourceVersion=" + "9" * 40, "resourceVersion=99999999", "labelSelector=a%3D%3D%3Db", "labelSelector=a in (",
        "labelSelector=%00", "fieldSelector=metadata.uid", "fieldSelector=spec.secret%3Dx", "watch=maybe",
        "watch=1&resourceVersion=x", "watch=1&timeoutSeconds=x", "dryRun=some", "fieldValidation=Perhaps",
        "resourceVersionMatch=No", "includeObject=All", "includeObject=../../etc/passwd",
    ],
)  # fmt: skip
def test_a_query_that_makes_no_sense_is_refused_and_tells_nothing_of_others(reader: Client, query: str) -> None:
    answer = reader("GET", f"{MAPS}?{query.replace(' ', '%20')}")
    text = answer.text
    assert answer.status in (400, 404, 410, 422, 504) or (answer.status == 200 and "others" not in text), text
    assert SECRET not in text


def test_selectors_are_long_or_refused_but_never_slow(reader: Client) -> None:
    long = "a in (" + ",".join(f"v{n}" for n in range(8000)) + ")"
    many = ",".join(f"k{n}!=v" for n in range(8000))
    begun = time.monotonic()
    for selector in (long, many, "(" * 50_000, "!" * 50_000, "a," * 30_000):
        answer = reader("GET", f"{MAPS}?labelSelector={selector.replace(' ', '%20')}")
        assert answer.status in (200, 400), answer.text[:200]
    assert time.monotonic() - begun < TOO_LONG_S
    head = reader.say(b"GET %s?labelSelector=%s HTTP/1.1\r\nHost: x\r\n\r\n" % (MAPS.encode(), b"a" * 2 * MIB))
    assert head.split()[1] in (b"400", b"414", b"431")


# --- HTTP itself ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        b"GET /version HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 4 * MIB + b"\r\n\r\n",
        b"GET /version HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(50_000)) + b"\r\n",
        b"GET /version HTTP/1.1\r\nHost: x\r\n" + b"a" * MIB,
        b"\x16\x03\x01 GET / HTTP/1.1\r\n\r\n",
        b"GET /version HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n",
        b"GET /version HTTP/1.1\r\nHost: x\r\n folded: x\r\n\r\n",
        b"GET /ver\0sion HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=[
        "long header", "many headers", "header without end", "binary", "no colon", "folded", "zero",
        "negative length", "two lengths", "length and chunks", "http2",
    ],
)  # fmt: skip
def test_what_is_no_http_is_refused(admin: Client, head: bytes) -> None:
    answer = admin.say(head)
    assert answer == b"" or answer.split()[1] in (b"400", b"413", b"431", b"505"), answer[:200]


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\nabc\r\n",
        b"-5\r\nabc\r\n",
        b"ffffffffffffffff\r\nabc",
        b"5\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
    ],
)
def test_chunks_that_are_none_are_refused(admin: Client, chunks: bytes) -> None:
    head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = admin.say(head % MAPS.encode() + chunks)
    assert answer == b"" or answer.split()[1] in (b"400", b"504"), answer[:200]


def test_a_client_that_is_slow_holds_nobody_up_and_is_let_go(served: Served, admin: Client) -> None:
    before = served.files()
    head = (
        b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{" % MAPS.encode()
    )
    slow = [served.admin().raw() for _ in range(60)]
    held = [each.__enter__() for each in slow]
    for number, connection in enumerate(held):
        connection.sendall(head if number % 2 else b"GET /version HTTP/1.1\r\nHo")
    begun = time.monotonic()
    assert admin("GET", MAPS).status == 200
    assert time.monotonic() - begun < 2
    for number, connection in enumerate(held):
        answer = heard(connection)
        assert answer == b"" or (number % 2 and b" 504 " in answer.splitlines()[0])
    assert time.monotonic() - begun < 4 * (IDLE_S + BODY_S)
    for each in slow:
        each.__exit__(None, None, None)
    deadline = time.monotonic() + 10
    while served.files() > before + 5 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert served.files() <= before + 5


def test_a_client_that_goes_in_the_middle_is_no_error(served: Served, admin: Client) -> None:
    for said in (
        b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
        b"GET %s?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        for _ in range(20):
            with admin.raw() as connection:
                connection.sendall(said % MAPS.encode())
    assert admin("GET", MAPS).status == 200
    assert "Traceback" not in served.log


# --- who asks ------------------------------------------------------------------------------------------------------


def test_without_a_credential_one_is_nobody_and_with_a_wrong_one_not_even_that(served: Served) -> None:
    nobody = served.bearer("")
    refused = nobody("GET", SECRETS)
    assert (refused.status, refused.reason) == (403, "Forbidden")
    assert 'User "system:anonymous" cannot list resource "secrets"' in refused.message
    assert nobody("GET", "/version").status == 200
    for wrong in ("x", "a.b.c", "." * 10_000, "x" * 100_000, "é", base64.b64encode(b"admin:admin").decode()):
        answer = nobody("GET", "/version", Authorization=f"Bearer {wrong}".encode().decode("latin-1"))
        assert (answer.status, answer.reason) == (401, "Unauthorized")


def test_a_certificate_of_another_authority_is_nobodys(served: Served, tmp_path: Path) -> None:
    stranger = Client(served, certificate=Authority(tmp_path).client("admin", "kubernetes-admin", ("system:masters",)))
    with suppress(OSError):  # the handshake ends it
        assert stranger("GET", SECRETS).status in (401, 403)


def _tokens(admin: Client, name: str) -> str:
    answer = admin("POST", f"/api/v1/namespaces/default/serviceaccounts/{name}/token", {"spec": {}})
    assert answer.status == 201, answer.text
    return str(answer.document["status"]["token"])


def test_a_token_ends_with_its_account_even_if_one_of_that_name_comes_back(served: Served, admin: Client) -> None:
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    admin("POST", accounts, {"metadata": {"name": "robot"}})
    token = _tokens(admin, "robot")
    assert served.bearer(token)("GET", MAPS).status == 200
    assert served.bearer(token)("GET", SECRETS).status == 403
    admin("DELETE", f"{accounts}/robot")
    assert served.bearer(token)("GET", MAPS).status == 401
    admin("POST", accounts, {"metadata": {"name": "robot"}})
    assert served.bearer(token)("GET", MAPS).status == 401
    assert served.bearer(_tokens(admin, "robot"))("GET", MAPS).status == 200


def test_tokens_that_we_did_not_sign_are_nobodys(served: Served, admin: Client) -> None:
    admin("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "forged"}})
    token = _tokens(admin, "forged")
    claims = jwt.decode(token, options={"verify_signature": False})
    head, body, signature = token.split(".")

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    key = admin("GET", "/openid/v1/jwks").text.encode()
    hs = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{body}"
    mac = base64.urlsafe_b64encode(hmac.new(key, hs.encode(), hashlib.sha256).digest()).decode().rstrip("=")
    other = {**claims, "sub": "system:serviceaccount:kube-system:admin"}
    for forged in (
        f"{part({'alg': 'none'})}.{body}.",
        f"{part({'alg': 'none'})}.{body}.{signature}",
        f"{hs}.{mac}",
        f"{head}.{part(other)}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}.{'A' * len(signature)}",
        jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256"),
        jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", {"jwk": json.loads(key)["keys"][0]}),
    ):
        assert served.bearer(forged)("GET", "/version").status == 401
    asked = {"spec": {"audiences": ["somebody-else"]}}
    foreign = admin("POST", "/api/v1/namespaces/default/serviceaccounts/forged/token", asked)
    assert served.bearer(foreign.document["status"]["token"])("GET", "/version").status == 401


# --- what one may do -----------------------------------------------------------------------------------------------

FORBIDDEN: tuple[tuple[str, str, Any], ...] = (
    ("GET", SECRETS, None),
    ("GET", f"{SECRETS}/hidden", None),
    ("GET", f"{SECRETS}?watch=1", None),
    ("GET", f"{SECRETS}?fieldSelector=metadata.name%3Dhidden", None),
    ("GET", f"{OTHERS}/configmaps", None),
    ("GET", "/api/v1/configmaps", None),
    ("GET", "/api/v1/namespaces/default", None),
    ("POST", MAPS, configmap("x")),
    ("POST", f"{MAPS}?dryRun=All", configmap("x")),
    ("PUT", f"{MAPS}/large", configmap("large")),
    ("DELETE", f"{MAPS}/large", None),
    ("DELETE", MAPS, None),
    ("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", {"spec": {}}),
    ("POST", "/api/v1/namespaces/default/pods/p/eviction", {"metadata": {"name": "p"}}),
    ("POST", "/api/v1/namespaces/default/pods/p/binding", {"target": {"name": "n"}}),
    ("PATCH", "/api/v1/namespaces/default/pods/p/ephemeralcontainers", {}),
    ("GET", "/api/v1/namespaces/default/pods/p/exec?command=sh", None),
    ("GET", "/api/v1/namespaces/default/pods/p/log", None),
    ("GET", "/apis/apps/v1/namespaces/default/deployments/d/scale", None),
    ("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": "x"}}),
    ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": {"user": "kubernetes-admin"}}),
    ("POST", f"{RBAC}/clusterrolebindings", {}),
    ("GET", "/apis/policy/v1beta1/poddisruptionbudgets", None),
    ("GET", "/openid/v1/jwks", None),
)


@pytest.mark.parametrize(
    ("method", "path", "body"), FORBIDDEN, ids=[f"{method} {path}" for method, path, _ in FORBIDDEN]
)
def test_what_no_role_allows_is_forbidden(reader: Client, method: str, path: str, body: Any) -> None:
    refused = reader(
        method, path, body, type="application/merge-patch+json" if method == "PATCH" else "application/json"
    )
    assert (refused.status, refused.reason) == (403, "Forbidden"), refused.text
    assert SECRET not in refused.text


def test_a_patch_makes_nothing_for_whom_may_not_make_it(reader: Client, admin: Client) -> None:
    refused = reader("PATCH", f"{MAPS}/made?fieldManager=m", configmap("made", a="b"), type=APPLY)
    assert (refused.status, refused.reason) == (403, "Forbidden")
    assert 'cannot create resource "configmaps"' in refused.message
    assert admin("GET", f"{MAPS}/made").status == 404
    assert reader("PATCH", f"{MAPS}/made", {"data": {}}, type="application/merge-patch+json").status == 404


def test_nobody_gives_himself_what_he_has_not(served: Served, admin: Client) -> None:
    binder = served.user("binder")
    rules = [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"], "verbs": ["*"]}]
    # "*" would have escalate and bind in it
    rules[0]["verbs"] = ["create", "get", "list", "patch", "update"]
    admin("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "binder"}, "rules": rules})
    subject = {"kind": "User", "name": "binder", "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "binder"}
    admin(
        "POST", f"{RBAC}/clusterrolebindings", {"metadata": {"name": "b"}, "subjects": [subject], "roleRef": reference}
    )
    all_of_it = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    assert binder("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "own"}, "rules": all_of_it}).status == 403
    applied = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "binder"}}
    own = f"{RBAC}/clusterroles/binder"
    assert (
        binder("PATCH", f"{own}?fieldManager=m&force=true", {**applied, "rules": all_of_it}, type=APPLY).status == 403
    )
    assert binder("PATCH", own, {"rules": all_of_it}, type="application/merge-patch+json").status == 403
    patch = [{"op": "replace", "path": "/rules", "value": all_of_it}]
    assert binder("PATCH", own, patch, type="application/json-patch+json").status == 403
    admins = {**reference, "name": "cluster-admin"}
    to_admin = {"metadata": {"name": "up"}, "subjects": [subject], "roleRef": admins}
    assert binder("POST", f"{RBAC}/clusterrolebindings", to_admin).status == 403
    assert binder("GET", SECRETS).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Impersonate_User": "kubernetes-admin", "Impersonate_Group": "system:masters"},
        {"Impersonate_User": "reader"},
        {"Impersonate_User": "system:serviceaccount:kube-system:admin"},
        {"Impersonate_User": "system:serviceaccount:"},
        {"Impersonate_User": "reader", "Impersonate_Uid": "0"},
    ],
    ids=str,
)
def test_nobody_is_somebody_else_without_the_right(reader: Client, headers: dict[str, str]) -> None:
    refused = reader("GET", SECRETS, **headers)
    assert (refused.status, refused.reason) == (403, "Forbidden")
    assert "cannot impersonate resource" in refused.text
    for header in ("Impersonate_Group", "Impersonate_Uid", "Impersonate_Extra_Scopes"):
        assert reader("GET", SECRETS, **{header: "system:masters"}).status == 400


def test_who_may_be_one_may_not_be_more(served: Served, admin: Client) -> None:
    rules = [{"apiGroups": [""], "resources": ["users"], "resourceNames": ["reader"], "verbs": ["impersonate"]}]
    admin("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "actor"}, "rules": rules})
    subject = {"kind": "User", "name": "actor", "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "actor"}
    admin(
        "POST", f"{RBAC}/clusterrolebindings", {"metadata": {"name": "a"}, "subjects": [subject], "roleRef": reference}
    )
    actor = served.user("actor")
    assert actor("GET", MAPS, Impersonate_User="reader").status == 200
    assert actor("GET", SECRETS, Impersonate_User="reader").status == 403
    for more in (
        {"Impersonate_Group": "system:masters"},
        {"Impersonate_Uid": "1"},
        {"Impersonate_Extra_Scopes": "all"},
    ):
        refused = actor("GET", SECRETS, Impersonate_User="reader", **more)
        assert (refused.status, "cannot impersonate resource" in refused.text) == (403, True)
