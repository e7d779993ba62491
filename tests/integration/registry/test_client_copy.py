"""Between registries: copies, referrers (by the API and by the fallback tag), artifacts, all tags and platforms."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from tests.conftest import Cli

from jubako.errors import DataLoss, InvalidArgument, JubakoError, NotFound, Unavailable
from jubako.image.catalog import Images
from jubako.image.platform import parse as platform
from jubako.image.reference import parse
from jubako.registry.client import about, artifact, copy, pull, push, tags
from jubako.registry.client.artifact import File
from jubako.registry.server import configured
from jubako.spec.oci_image import EMPTY, INDEX, LAYER_TAR, MANIFEST, Descriptor, Digest, Index, Manifest

from .images import make_image, make_index, put
from .peer import Http, digest_of, served
from .scripted import Answer, Asked, scripted

pytestmark = pytest.mark.root
TITLE = "org.opencontainers.image.title"


@pytest.fixture
def second(tmp_path):
    """A registry elsewhere."""
    with served(configured(tmp_path / "second", "127.0.0.1:0", drain_s=5)) as http:
        yield http


def manifest(http: Http, name: str, reference: str) -> bytes:
    answer = http("GET", f"/v2/{name}/manifests/{reference}", Accept=f"{MANIFEST}, {INDEX}")
    assert answer.status == 200, answer.data
    return answer.data


class TestCopy:
    def test_an_image_arrives_byte_for_byte_and_nothing_is_kept_here(self, store, registry, second, options):
        image = make_image(store, "app:v1", os.urandom(3_000_000), b"small")
        push(store, image, registry.reference("app:v1"), options=options)
        copied = copy(registry.reference("app:v1"), second.reference("team/copy:v2"), options=options)
        assert copied.digest == image.manifest_digest
        assert digest_of(manifest(second, "team/copy", "v2")) == image.manifest_digest
        for blob in (image.manifest.config, *image.manifest.layers):
            assert digest_of(second("GET", f"/v2/team/copy/blobs/{blob.digest}").data) == blob.digest

    def test_an_index_goes_whole_or_for_one_platform(self, store, registry, second, options):
        index = make_index(store, amd64=b"a" * 99, arm64=b"b" * 99)
        Images(store).put("multi:v1", index)
        push(store, Images(store).resolve("multi:v1"), registry.reference("multi:v1"), options=options)
        assert (
            copy(registry.reference("multi:v1"), second.reference("multi:v1"), options=options).digest == index.digest
        )
        for child in msgspec.json.decode(manifest(second, "multi", "v1"), type=Index).manifests:
            assert digest_of(manifest(second, "multi", child.digest)) == child.digest
        arm = platform("linux/arm64")
        one = copy(registry.reference("multi:v1"), second.reference("one:v1"), platform=arm, options=options)
        assert one.media_type == MANIFEST
        assert one.digest != index.digest

    def test_within_a_registry_blobs_are_mounted_and_not_moved(self, honest, image, options):
        def script(asked: Asked) -> Answer:
            if asked.method == "POST":
                return Answer(201 if "mount=" in asked.path and "from=app" in asked.path else 500)
            if asked.method == "PUT":
                return Answer(201)
            return Answer(404) if asked.method == "HEAD" else honest(asked)

        with scripted(script) as server:
            copy(parse(f"{server.domain}/app:v1"), parse(f"{server.domain}/other:v1"), options=options)
        assert [asked.path for asked in server.asked if asked.method == "GET"] == ["/v2/app/manifests/v1"]

    def test_a_blob_that_is_wrong_on_its_way_does_not_arrive(self, honest, image, second, options):
        def script(asked: Asked) -> Answer:
            answer = honest(asked)
            return answer._replace(body=b"\0" + answer.body[1:]) if "/blobs/" in asked.path else answer

        with scripted(script) as server, pytest.raises(DataLoss, match="does not match"):
            copy(parse(f"{server.domain}/app:v1"), second.reference("app:v1"), options=options)
        assert second("GET", "/v2/app/manifests/v1").status == 404

    def test_a_blob_that_ends_early_is_not_waited_for(self, honest, image, second, options):
        def script(asked: Asked) -> Answer:
            answer = honest(asked)
            return answer._replace(body=answer.body[:-1]) if "/blobs/" in asked.path else answer

        with scripted(script) as server, pytest.raises(DataLoss, match="ended after"):
            copy(parse(f"{server.domain}/app:v1"), second.reference("app:v1"), options=options)

    def test_what_a_mirror_breaks_off_comes_from_the_registry(self, honest, image, second, options, configuration):
        def script(asked: Asked) -> Answer:
            answer = honest(asked)
            if image.manifest.layers[0].digest in asked.path:
                return answer._replace(body=answer.body[:2_000_000], length=len(answer.body))
            return answer

        with scripted(script) as mirror, scripted(honest) as server:
            configuration.parent.mkdir(exist_ok=True)
            configuration.with_name("registries.conf").write_text(
                f'[[registry]]\nlocation = "{server.domain}"\n[[registry.mirror]]\nlocation = "{mirror.domain}"\n'
            )
            once = msgspec.structs.replace(options, retries=0)
            copy(parse(f"{server.domain}/app:v1"), second.reference("app:v1"), options=once)
        assert server.count("/blobs/") == 1
        assert digest_of(manifest(second, "app", "v1")) == image.manifest_digest

    def test_referrers_go_along_when_asked_for(self, store, registry, second, options, tmp_path):
        image = make_image(store, "app:v1", b"x")
        push(store, image, registry.reference("app:v1"), options=options)
        (tmp_path / "sig").write_text("signed")
        signature = artifact.push(
            store, registry.reference("app"), [File(tmp_path / "sig")], artifact_type="test/sig", subject="v1"
        )
        copy(registry.reference("app:v1"), second.reference("plain:v1"), options=options)
        copy(registry.reference("app:v1"), second.reference("all:v1"), with_referrers=True, options=options)
        assert about(second.reference("plain:v1"))[1] == []
        (found,) = about(second.reference("all:v1"))[1]
        assert (found.digest, found.artifact_type) == (signature.digest, "test/sig")

    def test_a_copy_to_a_digest_or_of_nothing_is_refused(self, registry, second, options):
        with pytest.raises(InvalidArgument, match="needs a tag"):
            copy(registry.reference("a:1"), second.reference("a@sha256:" + "0" * 64), options=options)
        with pytest.raises(NotFound, match="manifest unknown"):
            copy(registry.reference("a:1"), second.reference("a:1"), options=options)


class TestReferrers:
    def old_registry(self, kept: dict[str, tuple[str, bytes]]):
        """Knows neither the referrers API nor OCI-Subject, as registries before 1.1."""

        def script(asked: Asked) -> Answer:
            kind, reference = asked.path.split("?")[0].split("/")[-2:]
            if kind == "manifests" and asked.method == "PUT":
                kept[reference] = (asked.headers["Content-Type"], asked.body)
                kept[digest_of(asked.body)] = kept[reference]
                return Answer(201)
            if kind == "manifests" and reference in kept:
                media_type, data = kept[reference]
                return Answer(body=data, headers={"Content-Type": media_type})
            if kind == "uploads" or asked.method == "PUT":
                return Answer(201 if asked.method == "PUT" else 202, headers={"Location": "/v2/app/blobs/uploads/1"})
            return Answer(404)

        return script

    def test_without_the_api_the_list_is_kept_under_the_fallback_tag(self, store, options, tmp_path):
        kept: dict[str, tuple[str, bytes]] = {}
        (tmp_path / "sig").write_text("signed")
        with scripted(self.old_registry(kept)) as server:
            subject = push(store, make_image(store, "app:v1", b"x"), parse(f"{server.domain}/app:v1"), options=options)
            for kind in ("a/sig", "b/sbom", "b/sbom"):
                artifact.push(
                    store, parse(f"{server.domain}/app"), [File(tmp_path / "sig")],
                    artifact_type=kind, subject="v1", options=options,
                )  # fmt: skip
            target, found = about(parse(f"{server.domain}/app:v1"), options=options)
            (sbom,) = about(parse(f"{server.domain}/app:v1"), "b/sbom", options=options)[1]
        assert target.digest == subject.digest
        assert [entry.artifact_type for entry in found] == ["a/sig", "b/sbom"]
        assert sbom.artifact_type == "b/sbom"
        media_type, data = kept[subject.digest.replace(":", "-")]
        assert media_type == INDEX
        assert len(msgspec.json.decode(data, type=Index).manifests) == 2

    def test_a_list_that_breaks_off_is_no_list(self, honest, options):
        def script(asked: Asked) -> Answer:
            listed = "/referrers/" in asked.path or "/tags/" in asked.path
            return Answer(200, b'{"manifests": [', {"Content-Type": INDEX}, length=9000) if listed else honest(asked)

        with scripted(script) as server:
            for ask in (about, tags):
                with pytest.raises(Unavailable, match="broke off"):
                    ask(parse(f"{server.domain}/app:v1"), options=options)

    def test_lists_come_in_pages(self, options):
        entry = {"mediaType": MANIFEST, "size": 1, "artifactType": "t"}

        def script(asked: Asked) -> Answer:
            if "/manifests/" in asked.path:
                data = msgspec.json.encode(
                    Manifest(
                        config=Descriptor(media_type=EMPTY, digest=Digest("sha256:" + "1" * 64), size=2), layers=[]
                    )
                )
                return Answer(body=data, headers={"Content-Type": MANIFEST})
            page = int(asked.path.rpartition("=")[2]) if "page=" in asked.path else 0
            manifests = [{**entry, "digest": f"sha256:{page:064}"}]
            headers = {"Content-Type": INDEX}
            if page < 3:
                headers["Link"] = f'<{asked.path.partition("?")[0]}?page={page + 1}>; rel="next"'
            return Answer(body=msgspec.json.encode({"schemaVersion": 2, "manifests": manifests}), headers=headers)

        with scripted(script) as server:
            _, found = about(parse(f"{server.domain}/app:v1"), options=options)
        assert [int(entry.digest[7:]) for entry in found] == [0, 1, 2, 3]


class TestArtifacts:
    def test_files_and_folders_come_back_as_they_were(self, store, other, registry, options, tmp_path):
        source = tmp_path / "source"
        (source / "folder/below").mkdir(parents=True)
        (source / "file.txt").write_bytes(b"text")
        (source / "folder/below/data").write_bytes(os.urandom(2_000_000))
        (source / "folder/run").write_text("x")
        (source / "folder/run").chmod(0o755)
        files = [File(source / "file.txt", "text/plain", "file.txt"), File(source / "folder", title="folder")]
        pushed = artifact.push(
            store, registry.reference("a:v1"), files, artifact_type="x/y", annotations={"k": "v"}, options=options
        )
        document = msgspec.json.decode(manifest(registry, "a", "v1"), type=Manifest)
        assert (document.artifact_type, document.config.media_type, document.annotations) == ("x/y", EMPTY, {"k": "v"})
        assert document.layers[0].media_type == "text/plain"
        target, names = artifact.pull(other, registry.reference("a:v1"), tmp_path / "out", options=options)
        assert (target.digest, names) == (pushed.digest, ["file.txt", "folder"])
        assert (tmp_path / "out/folder/below/data").read_bytes() == (source / "folder/below/data").read_bytes()
        assert (tmp_path / "out/folder/run").stat().st_mode & 0o777 == 0o755
        (tmp_path / "out/file.txt").write_text("mine")
        with pytest.raises(InvalidArgument, match="File exists"):
            artifact.pull(other, registry.reference("a:v1"), tmp_path / "out", overwrite=False, options=options)
        assert (tmp_path / "out/file.txt").read_text() == "mine"

    @pytest.mark.parametrize("title", ["../out", "/etc/x", "a/../../x", "a//b", "", "link/x", "."])
    def test_no_title_leads_out_of_the_directory(self, store, other, registry, options, tmp_path, title):
        data = put(store, LAYER_TAR, b"hostile")
        layer = msgspec.structs.replace(data, annotations={TITLE: title})
        registry.push_blob("a", b"hostile")
        registry.push_blob("a", b"{}")
        empty = Descriptor(media_type=EMPTY, digest=digest_of(b"{}"), size=2)
        document = msgspec.json.encode(Manifest(media_type=MANIFEST, config=empty, layers=[layer]))
        assert registry("PUT", "/v2/a/manifests/v1", document, Content_Type=MANIFEST).status == 201
        (tmp_path / "out").mkdir()
        (tmp_path / "out/link").symlink_to(tmp_path)
        if title:
            with pytest.raises(InvalidArgument):
                artifact.pull(other, registry.reference("a:v1"), tmp_path / "out", options=options)
        else:
            assert artifact.pull(other, registry.reference("a:v1"), tmp_path / "out", options=options)[1] == []
        assert os.listdir(tmp_path / "out") == ["link"]
        assert not (tmp_path / "x").exists()

    def test_a_file_that_is_not_there_is_named_and_nothing_is_pushed(self, store, registry, options):
        with pytest.raises(NotFound, match="absent"):
            artifact.push(store, registry.reference("a:v1"), [File(Path("absent"))], options=options)
        assert registry("GET", "/v2/a/tags/list").status == 404


class TestManyAtOnce:
    def test_all_platforms_are_kept_and_pushed_on(self, store, other, registry, options):
        index = make_index(store, amd64=b"a" * 99, arm64=b"b" * 99)
        Images(store).put("multi:v1", index)
        push(store, Images(store).resolve("multi:v1"), registry.reference("multi:v1"), options=options)
        unpacked = []
        image = pull(
            other, Images(other), registry.reference("multi:v1"), all_platforms=True, options=options,
            on_blob=lambda layer, diff_id: unpacked.append(diff_id),
        )  # fmt: skip
        assert unpacked == image.diff_ids
        assert push(other, image, registry.reference("again:v1"), options=options).digest == index.digest
        arm = push(other, image, registry.reference("arm:v1"), platform=platform("linux/arm64"), options=options)
        assert arm.digest in {
            child.digest for child in msgspec.json.decode(store.blobs.read(index.digest), type=Index).manifests
        }
        with pytest.raises(JubakoError, match="no matching manifest"):
            push(other, image, registry.reference("s390:v1"), platform=platform("linux/s390x"), options=options)

    def test_all_tags_over_pages(self, store, registry, options):
        image = make_image(store, "app:v1", b"x")
        names = [f"v{number:03}" for number in range(7)]
        for name in names:
            push(store, image, registry.reference(f"app:{name}"), options=options)
        assert tags(registry.reference("app"), options=options) == names

    def test_commands(self, state: Cli, registry: Http, tmp_path):
        one, two = f"{registry.domain}/cli:1", f"{registry.domain}/cli:2"
        state("tag", "busybox", one)
        state("tag", "busybox", two)
        assert state("push", "-a", f"{registry.domain}/cli").count("digest: sha256:") == 2
        assert "Digest: sha256:" in state("image", "copy", one, f"{registry.domain}/copied:1")
        state("rmi", one, two)
        assert state("pull", "-a", f"{registry.domain}/cli").count("Status: ") == 2
        assert b"tag can't be used" in state.run("pull", "-a", one).stderr
        (tmp_path / "notes.txt").write_text("hello")
        pushed = state(
            "artifact", "push", "-q", "--artifact-type", "test/notes", "--annotation", "a=b", "--subject", "1",
            f"{registry.domain}/cli", f"{tmp_path}/notes.txt:text/plain",
        ).strip()  # fmt: skip
        assert state("artifact", "referrers", one).split()[-2:] == ["test/notes", pushed]
        state("artifact", "pull", "-o", str(tmp_path / "out"), f"{registry.domain}/cli@{pushed}")
        assert [path.read_text() for path in (tmp_path / "out").rglob("notes.txt")] == ["hello"]
        state("rmi", one, two)
