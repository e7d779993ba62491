"""A peer gets what is pushed, once it can be reached, and nothing goes round in circles."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from tests.waiting import until

from jubako.registry.client import push
from jubako.registry.server import configured, load
from jubako.registry.server.state import State

from .images import make_image, make_index
from .peer import served

pytestmark = pytest.mark.root


@pytest.fixture
def peer(tmp_path):
    with served(configured(tmp_path / "peer", "127.0.0.1:0", drain_s=5)) as http:
        yield http


def peers(http, more=""):
    return f"peers: [{{url: '{http.base}', repositories: ['app/**']{more}}}]\n"


def has(http, path):
    return http("HEAD", path).status == 200


def test_push_arrives_with_all_that_it_names(serve_file, peer, store, options):
    with serve_file(peers(peer)) as registry:
        image = make_image(store, "x", b"one", b"two")
        push(store, image, registry.reference("app/a:v1"), options=options)
        push(store, image, registry.reference("elsewhere:v1"), options=options)
        until(lambda: has(peer, "/v2/app/a/manifests/v1"))
        for layer in image.manifest.layers:
            assert peer("GET", f"/v2/app/a/blobs/{layer.digest}").data == store.blobs.read(layer.digest)
        assert not has(peer, "/v2/elsewhere/manifests/v1")


def test_index_arrives_with_its_children(serve_file, peer, store, options):
    from jubako.image.catalog import Images

    with serve_file(peers(peer)) as registry:
        Images(store).put("multi", make_index(store, amd64=b"one", arm64=b"two"))
        push(store, Images(store).resolve("multi"), registry.reference("app/multi:v1"), options=options)
        until(lambda: has(peer, "/v2/app/multi/manifests/v1"))
        index = peer("GET", "/v2/app/multi/manifests/v1").json()
        assert all(has(peer, f"/v2/app/multi/manifests/{child['digest']}") for child in index["manifests"])


@pytest.mark.parametrize("deletes", [True, False])
def test_deleting_follows_where_that_is_wanted(serve_file, peer, store, options, deletes):
    with serve_file(peers(peer, "" if deletes else ", deletes: false")) as registry:
        for tag in ("v1", "v2"):
            push(store, make_image(store, "x", tag.encode()), registry.reference(f"app/a:{tag}"), options=options)
        until(lambda: has(peer, "/v2/app/a/manifests/v2"))
        registry("DELETE", "/v2/app/a/manifests/v1")
        push(store, make_image(store, "x", b"last"), registry.reference("app/a:last"), options=options)
        until(lambda: has(peer, "/v2/app/a/manifests/last"))
        if deletes:
            until(lambda: not has(peer, "/v2/app/a/manifests/v1"))
        else:
            assert has(peer, "/v2/app/a/manifests/v1")


def test_what_a_peer_missed_while_it_was_away_arrives_later(serve_file, tmp_path, registry_root, store, options):
    away = configured(tmp_path / "peer", "127.0.0.1:0", drain_s=5)
    with ExitStack() as stack:
        first = stack.enter_context(served(away))
        section, listen = peers(first), first.domain
        stack.close()
        with serve_file(section) as registry:
            push(store, make_image(store, "x", b"one"), registry.reference("app/a:v1"), options=options)
        with serve_file(section), served(configured(tmp_path / "peer", listen, drain_s=5)) as peer:
            until(lambda: has(peer, "/v2/app/a/manifests/v1"))


def test_peer_that_is_not_to_delete_keeps_what_came_and_went_while_it_was_away(
    serve_file, tmp_path, registry_root, store, options
):
    image = make_image(store, "x", b"one")
    with served(configured(tmp_path / "peer", "127.0.0.1:0", drain_s=5)) as peer:
        section, listen = peers(peer, ", deletes: false"), peer.domain
        push(store, image, peer.reference("app/a:v1"), options=options)
    with serve_file(section) as registry:
        push(store, image, registry.reference("app/a:v1"), options=options)
        assert registry("DELETE", "/v2/app/a/manifests/v1").status == 202
    with (
        serve_file(section),
        served(configured(tmp_path / "peer", listen, drain_s=5)) as peer,
        closing(State(registry_root)) as state,
    ):
        until(lambda: state.read.deliveries.keys() == [])
        assert has(peer, "/v2/app/a/manifests/v1")


def test_two_that_replicate_to_each_other_come_to_rest(tmp_path, peer, store, options):
    path = Path(tmp_path / "one.yaml")
    with ExitStack() as stack:
        path.write_text(f"root: {tmp_path}/one\nlisten: 127.0.0.1:0\n{peers(peer)}")
        one = stack.enter_context(served(load(path)))
        back = tmp_path / "two.yaml"
        back.write_text(f"root: {tmp_path}/two\nlisten: 127.0.0.1:0\n{peers(one)}")
        two = stack.enter_context(served(load(back)))
        path.write_text(f"root: {tmp_path}/three\nlisten: 127.0.0.1:0\n{peers(two)}")
        three = stack.enter_context(served(load(path)))
        push(store, make_image(store, "x", b"one"), three.reference("app/a:v1"), options=options)
        until(lambda: has(peer, "/v2/app/a/manifests/v1"))
    for name in ("one", "two", "three"):
        state = State(tmp_path / name)
        assert state.read.deliveries.keys() == []
        state.close()
