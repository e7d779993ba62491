from __future__ import annotations

import pytest

from jubako.errors import InvalidArgument
from jubako.image import reference

HEX = "a" * 64


@pytest.mark.parametrize(
    ("text", "full", "familiar"),
    [
        ("busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"),
        ("docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("index.docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("library/busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("user/tool:v1", "docker.io/user/tool:v1", "user/tool:v1"),
        ("localhost/x", "localhost/x:latest", "localhost/x:latest"),
        ("localhost:5000/a/b:t", "localhost:5000/a/b:t", "localhost:5000/a/b:t"),
        ("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"),
        ("quay.io/a__b/c-d.e", "quay.io/a__b/c-d.e:latest", "quay.io/a__b/c-d.e:latest"),
        ("Host/path", "Host/path:latest", "Host/path:latest"),
        (f"x@sha256:{HEX}", f"docker.io/library/x@sha256:{HEX}", f"x@sha256:{HEX}"),
        (f"x:t@sha256:{HEX}", f"docker.io/library/x:t@sha256:{HEX}", f"x:t@sha256:{HEX}"),
    ],
)
def test_names_are_normalised_as_docker_does(text: str, full: str, familiar: str) -> None:
    parsed = reference.parse(text)
    assert (str(parsed), parsed.familiar()) == (full, familiar)
    assert reference.parse(str(parsed)) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "a//b", "-a", "a-", "a:", ":t", "a:.t", "a:" + "t" * 129, "Upper", "a/B", "a b", "a\n", "..", "a/../b",
        "a@sha256:12", "a@md5:" + "a" * 32, "a@", "@" + "sha256:" + HEX, HEX, "é", "a/" + "b" * 255, "a:t:t", "http://a/b",
    ],
)  # fmt: skip
def test_malformed_names_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        reference.parse(text)


def test_an_upper_case_repository_is_named_in_the_message() -> None:
    with pytest.raises(InvalidArgument, match="must be lowercase"):
        reference.parse("quay.io/Upper")


def test_a_digest_takes_the_place_of_the_tag_in_the_canonical_form() -> None:
    assert str(reference.parse(f"x:t@sha256:{HEX}").canonical()) == f"docker.io/library/x@sha256:{HEX}"
