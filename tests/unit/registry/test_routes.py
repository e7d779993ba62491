from __future__ import annotations

import pytest

from jubako.registry.server.refusal import Refused
from jubako.registry.server.routes import parse

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2/", ("base", "", "")),
        ("/v2/_catalog", ("catalog", "", "")),
        ("/v2/a/tags/list", ("tags", "a", "")),
        ("/v2/a/b/manifests/v1", ("manifest", "a/b", "v1")),
        (f"/v2/a/manifests/{DIGEST}", ("manifest", "a", DIGEST)),
        (f"/v2/a/blobs/{DIGEST}", ("blob", "a", DIGEST)),
        ("/v2/a/blobs/uploads/", ("uploads", "a", "")),
        ("/v2/a/blobs/uploads/0f", ("upload", "a", "0f")),
        (f"/v2/a/referrers/{DIGEST}", ("referrers", "a", DIGEST)),
        # Words of the API are names like any other.
        ("/v2/tags/list/tags/list", ("tags", "tags/list", "")),
        ("/v2/manifests/manifests/latest", ("manifest", "manifests", "latest")),
        (f"/v2/blobs/blobs/{DIGEST}", ("blob", "blobs", DIGEST)),
    ],
)
def test_paths_mean_endpoints(path, expected):
    assert tuple(parse(path)) == expected


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/../manifests/v1", "NAME_INVALID"),
        ("/v2/a/../b/manifests/v1", "NAME_INVALID"),
        ("/v2/A/manifests/v1", "NAME_INVALID"),
        ("/v2/a_/manifests/v1", "NAME_INVALID"),
        ("/v2/a___b/manifests/v1", "NAME_INVALID"),
        ("/v2/a\n/manifests/v1", "UNSUPPORTED"),
        ("/v2/a/manifests/.v1", "TAG_INVALID"),
        ("/v2/a/manifests/" + "x" * 129, "TAG_INVALID"),
        ("/v2/a/manifests/sha256:abc", "DIGEST_INVALID"),
        ("/v2/a/manifests/md5:" + "a" * 32, "DIGEST_INVALID"),
        ("/v2/a/blobs/latest", "DIGEST_INVALID"),
        (f"/v2/a/blobs/{DIGEST.upper()}", "DIGEST_INVALID"),
        ("/v2/a/tags/other", "UNSUPPORTED"),
        ("/v1/a", "UNSUPPORTED"),
    ],
)
def test_malformed_names_are_refused(path, code):
    with pytest.raises(Refused) as caught:
        parse(path)
    assert caught.value.body.errors[0].code == code
    assert 400 <= caught.value.status < 500
