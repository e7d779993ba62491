"""Statements about images: laid out as BuildKit lays them out, true to what was built, and without secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jubako.errors import InvalidArgument
from jubako.image import platform as platforms

from .conftest import Site

pytestmark = pytest.mark.root

DPKG = (
    "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\nDescription: a shell\n long\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n"
)
APK = "C:Q1x\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nF:lib\n\n"
METADATA = "Metadata-Version: 2.1\nName: My_Package\nVersion: 1.0\nLicense-Expression: MIT\n\nName: not this\n"
FILES = {
    "var/lib/dpkg/status": DPKG,
    "lib/apk/db/installed": APK,
    "usr/lib/python3/site-packages/my_package-1.0.dist-info/METADATA": METADATA,
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
}


def document(site: Site, digest: str) -> Any:
    return json.loads(site.store.blobs.read(digest))


def statements(site: Site, index: Any) -> dict[str, Any]:
    """The statements of the (only) attestation manifest, by predicate type."""
    (entry,) = [each for each in index["manifests"] if each["platform"]["os"] == "unknown"]
    layers = document(site, entry["digest"])["layers"]
    return {layer["annotations"]["in-toto.io/predicate-type"]: document(site, layer["digest"]) for layer in layers}


def test_an_index_lists_the_image_and_its_attestation_manifest(site: Site) -> None:
    result = site.build("FROM base\nRUN echo >/x\n", tags=["app:1"], provenance="true", sbom="true")
    assert result.target is not None
    index = document(site, result.target.digest)
    image, entry = index["manifests"]
    assert image["digest"] == result.manifest.digest
    assert entry["platform"] == {"architecture": "unknown", "os": "unknown"}
    assert entry["annotations"] == {
        "vnd.docker.reference.digest": image["digest"],
        "vnd.docker.reference.type": "attestation-manifest",
    }
    manifest = document(site, entry["digest"])
    assert {layer["mediaType"] for layer in manifest["layers"]} == {"application/vnd.in-toto+json"}
    assert document(site, manifest["config"]["digest"])["rootfs"]["diff_ids"] == [
        layer["digest"] for layer in manifest["layers"]
    ]
    for kind, statement in statements(site, index).items():
        assert statement["_type"] == "https://in-toto.io/Statement/v0.1"
        assert statement["predicateType"] == kind
        (subject,) = statement["subject"]
        platform = platforms.text(platforms.host()).replace("/", "%2F")
        assert subject["name"] == f"pkg:docker/app@1?platform={platform}"
        assert subject["digest"] == {"sha256": image["digest"].removeprefix("sha256:")}
    assert site.images.resolve("app:1").id == result.image_id


def test_provenance_says_what_was_built_upon_and_max_how(site: Site, tmp_path: Path) -> None:
    text = "FROM base\nARG A\nRUN --mount=type=secret,id=s cat /run/secrets/s >/dev/null\n"
    options = {"build_args": {"A": "value"}, "secrets": {"s": b"hush-hush"}, "labels": {"l": "1"}}
    found = {}
    for mode in ("min", "max"):
        result = site.build(text, provenance=f"mode={mode}", metadata_file=tmp_path / mode, **options)
        assert result.target is not None
        (found[mode],) = statements(site, document(site, result.target.digest)).values()
        assert json.loads((tmp_path / mode).read_text())["buildx.build.provenance"] == found[mode]["predicate"]
    least, most = found["min"]["predicate"], found["max"]["predicate"]
    base = site.images.resolve("base").manifest_digest
    assert [each["digest"] for each in least["materials"]] == [{"sha256": base.removeprefix("sha256:")}]
    assert least["invocation"]["parameters"]["args"] == {"label:l": "1"}
    assert most["invocation"]["parameters"]["args"] == {"label:l": "1", "build-arg:A": "value"}
    assert "buildConfig" not in least
    assert most["buildConfig"]["llbDefinition"][-1]["name"].startswith("[2/2] RUN")
    assert "hush-hush" not in json.dumps(found)


def test_the_bill_of_materials_has_the_packages_of_dpkg_apk_and_python(site: Site) -> None:
    site.base_image("full", files=FILES)
    result = site.build("FROM full\nRUN echo >/x\n", sbom="true", build_args={"SOURCE_DATE_EPOCH": "1600000000"})
    assert result.target is not None
    (statement,) = statements(site, document(site, result.target.digest)).values()
    predicate = statement["predicate"]
    assert (predicate["spdxVersion"], predicate["SPDXID"]) == ("SPDX-2.3", "SPDXRef-DOCUMENT")
    assert predicate["creationInfo"]["created"] == "2020-09-13T12:26:40Z"
    urls = {
        package["externalRefs"][0]["referenceLocator"]: package["licenseDeclared"]
        for package in predicate["packages"]
        if "externalRefs" in package
    }
    assert urls == {
        "pkg:deb/debian/bash@5.2-1?arch=amd64&distro=debian-12": "NOASSERTION",
        "pkg:apk/debian/musl@1.2.5-r0?arch=x86_64&distro=debian-12": "MIT",
        "pkg:pypi/my-package@1.0": "MIT",
    }
    identifiers = {package["SPDXID"] for package in predicate["packages"]}
    assert {each["relatedSpdxElement"] for each in predicate["relationships"]} == identifiers


def test_records_that_lead_out_of_the_image_are_not_read(site: Site, tmp_path: Path) -> None:
    (tmp_path / "status").write_text(DPKG)
    result = site.build(
        f"FROM base\nRUN mkdir -p /var/lib/dpkg && ln -s {tmp_path}/status /var/lib/dpkg/status\n", sbom="true"
    )
    assert result.target is not None
    (statement,) = statements(site, document(site, result.target.digest)).values()
    assert [package["name"] for package in statement["predicate"]["packages"]] == ["sbom"]


def test_files_have_their_statements_beside_them(site: Site, tmp_path: Path) -> None:
    site.build(
        "FROM scratch\nCOPY Dockerfile /\n", outputs=[str(tmp_path / "out")], attests=["type=sbom"], provenance="1"
    )
    assert json.loads((tmp_path / "out/sbom.spdx.json").read_text())["predicateType"] == "https://spdx.dev/Document"
    assert "slsa" in json.loads((tmp_path / "out/provenance.json").read_text())["predicateType"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"provenance": "mode=all"}, "invalid provenance mode all"),
        ({"provenance": "maybe"}, "invalid provenance attestation 'maybe'"),
        ({"sbom": "generator=image"}, "unknown attribute 'generator' of the sbom attestation"),
        ({"attests": ["type=vex"]}, "unknown attestation type 'vex'"),
        ({"attests": ["type=sbom,disabled=no"]}, "disabled is true or false"),
    ],
)
def test_wrong_attestations_are_refused(site: Site, options: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        site.build("FROM base\nRUN false\n", **options)
