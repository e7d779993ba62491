"""Caches from machine to machine: --cache-to, --cache-from, --no-cache-filter."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.build import BuildCache, build
from jubako.build.bake.asked import build_options
from jubako.build.bake.files import read_files
from jubako.build.bake.resolve import Resolver
from jubako.build.remotecache.places import Layout
from jubako.errors import InvalidArgument, JubakoError, NotFound
from jubako.registry.client import copy
from jubako.registry.server import configured

from ..registry.peer import Http, served
from .conftest import Site
from .machines import Machine, blob, configuration, document, pushing

pytestmark = pytest.mark.root

# What a RUN makes differs each time that it runs.
UUID = "cat /proc/sys/kernel/random/uuid"
STAGES = (
    f"FROM base AS made\nRUN {UUID} >/one\nRUN {UUID} >/two\nRUN true\n"
    f"FROM base\nCOPY --from=made /two /copy\nRUN {UUID} >/three\n"
)
STEPS = [f"RUN {UUID} >/one", f"RUN {UUID} >/two", "RUN true", "COPY --from=made /two /copy", f"RUN {UUID} >/three"]


@pytest.fixture
def other(site: Site, tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path / "other", site)
    yield machine
    machine.close()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Http]:
    monkeypatch.setenv("JUBAKO_REGISTRIES_CONF", str(tmp_path / "registries.conf"))
    monkeypatch.setenv("JUBAKO_AUTH_FILE", str(tmp_path / "auth.json"))
    with served(configured(tmp_path / "registry", "127.0.0.1:0", drain_s=5)) as http:
        yield http


@pytest.fixture
def local(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.mark.parametrize("attributes", ["", ",image-manifest=false", ",oci-mediatypes=false"])
def test_a_registry_cache_serves_another_machine(site: Site, other: Machine, registry: Http, attributes: str) -> None:
    ref = f"type=registry,ref={registry.domain}/app/cache:main"
    first = site.build(STAGES, cache_to=[f"{ref},mode=max{attributes}"])
    second = other.build(cache_from=[ref])
    assert other.cached() == STEPS
    assert second.image_id == first.image_id
    assert other.read(second, "three") == site.read(first, "three")


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_directory_serves_another_machine(site: Site, other: Machine, local: Path, mode: str) -> None:
    first = site.build(STAGES, cache_to=[f"type=local,dest={local},mode={mode}"])
    second = other.build(cache_from=[f"type=local,src={local}"])
    assert other.cached() == STEPS
    assert second.image_id == first.image_id


def test_a_pruned_machine_has_its_own_cache_back(site: Site, local: Path) -> None:
    first = site.build(STAGES, cache_to=[f"type=local,dest={local}"])
    cache = BuildCache(site.store)
    cache.forget([key for key, _ in cache.entries()])
    assert site.build(cache_from=[f"type=local,src={local}"]).image_id == first.image_id
    assert site.cached() == STEPS


def test_an_image_serves_as_its_own_cache(site: Site, other: Machine, registry: Http) -> None:
    name = f"{registry.domain}/app:inline"
    site.build(STAGES, tags=[name], cache_to=["type=inline"], **pushing(site))
    other.build(cache_from=[name])
    assert other.cached() == STEPS


def test_an_image_of_this_machine_serves_without_a_registry(site: Site) -> None:
    first = site.build(STAGES, tags=["app"], cache_to=["type=inline"])
    cache = BuildCache(site.store)
    cache.forget([key for key, _ in cache.entries()])
    second = site.build(cache_from=["app"], build_args={"BUILDKIT_INLINE_CACHE": "1"})
    assert site.cached() == STEPS
    assert second.image_id == first.image_id


def test_a_build_that_only_fills_the_cache_fetches_nothing(site: Site, other: Machine, local: Path) -> None:
    site.build(STAGES, outputs=["type=cacheonly"], cache_to=[f"type=local,dest={local},mode=max"])
    assert [image.names for image in site.images.list()] == [["docker.io/library/base:latest"]]
    other.build(outputs=["type=cacheonly"], cache_from=[f"type=local,src={local}"])
    assert other.cached() == STEPS
    assert other.fetched() == set()


def test_the_argument_for_inline_caches_does_the_same(site: Site) -> None:
    asked = site.build(STAGES, cache_to=["type=inline"])
    again = site.build(build_args={"BUILDKIT_INLINE_CACHE": "1"})
    assert asked.image_id == again.image_id
    assert site.image(asked).config.cache
    assert "not consumed" not in site.output
    assert site.image(site.build()).config.cache is None


def test_only_what_is_needed_is_fetched(site: Site, other: Machine, local: Path) -> None:
    first = site.build(STAGES, cache_to=[f"type=local,dest={local},mode=max"])
    other.build(cache_from=[f"type=local,src={local}"])
    wanted = {layer.digest for layer in site.image(first).manifest.layers[1:]}
    assert other.fetched() == wanted
    assert len(document(local)["layers"]) == len(wanted) + 2


def test_a_stage_that_is_needed_after_all_is_fetched(site: Site, other: Machine, local: Path) -> None:
    first = site.build(STAGES, cache_to=[f"type=local,dest={local},mode=max"])
    dockerfile = STAGES.replace("/copy\n", "/copy\nCOPY --from=made /one /\n")
    second = other.build(dockerfile, cache_from=[f"type=local,src={local}"])
    assert other.cached() == STEPS[:4]
    assert other.read(second, "copy") == site.read(first, "copy")


def test_a_stage_that_a_mount_shows_is_fetched(site: Site, other: Machine, local: Path) -> None:
    first = site.build(STAGES, cache_to=[f"type=local,dest={local},mode=max"])
    dockerfile = STAGES + "RUN --mount=from=made,target=/m cat /m/one >/seen\n"
    second = other.build(dockerfile, cache_from=[f"type=local,src={local}"])
    assert other.cached() == STEPS
    layer = site.image(first).manifest.layers[-1].digest
    assert f"[cache] fetching {layer}" in other.output
    made = site.build(target="made")
    assert other.read(second, "seen") == site.read(made, "one")


def test_in_mode_min_a_stage_that_is_needed_after_all_runs_again(site: Site, other: Machine, local: Path) -> None:
    first = site.build(STAGES, cache_to=[f"type=local,dest={local}"])
    assert len(document(local)["layers"]) == 2
    dockerfile = STAGES.replace("/copy\n", "/copy\nCOPY --from=made /one /\n")
    second = other.build(dockerfile, cache_from=[f"type=local,src={local}"])
    assert other.read(second, "copy") != site.read(first, "copy")
    assert other.read(second, "one")
    assert "Warning" not in other.output


def test_what_was_imported_is_kept_here(site: Site, other: Machine, local: Path) -> None:
    dockerfile = f"FROM base\nRUN {UUID} >/one\nRUN true\n"
    site.build(dockerfile, cache_to=[f"type=local,dest={local}"])
    other.build(cache_from=[f"type=local,src={local}"])
    other.build()
    assert other.cached() == [f"RUN {UUID} >/one", "RUN true"]


def test_a_machine_with_all_of_it_asks_nobody(site: Site) -> None:
    site.build(STAGES)
    site.build(cache_from=["127.0.0.1:1/nothing"])
    assert site.cached() == STEPS
    assert "importing" not in site.output


def test_an_imported_cache_can_be_exported_without_fetching_it(site: Site, other: Machine, registry: Http) -> None:
    ref = f"type=registry,ref={registry.domain}/app/cache"
    site.build(STAGES, cache_to=[f"{ref},mode=max"])
    before = registry("GET", "/v2/app/cache/manifests/latest").data
    other.build(cache_from=[ref], cache_to=[f"{ref},mode=max"])
    assert registry("GET", "/v2/app/cache/manifests/latest").data == before
    assert len(other.fetched()) == 2


def test_an_imported_cache_can_be_exported_elsewhere(site: Site, other: Machine, registry: Http, local: Path) -> None:
    ref = f"type=registry,ref={registry.domain}/app/cache"
    site.build(STAGES, cache_to=[f"{ref},mode=max"])
    other.build(cache_from=[ref], cache_to=[f"type=local,dest={local},mode=max"])
    assert len(document(local)["layers"]) == 4


def test_a_copy_is_found_by_its_content_too(site: Site, other: Machine, local: Path) -> None:
    dockerfile = f"FROM base AS made\nRUN {UUID} >/x && echo same >/same\nFROM base\nCOPY --from=made /same /\n"
    site.build(dockerfile, cache_to=[f"type=local,dest={local},mode=max"])
    other.build(dockerfile.replace("RUN ", "RUN true && "), cache_from=[f"type=local,src={local}"])
    assert other.cached() == ["COPY --from=made /same /"]


def test_the_layout_is_buildkits(site: Site, local: Path) -> None:
    result = site.build(STAGES, cache_to=[f"type=local,dest={local},mode=max,tag=v1"])
    index = json.loads((local / "index.json").read_bytes())
    assert [entry["annotations"] for entry in index["manifests"]] == [{"org.opencontainers.image.ref.name": "v1"}]
    manifest = document(local)
    assert manifest["config"]["mediaType"] == "application/vnd.buildkit.cacheconfig.v0"
    for layer in manifest["layers"]:
        assert layer["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
        assert set(layer["annotations"]) == {"buildkit/createdat", "containerd.io/uncompressed"}
        assert len(blob(local, layer["digest"])) == layer["size"]
    config = configuration(local)
    assert {entry["blob"] for entry in config["layers"]} == {layer["digest"] for layer in manifest["layers"]}
    assert sorted(entry["parent"] for entry in config["layers"]) == [-1, -1, 0, 2]
    top = site.image(result).manifest.layers[-1].digest
    assert [entry["blob"] for entry in config["layers"]].index(top) in {
        output["layer"] for record in config["records"] for output in record.get("layers", [])
    }


def test_an_index_in_docker_types(site: Site, local: Path) -> None:
    site.build(STAGES, cache_to=[f"type=local,dest={local},oci-mediatypes=false"])
    index = document(local)
    assert index["mediaType"] == "application/vnd.docker.distribution.manifest.list.v2+json"
    assert [entry["mediaType"] for entry in index["manifests"]] == [
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.buildkit.cacheconfig.v0",
    ]


def test_layers_are_compressed_as_asked(site: Site, other: Machine, local: Path) -> None:
    first = site.build(STAGES, cache_to=[f"type=local,dest={local},compression=zstd,compression-level=3"])
    assert {layer["mediaType"].rpartition("+")[2] for layer in document(local)["layers"]} == {"zstd"}
    second = other.build(cache_from=[f"type=local,src={local}"])
    assert other.cached() == STEPS
    assert second.image_id == first.image_id


def test_tags_of_a_directory_stand_side_by_side(site: Site, other: Machine, local: Path) -> None:
    site.build(STAGES, cache_to=[f"type=local,dest={local},tag=a"])
    site.build("FROM base\nRUN true\n", cache_to=[f"type=local,dest={local},tag=b", f"type=local,dest={local},tag=b"])
    other.build(STAGES, cache_from=[f"type=local,src={local},tag=b"])
    assert "FROM" not in "".join(other.cached())
    assert [each for each in other.cached() if each != "RUN true"] == []


def test_exports_side_by_side_to_one_directory_are_all_there(site: Site, other: Machine, local: Path) -> None:
    site.build(STAGES)
    failures: list[BaseException] = []

    def export(number: int) -> None:
        try:
            target = f"type=local,dest={local},tag=v{number},mode=max"
            build(site.drivers, site.context, network="none", cache_to=[target])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=export, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for number in range(6):
        assert len(Layout(local, f"v{number}", "").document().layers) == 4  # type: ignore[union-attr]
    assert list(local.rglob(".*")) == []
    other.build(cache_from=[f"type=local,src={local},tag=v3"])
    assert other.cached() == STEPS


def test_a_cache_in_an_index_is_copied_as_it_is(site: Site, other: Machine, registry: Http) -> None:
    site.build(STAGES, cache_to=[f"type=registry,ref={registry.domain}/app:cache,image-manifest=false"])
    copy(registry.reference("app:cache"), registry.reference("elsewhere/app:cache"))
    other.build(cache_from=[f"{registry.domain}/elsewhere/app:cache"])
    assert other.cached() == STEPS


def test_no_secret_is_in_a_cache(site: Site, local: Path) -> None:
    site.build(
        "FROM base\nARG TOKEN\nRUN --mount=type=secret,id=s cat /run/secrets/s >/dev/null; echo $TOKEN >/dev/null\n",
        secrets={"s": b"hunter2-secret"},
        build_args={"TOKEN": "hunter2-argument", "HTTP_PROXY": "http://hunter2-proxy"},
        cache_to=[f"type=local,dest={local},mode=max"],
    )
    for path in local.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes()


def test_no_cache_imports_nothing(site: Site, other: Machine, local: Path) -> None:
    site.build(STAGES, cache_to=[f"type=local,dest={local}"])
    other.build(cache_from=[f"type=local,src={local}"], no_cache=True)
    assert other.cached() == []
    assert "importing" not in other.output


def test_a_filtered_stage_runs_and_others_are_cached(site: Site) -> None:
    dockerfile = (
        f"FROM base AS one\nRUN {UUID} >/one\nFROM base AS two\nRUN {UUID} >/two\n"
        "FROM scratch\nCOPY --from=one /one /\nCOPY --from=two /two /\n"
    )
    first = site.build(dockerfile)
    second = site.build(dockerfile, no_cache_filter=["TWO", "unknown"])
    assert site.cached() == [f"RUN {UUID} >/one", "COPY --from=one /one /"]
    assert site.read(first, "one") == site.read(second, "one")
    assert site.read(first, "two") != site.read(second, "two")


@pytest.mark.parametrize("kind", ["hcl", "json", "yaml"])
def test_bake_exports_and_imports(
    site: Site, other: Machine, local: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    to, source = f"type=local,dest={local}", f"type=local,src={local}"
    text = {
        "hcl": f'target "app" {{\n cache-to = ["{to}"]\n cache-from = [{{type = "local", src = "{local}"}}]\n}}',
        "json": json.dumps({"target": {"app": {"cache-to": [to], "cache-from": [source]}}}),
        "yaml": json.dumps({"services": {"app": {"build": {"cache_to": [to], "cache_from": [source]}}}}),
    }[kind]
    name = {"hcl": "docker-bake.hcl", "json": "docker-bake.json", "yaml": "compose.yaml"}[kind]
    site.file(name, text)
    site.file(".dockerignore", name)
    target = Resolver(read_files([name], site.context, {}), {}).plan(["app"]).targets["app"]
    _, options = build_options(target, site.context, {})
    caches = {key: options[key] for key in ("cache_from", "cache_to")}
    site.build(STAGES, **caches)
    other.build(**caches)
    assert other.cached() == STEPS


# What goes wrong.


def test_a_cache_that_is_not_there_is_a_warning(site: Site, local: Path, registry: Http) -> None:
    site.build(STAGES, cache_from=[f"type=local,src={local}", f"{registry.domain}/nothing"])
    assert site.cached() == []
    assert f"[Warning] failed to import cache {local}:latest: {local}/index.json is not there" in site.output
    assert f"[Warning] failed to import cache {registry.domain}/nothing:latest: " in site.output


def test_an_export_that_fails_fails_the_build_unless_it_is_to_be_ignored(site: Site, local: Path) -> None:
    local.write_text("a file")
    with pytest.raises(JubakoError):
        site.build(STAGES, cache_to=[f"type=local,dest={local}"])
    result = site.build(cache_to=[f"type=local,dest={local},ignore-error=true"])
    assert f"[Warning] failed to export cache to {local}: " in site.output
    assert site.read(result, "three")


def test_options_that_make_no_sense_are_refused_before_anything_runs(site: Site) -> None:
    with pytest.raises(InvalidArgument, match="unknown cache exporter"):
        site.build(STAGES, cache_to=["type=s3"])
    assert site.output == ""


def spoil(local: Path, digest: str, data: bytes | None) -> None:
    path = local / "blobs" / digest.replace(":", "/")
    path.unlink()
    if data is not None:
        path.write_bytes(data)


@pytest.mark.parametrize("data", [None, b"", b"something else"])
def test_a_layer_that_is_gone_or_wrong_is_made_again(
    site: Site, other: Machine, local: Path, data: bytes | None
) -> None:
    first = site.build(STAGES, cache_to=[f"type=local,dest={local},mode=max"])
    top = site.image(first).manifest.layers[-1].digest
    spoil(local, top, data)
    second = other.build(cache_from=[f"type=local,src={local}"])
    assert f"[Warning] cache {local}:latest: " in other.output
    assert other.read(second, "copy") == site.read(first, "copy")
    assert other.read(second, "three") != site.read(first, "three")
    assert other.build().image_id == second.image_id


def test_what_one_cache_has_lost_another_may_have(site: Site, other: Machine, local: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    first = site.build(STAGES, cache_to=[f"type=local,dest={local}", f"type=local,dest={broken}"])
    spoil(broken, site.image(first).manifest.layers[-1].digest, None)
    second = other.build(cache_from=[f"type=local,src={broken}", f"type=local,src={local}"])
    assert other.cached() == STEPS
    assert second.image_id == first.image_id


def test_of_two_caches_the_one_that_does_not_lie_is_taken(
    site: Site, other: Machine, local: Path, tmp_path: Path
) -> None:
    liar = tmp_path / "liar"
    first = site.build(STAGES, cache_to=[f"type=local,dest={local}", f"type=local,dest={liar}"])
    rewritten(liar, {site.image(first).diff_ids[-1]: f"sha256:{'5' * 64}"})
    second = other.build(cache_from=[f"type=local,src={liar}", f"type=local,src={local}"])
    assert second.image_id == first.image_id


def test_a_configuration_with_other_bytes_is_a_warning(site: Site, other: Machine, local: Path) -> None:
    site.build(STAGES, cache_to=[f"type=local,dest={local}"])
    spoil(local, document(local)["config"]["digest"], b"{}")
    other.build(cache_from=[f"type=local,src={local}"])
    assert "failed to import cache" in other.output
    assert other.cached() == []


def rewritten(local: Path, change: dict[str, str]) -> None:
    """Change words of the manifest, and keep the digests around it right: it is a liar who wrote it."""
    import hashlib

    index = json.loads((local / "index.json").read_bytes())
    data = blob(local, index["manifests"][0]["digest"])
    for old, new in change.items():
        assert old.encode() in data
        data = data.replace(old.encode(), new.encode())
    digest = hashlib.sha256(data).hexdigest()
    (local / "blobs/sha256" / digest).write_bytes(data)
    index["manifests"][0] |= {"digest": f"sha256:{digest}", "size": len(data)}
    (local / "index.json").write_text(json.dumps(index))


def test_a_layer_that_is_not_what_the_cache_says_makes_no_image(site: Site, other: Machine, local: Path) -> None:
    first = site.build(STAGES, cache_to=[f"type=local,dest={local}"])
    image = site.image(first)
    rewritten(local, {image.diff_ids[-1]: f"sha256:{'5' * 64}"})
    second = other.build(cache_from=[f"type=local,src={local}"])
    assert "unpacks to" in other.output
    assert other.read(second, "three") != site.read(first, "three")


def test_a_layer_of_this_machine_does_not_vouch_for_another_blob(site: Site, other: Machine, local: Path) -> None:
    """The cache says that its step made a layer that is unpacked here, and names a blob that holds something else."""
    first = site.build(STAGES, cache_to=[f"type=local,dest={local}"])
    there = other.build("FROM base\nRUN echo evil >/evil\n")
    mine = other.image(there).diff_ids[-1]
    rewritten(local, {site.image(first).diff_ids[-1]: mine})
    other.build(STAGES, cache_from=[f"type=local,src={local}"])
    assert "unpacks to" in other.output
    for image in other.images.list():
        if mine in image.diff_ids:
            assert image.manifest.layers[-1].digest == other.image(there).manifest.layers[-1].digest


def test_a_layer_with_another_compression_than_it_says_is_refused(site: Site, other: Machine, local: Path) -> None:
    site.build(STAGES, cache_to=[f"type=local,dest={local}"])
    rewritten(local, {"tar+gzip": "tar+zstd"})
    other.build(cache_from=[f"type=local,src={local}"])
    assert "but has compression gzip" in other.output


def test_a_pipe_in_a_cache_keeps_nobody_waiting(site: Site, other: Machine, local: Path) -> None:
    local.mkdir()
    os.mkfifo(local / "index.json")
    other.build("FROM base\nRUN true\n", cache_from=[f"type=local,src={local}"])
    assert "failed to import cache" in other.output


def test_a_directory_that_can_not_be_read_is_a_warning(site: Site, local: Path) -> None:
    local.symlink_to(local)
    site.build("FROM base\nRUN true\n", cache_from=[f"type=local,src={local}", "type=local,src=/proc/self/environ"])
    assert site.output.count("[Warning] failed to import cache") == 2


def test_an_image_without_a_cache_is_none(site: Site, other: Machine, registry: Http) -> None:
    name = f"{registry.domain}/app:plain"
    site.build(STAGES, tags=[name], **pushing(site))
    other.build(cache_from=[name])
    assert other.cached() == []
    assert "Warning" not in other.output


def test_a_missing_tag_of_a_directory_is_named(site: Site, local: Path) -> None:
    site.build(STAGES, cache_to=[f"type=local,dest={local}"])
    with pytest.raises(NotFound, match="has no cache v9"):
        Layout(local, "v9", "").document()
