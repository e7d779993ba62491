"""Where a build goes: image store, directory, archives; in which form; and what is told about it."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from jubako.errors import InvalidArgument, NotFound
from jubako.image import platform as platforms
from jubako.image.archive import load
from jubako.spec.oci_image import Descriptor, Index, Manifest

from .conftest import Site

pytestmark = pytest.mark.root

FILES = "FROM scratch\nCOPY --chown=7:8 --chmod=640 a /d/a\n"


def manifest(site: Site, target: Descriptor | None) -> Manifest:
    assert target is not None
    return json_of(site, target.digest, Manifest)


def json_of(site: Site, digest: str, kind: type) -> object:  # type: ignore[type-arg]
    import msgspec

    return msgspec.json.decode(site.store.blobs.read(digest), type=kind)


def test_local_lays_the_files_over_a_directory_as_the_builders_own(site: Site, tmp_path: Path) -> None:
    site.file("a", "text")
    out = tmp_path / "out"
    out.mkdir()
    (out / "kept").write_text("kept")
    result = site.build(FILES, outputs=[f"type=local,dest={out}"])
    assert (out / "d/a").read_text() == "text"
    status = (out / "d/a").stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (os.geteuid(), os.getegid(), 0o640)
    assert (out / "kept").read_text() == "kept"
    assert result.target is None
    assert [image.names for image in site.images.list()] == [["docker.io/library/base:latest"]]


def test_a_bare_path_is_a_directory_and_a_bare_dash_a_tar_on_standard_output(site: Site, tmp_path: Path) -> None:
    site.file("a", "text")
    stdout = io.BytesIO()
    site.build(FILES, outputs=[str(tmp_path / "new/out"), "-"], stdout=stdout)
    assert (tmp_path / "new/out/d/a").read_text() == "text"
    with tarfile.open(fileobj=io.BytesIO(stdout.getvalue())) as archive:
        member = archive.getmember("d/a")
        assert (member.uid, member.gid, member.mode) == (7, 8, 0o640)


@pytest.mark.parametrize("kind", ["oci", "docker"])
def test_archives_are_loaded_again_under_their_names(site: Site, tmp_path: Path, kind: str) -> None:
    site.file("a", "text")
    result = site.build(FILES, tags=["app:1"], outputs=[f"type={kind},dest={tmp_path}/image.tar"])
    with pytest.raises(NotFound):
        site.images.resolve("app:1")
    load(site.store, tmp_path / "image.tar", site.images)
    assert site.images.resolve("app:1").id == result.image_id


def test_an_oci_layout_directory(site: Site, tmp_path: Path) -> None:
    site.file("a", "text")
    result = site.build(FILES, tags=["app:1"], outputs=[f"type=oci,tar=false,dest={tmp_path}/layout"])
    index = json.loads((tmp_path / "layout/index.json").read_text())
    assert result.target is not None
    assert [entry["digest"] for entry in index["manifests"]] == [result.target.digest]
    assert index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] == "1"


@pytest.mark.parametrize(
    ("wanted", "suffix"), [("gzip", "+gzip"), ("zstd,compression-level=9", "+zstd"), ("uncompressed", ".tar")]
)
def test_compression_is_of_the_build_s_own_layers_or_of_all_when_forced(site: Site, wanted: str, suffix: str) -> None:
    site.file("a", "text" * 1000)
    text = "FROM base\nCOPY a /a\n"
    layers = manifest(site, site.build(text, outputs=[f"type=image,compression={wanted}"]).target).layers
    assert [layer.media_type.endswith(suffix) for layer in layers] == [suffix == "+gzip", True]
    forced = site.build(text, tags=["x"], outputs=[f"type=image,force-compression=true,compression={wanted}"])
    assert all(layer.media_type.endswith(suffix) for layer in manifest(site, forced.target).layers)
    assert site.read(forced, "a") == "text" * 1000


def test_docker_media_types_and_annotations(site: Site) -> None:
    result = site.build(
        "FROM base\nRUN echo >/x\n",
        annotations=["one=1", "index:two=2", "manifest[linux/arm64]:never=1"],
        outputs=["type=image,oci-mediatypes=false,annotation.three=3,annotation-manifest-descriptor.four=4"],
    )
    assert result.target is not None
    index = json_of(site, result.target.digest, Index)
    assert isinstance(index, Index)
    assert index.media_type == "application/vnd.docker.distribution.manifest.list.v2+json"
    assert index.annotations == {"two": "2"}
    assert index.manifests[0].annotations == {"four": "4"}
    inner = manifest(site, result.manifest)
    assert inner.media_type == "application/vnd.docker.distribution.manifest.v2+json"
    assert inner.annotations == {"one": "1", "three": "3"}


def test_metadata_and_iid_files_say_what_was_made(site: Site, tmp_path: Path) -> None:
    result = site.build(
        "FROM base\nRUN echo >/x\n", tags=["a:1", "b"], metadata_file=tmp_path / "m", iidfile=tmp_path / "i"
    )
    found = json.loads((tmp_path / "m").read_text())
    assert result.target is not None
    assert found["containerimage.digest"] == found["containerimage.descriptor"]["digest"] == result.target.digest
    assert found["containerimage.config.digest"] == result.image_id == (tmp_path / "i").read_text()
    assert found["image.name"] == "docker.io/library/a:1,docker.io/library/b:latest"
    assert found["buildx.build.ref"] == result.ref


def test_several_platforms_are_one_index_and_a_directory_each(site: Site, tmp_path: Path) -> None:
    text = (
        "FROM --platform=$BUILDPLATFORM base AS compile\nARG TARGETARCH BUILDPLATFORM\n"
        "RUN echo $BUILDPLATFORM for $TARGETARCH >/made\nFROM scratch\nCOPY --from=compile /made /\n"
    )
    result = site.build(
        text, platforms=["linux/amd64", "linux/arm64"], tags=["many"], outputs=["type=image", str(tmp_path / "out")]
    )
    assert result.target is not None
    index = json_of(site, result.target.digest, Index)
    assert isinstance(index, Index)
    assert [platforms.text(entry.platform) for entry in index.manifests if entry.platform] == [
        "linux/amd64",
        "linux/arm64",
    ]
    assert (tmp_path / "out/linux_amd64/made").read_text() == "linux/amd64 for amd64\n"
    assert (tmp_path / "out/linux_arm64/made").read_text() == "linux/amd64 for arm64\n"
    assert site.images.resolve("many").id == result.image_id
    assert site.images.load(result.target, platforms.parse("linux/arm64")).config.architecture == "arm64"
    assert "[linux/arm64 stage-1 1/1] COPY" in site.output


def test_a_run_for_a_platform_that_can_not_run_here_is_refused_at_its_place(site: Site) -> None:
    with pytest.raises(InvalidArgument, match=r"(?s)Dockerfile:2.*a RUN for linux/s390x can not run on this machine"):
        site.build('FROM --platform=linux/s390x scratch\nRUN ["/x"]\n')


def test_the_same_sources_with_an_epoch_are_one_digest_whatever_their_times(site: Site, tmp_path: Path) -> None:
    digests = set()
    for moment in (1_700_000_000, 1_800_000_000):
        other = Site(tmp_path / str(moment))
        try:
            other.base_image("base", files={"etc/stamp": "1"})
            os.utime(other.file("a", "text"), (moment, moment))
            built = other.build(
                "FROM scratch\nCOPY a /a\nADD a /b/\nWORKDIR /w\nLABEL x=1\n",
                build_args={"SOURCE_DATE_EPOCH": "1600000000"},
                outputs=["type=image,rewrite-timestamp=true,name=r"],
            )
            digests.add(built.target)
        finally:
            other.close()
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        ("type=what", 'exporter "what" could not be found'),
        ("dest=x", "type is required for output"),
        ("type=local", "output directory is required for local exporter"),
        ("type=tar", "output file is required for tar exporter"),
        ("type=image,compression=estargz", "estargz is not supported"),
        ("type=image,compression-level=99", "invalid compression level 99 for gzip"),
        ("type=image,push=maybe", "non-bool value maybe specified for push"),
        ("type=image,nmae=x", 'unknown key "nmae"'),
        ("type=registry", "tag is needed when pushing"),
    ],
)
def test_a_wrong_output_is_refused_before_anything_is_built(site: Site, output: str, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        site.build("FROM base\nRUN false\n", outputs=[output])


def test_a_failed_export_leaves_the_file_that_was_there(site: Site, tmp_path: Path) -> None:
    (tmp_path / "out.tar").mkdir()
    with pytest.raises(InvalidArgument, match="is a directory"):
        site.build("FROM scratch\nCOPY Dockerfile /\n", outputs=[f"type=tar,dest={tmp_path}/out.tar"])
    assert os.listdir(tmp_path / "out.tar") == []
