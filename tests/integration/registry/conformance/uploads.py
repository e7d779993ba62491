"""Every way the specification has to push a blob, each checked step by step.

Spec: distribution-spec 1.1, "Pushing blobs".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from urllib.parse import urlencode

from jubako.spec.oci_image import Digest

from ..peer import Http

OCTETS = "application/octet-stream"
Push = Callable[[Http, str, bytes, Digest], int]


def digest_by(algorithm: str, data: bytes) -> Digest:
    return Digest(f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}")


def begin(http: Http, name: str) -> str:
    answer = http("POST", f"/v2/{name}/blobs/uploads/", b"")
    assert answer.status == 202
    return answer.headers["Location"]


def with_digest(location: str, digest: str) -> str:
    return f"{location}{'&' if '?' in location else '?'}{urlencode({'digest': digest})}"


def post_only(http: Http, name: str, data: bytes, digest: Digest) -> int:
    path = f"/v2/{name}/blobs/uploads/?{urlencode({'digest': digest})}"
    return finished(http, http("POST", path, data, Content_Type=OCTETS), data, digest)


def post_put(http: Http, name: str, data: bytes, digest: Digest) -> int:
    answer = http("PUT", with_digest(begin(http, name), digest), data, Content_Type=OCTETS)
    return finished(http, answer, data, digest)


def stream(http: Http, name: str, data: bytes, digest: Digest) -> int:
    answer = http("PATCH", begin(http, name), data, Content_Type=OCTETS)
    assert answer.status == 202
    return finished(http, http("PUT", with_digest(answer.headers["Location"], digest), b""), data, digest)


def chunked(*, chunks: int = 3, put_last: bool = False, out_of_order: bool = False) -> Push:
    def push(http: Http, name: str, data: bytes, digest: Digest) -> int:
        location, size, start = begin(http, name), len(data) // chunks + 1, 0
        while start < len(data):
            if out_of_order:
                location = refused_chunk(http, location, data, start, size)
            end = min(start + size, len(data)) - 1
            headers = {"Content_Type": OCTETS, "Content_Range": f"{start}-{end}"}
            if put_last and end == len(data) - 1:
                answer = http("PUT", with_digest(location, digest), data[start:], **headers)
                return finished(http, answer, data, digest)
            answer = http("PATCH", location, data[start : end + 1], **headers)
            assert (answer.status, answer.headers["Range"]) == (202, f"0-{end}")
            location, start = answer.headers["Location"], end + 1
        return finished(http, http("PUT", with_digest(location, digest), b""), data, digest)

    return push


def refused_chunk(http: Http, location: str, data: bytes, start: int, size: int) -> str:
    """Send a chunk that is not the next one; where the session goes on."""
    wrong = start + size if start + size < len(data) else 0
    end = min(wrong + size, len(data)) - 1
    answer = http("PATCH", location, data[wrong : end + 1], Content_Range=f"{wrong}-{end}")
    assert answer.status == 416
    status = http("GET", location)
    assert status.status == 204
    assert status.headers["Range"] == f"0-{max(start - 1, 0)}"
    return status.headers["Location"]


def finished(http: Http, answer, data: bytes, digest: Digest) -> int:
    """The status of the last request; where it created the blob, the Location serves just that."""
    if answer.status == 201:
        assert answer.headers["Docker-Content-Digest"] == digest
        got = http("GET", answer.headers["Location"])
        assert (got.status, got.data) == (200, data)
    return answer.status


WAYS: dict[str, Push] = {
    "post-only": post_only,
    "post-put": post_put,
    "stream": stream,
    "one-chunk": chunked(chunks=1),
    "chunks": chunked(),
    "chunks-put-last": chunked(put_last=True),
    "out-of-order": chunked(out_of_order=True),
    "out-of-order-put-last": chunked(put_last=True, out_of_order=True),
}
