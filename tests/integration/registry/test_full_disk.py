"""No space left: one clear answer, nothing corrupt, and it goes on when there is space again."""

from __future__ import annotations

import os
import subprocess

import pytest

from jubako.errors import ResourceExhausted
from jubako.image.catalog import Images
from jubako.registry.client import pull, push
from jubako.store import Store

from .images import make_image
from .peer import digest_of

pytestmark = pytest.mark.root


@pytest.fixture
def small(tmp_path):
    """A file system of 8 MB."""
    path = tmp_path / "small"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(path)], check=True)
    yield path
    subprocess.run(["umount", str(path)], check=True)


@pytest.fixture
def registry_root(small):
    return small / "registry"


def test_upload_that_does_not_fit_is_507_and_the_session_keeps_what_fitted(serve):
    with serve() as registry:
        location = registry("POST", "/v2/a/blobs/uploads/").headers["Location"]
        data = os.urandom(20_000_000)
        answer = registry("PATCH", location, data)
        assert (answer.status, answer.json()["errors"][0]["code"]) == (507, "UNKNOWN")
        assert "No space left" in answer.json()["errors"][0]["message"]
        kept = int(registry("GET", location).headers["Range"].partition("-")[2]) + 1
        assert 0 < kept < 8 << 20
        assert registry("DELETE", location).status == 204
        registry.push_blob("a", b"goes on")


def test_pull_that_does_not_fit_says_so_and_leaves_nothing(serve, store, tmp_path, options, small):
    with serve() as registry:
        image = make_image(store, "app", os.urandom(3_000_000))
        push(store, image, registry.reference("app:v1"), options=options)
        with Store.open(small / "store") as full:
            (small / "filler").write_bytes(b"x" * 3_000_000)
            with pytest.raises(ResourceExhausted, match="No space left") as caught:
                pull(full, Images(full), registry.reference("app:v1"), options=options)
            assert caught.value.hint
            assert not list((small / "store" / "ingest").iterdir())
            assert all(digest_of(full.blobs.read(digest)) == digest for digest in full.blobs)
            (small / "filler").unlink()
            assert pull(full, Images(full), registry.reference("app:v1"), options=options).id == image.id
