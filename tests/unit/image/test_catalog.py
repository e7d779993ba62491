from __future__ import annotations

import pytest

from jubako.errors import InvalidArgument, NotFound
from jubako.image import compose
from jubako.image.catalog import Images
from jubako.spec.oci_image import (
    INDEX,
    LAYER_TAR,
    ContainerConfig,
    Descriptor,
    DiffID,
    Digest,
    ImageConfig,
    Index,
    RootFS,
)
from jubako.store import Store


def image(store: Store, text: str, *, architecture: str = "amd64", created: str = "2024-01-01T00:00:00Z") -> Descriptor:
    """An image of one (nonsense) layer, told apart by `text`."""
    layer = store.blobs.put(text.encode())
    config = ImageConfig(
        architecture=architecture,
        os="linux",
        created=created,
        config=ContainerConfig(cmd=[text]),
        rootfs=RootFS(diff_ids=[DiffID(layer.digest)]),
    )
    return compose.write_image(store, config, [Descriptor(media_type=LAYER_TAR, digest=layer.digest, size=layer.size)])


def test_an_image_is_found_by_name_id_and_short_id(store: Store, images: Images) -> None:
    target = image(store, "one")
    assert images.put("tool:v1", target) is None
    found = images.resolve("tool:v1")
    assert found.names == ["docker.io/library/tool:v1"]
    assert found.config.config
    assert found.config.config.cmd == ["one"]
    encoded = found.id.removeprefix("sha256:")
    for text in (found.id, encoded, encoded[:12], encoded[:2], f"sha256:{encoded[:20]}", "docker.io/library/tool:v1"):
        assert images.resolve(text).id == found.id
    assert images.names_of(found.id) == found.names
    assert found.repo_digests == [f"tool@{target.digest}"]
    assert images.resolve(f"tool@{target.digest}").id == found.id


@pytest.mark.parametrize("text", ["absent", "absent:v1", "a" * 64, "sha256:" + "a" * 64, "sha256:abcdef", "abcdef"])
def test_what_is_not_there_is_not_found(images: Images, text: str) -> None:
    with pytest.raises(NotFound, match="No such image"):
        images.resolve(text)


def test_a_missing_name_is_reported_with_its_tag(images: Images) -> None:
    with pytest.raises(NotFound, match="No such image: absent:latest"):
        images.resolve("absent")


def test_a_malformed_name_is_an_invalid_argument(images: Images) -> None:
    with pytest.raises(InvalidArgument):
        images.resolve("Not A Name")


def test_an_ambiguous_short_id_is_not_found_and_says_why(store: Store, images: Images) -> None:
    prefixes: dict[str, int] = {}
    number = 0
    while 2 not in prefixes.values():
        images.put(None, image(store, str(number)))
        prefixes = {}
        for found in images.list():
            prefixes[found.id[7]] = prefixes.get(found.id[7], 0) + 1
        number += 1
    prefix = next(text for text, count in prefixes.items() if count == 2)
    with pytest.raises(NotFound) as caught:
        images.resolve(f"sha256:{prefix}")
    assert "begin with" in str(caught.value.hint)


def test_a_name_that_moves_leaves_the_old_image_dangling(store: Store, images: Images) -> None:
    old, new = image(store, "old"), image(store, "new")
    images.put("tool", old)
    assert images.put("tool", new) == old
    assert images.resolve("tool").target == new
    dangling = [found for found in images.list() if not found.names]
    assert [found.target for found in dangling] == [old]
    assert old.digest in images.reachable()


def test_putting_the_same_again_changes_nothing(store: Store, images: Images) -> None:
    target = image(store, "one")
    images.put("tool", target)
    assert images.put("tool", target) == target
    assert len(images.list()) == 1


def test_a_dangling_image_can_be_tagged_and_is_then_not_dangling(store: Store, images: Images) -> None:
    target = image(store, "one")
    images.put(None, target)
    image_id = images.list()[0].id
    images.put("tool", images.resolve(image_id).target)
    assert [found.names for found in images.list()] == [["docker.io/library/tool:latest"]]


def test_the_image_goes_with_its_last_name(store: Store, images: Images) -> None:
    target = image(store, "one")
    images.put("a", target)
    images.put("b", target)
    assert images.remove("a")
    assert images.resolve("b").names == ["docker.io/library/b:latest"]
    assert images.remove("b")
    assert images.list() == []
    assert not images.remove("b")
    assert images.reachable() == set()


def test_digest_names_do_not_keep_an_image_beyond_the_last_tag_of_their_repository(
    store: Store, images: Images
) -> None:
    target = image(store, "one")
    images.put("tool:v1", target)
    images.put(f"tool@{target.digest}", target)
    assert images.remove("tool:v1")
    assert images.list() == []


def test_removal_by_id_takes_all_names(store: Store, images: Images) -> None:
    target = image(store, "one")
    images.put("a", target)
    images.put("b", target)
    assert images.remove(images.resolve("a").id)
    assert images.list() == []
    assert images.put("a", target) is None


def test_untag_keeps_the_image(store: Store, images: Images) -> None:
    images.put("a", image(store, "one"))
    assert images.untag("a")
    assert not images.untag("a")
    assert [found.names for found in images.list()] == [[]]


def test_images_are_listed_newest_first(store: Store, images: Images) -> None:
    images.put("old", image(store, "old", created="2020-01-01T00:00:00Z"))
    images.put("new", image(store, "new", created="2024-01-01T00:00:00Z"))
    assert [found.repo_tags for found in images.list()] == [["new:latest"], ["old:latest"]]


def test_an_index_keeps_all_that_was_fetched_of_it(store: Store, images: Images) -> None:
    import msgspec

    here, there = image(store, "here"), image(store, "there", architecture="s390x")
    absent = Descriptor(media_type=here.media_type, digest=Digest("sha256:" + "0" * 64), size=5, platform=None)
    document = msgspec.json.encode(Index(manifests=[here, there, absent]))
    info = store.blobs.put(document)
    target = Descriptor(media_type=INDEX, digest=info.digest, size=info.size)
    images.put("multi", target, platform=here.platform)
    found = images.resolve("multi")
    assert (found.target.digest, found.manifest_digest) == (target.digest, here.digest)
    assert {target.digest, here.digest, there.digest, found.id} <= images.reachable()
    assert set(store.blobs) <= images.reachable()


def test_a_manifest_whose_layers_do_not_fit_its_configuration_is_refused(store: Store, images: Images) -> None:
    layer = store.blobs.put(b"x")
    descriptor = Descriptor(media_type=LAYER_TAR, digest=layer.digest, size=layer.size)
    target = compose.write_manifest(
        store,
        b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}',
        [descriptor],
    )
    with pytest.raises(InvalidArgument):
        images.put("x", target)


def test_save_takes_all_tags_of_a_repository_that_is_named_without_one(store: Store, images: Images) -> None:
    images.put("tool:v1", image(store, "one"))
    images.put("tool:v2", image(store, "two"))
    images.put("toolbox:v1", image(store, "three"))
    assert [name for _, name in images.select("tool")] == ["docker.io/library/tool:v1", "docker.io/library/tool:v2"]
    assert [name for _, name in images.select("tool:v2")] == ["docker.io/library/tool:v2"]
    assert [name for _, name in images.select(images.resolve("tool:v1").id)] == [None]


def test_writing_an_image_needs_a_diff_id_for_each_layer(store: Store) -> None:
    with pytest.raises(InvalidArgument):
        compose.write_image(store, ImageConfig(architecture="amd64", os="linux", rootfs=RootFS(diff_ids=[])), [
            Descriptor(media_type=LAYER_TAR, digest=Digest("sha256:" + "a" * 64), size=1)
        ])  # fmt: skip
