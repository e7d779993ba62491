from __future__ import annotations

import hashlib

import pytest

from jubako.errors import InvalidArgument
from jubako.store import digest


def test_registered_algorithms_are_accepted() -> None:
    for algorithm in ("sha256", "sha512"):
        text = f"{algorithm}:{hashlib.new(algorithm, b'x').hexdigest()}"
        assert digest.parse(text) == text
        assert digest.split(text) == tuple(text.split(":"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256",
        "sha256:",
        "sha256:" + "a" * 63,
        "sha256:" + "a" * 65,
        "sha256:" + "A" * 64,
        "sha256:" + "a" * 64 + "\n",
        "sha256:" + "../" * 21 + "a",
        "md5:" + "a" * 32,
        "../x:" + "a" * 64,
        "sha512:" + "a" * 64,
    ],
)
def test_what_is_not_a_digest_never_becomes_a_path(text: str) -> None:
    with pytest.raises(InvalidArgument):
        digest.split(text)


def test_digest_of_bytes_is_sha256() -> None:
    assert digest.of(b"jubako") == "sha256:" + hashlib.sha256(b"jubako").hexdigest()
