from __future__ import annotations

import pytest

from jubako.errors import InvalidArgument, NotFound
from jubako.image import platform
from jubako.spec.oci_image import MANIFEST, Descriptor, Digest, Index, Platform


def entry(text: str | None, number: int = 0) -> Descriptor:
    found = None
    if text:
        os_name, _, rest = text.partition("/")
        architecture, _, variant = rest.partition("/")
        found = Platform(os=os_name, architecture=architecture, variant=variant or None)
    return Descriptor(media_type=MANIFEST, digest=Digest(f"sha256:{number:064x}"), size=1, platform=found)


def chosen(wanted: str, *offered: str | None) -> int:
    index = Index(manifests=[entry(text, number) for number, text in enumerate(offered)])
    return int(platform.select(index, platform.parse(wanted)).digest[-4:], 16)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/armhf", "linux/arm/v7"),
        ("arm64", "linux/arm64"),
        ("LINUX/AMD64", "linux/amd64"),
        ("windows/amd64", "windows/amd64"),
    ],
)
def test_platforms_are_normalised(text: str, normal: str) -> None:
    assert platform.text(platform.parse(text)) == normal


@pytest.mark.parametrize("text", ["", "/", "linux/", "linux/amd64/v1/x", "linux/../x", "a b"])
def test_what_is_not_a_platform_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        platform.parse(text)


def test_the_host_is_a_linux_of_some_architecture() -> None:
    assert platform.host().os == "linux"
    assert platform.host().architecture


def test_the_exact_platform_is_chosen() -> None:
    assert chosen("linux/arm64", "linux/amd64", "linux/arm64/v8", "linux/arm/v7") == 1


def test_an_earlier_variant_serves_when_the_exact_one_is_missing_and_the_latest_such_wins() -> None:
    assert chosen("linux/arm/v7", "linux/arm/v5", "linux/arm/v6", "linux/arm64") == 1


def test_a_later_variant_never_serves() -> None:
    with pytest.raises(NotFound):
        chosen("linux/arm/v6", "linux/arm/v7")


def test_attestations_are_never_chosen_and_the_message_says_what_there_is() -> None:
    with pytest.raises(NotFound, match="no matching manifest for linux/s390x") as caught:
        chosen("linux/s390x", "linux/amd64", "unknown/unknown")
    assert caught.value.hint == "the image has: linux/amd64"


def test_an_index_that_names_no_platform_gives_its_first_entry() -> None:
    assert chosen("linux/amd64", None, None) == 0


def test_an_empty_index_has_nothing() -> None:
    with pytest.raises(NotFound):
        chosen("linux/amd64")
