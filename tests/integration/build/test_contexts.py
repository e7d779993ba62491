"""Contexts that are no directory, and contexts with a name."""

from __future__ import annotations

import io
import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.build import BuildResult, Inquiry, PlainProgress, build, inquire
from jubako.build.history import History
from jubako.errors import InvalidArgument, JubakoError, NotFound
from jubako.image.layout import export

from .conftest import Site
from .web import Repo, Web, serving

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("own_network")]


@pytest.fixture
def web(own_network: None) -> Iterator[Web]:
    with serving() as made:
        yield made


def packed(compression: str = "", **files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as out:
        for name, content in files.items():
            info = tarfile.TarInfo(name.replace("_dot_", ".").replace("__", "/"))
            info.size = len(content)
            out.addfile(info, io.BytesIO(content.encode()))
    return buffer.getvalue()


def build_from(site: Site, context: str, **options: object) -> BuildResult:
    stream = io.StringIO()
    try:
        return build(site.drivers, context, progress=PlainProgress(stream), network="none", **options)
    finally:
        site.output = stream.getvalue()


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    data = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    return data


def fill(stdin: io.BytesIO, data: bytes) -> None:
    stdin.seek(0)
    stdin.truncate()
    stdin.write(data)
    stdin.seek(0)


@pytest.mark.parametrize("compression", ["", "gz", "xz"])
def test_tar_on_standard_input_is_the_context(site: Site, stdin: io.BytesIO, compression: str) -> None:
    files = {"Dockerfile": "FROM scratch\nCOPY . /\n", "sub__a": "1", "b.log": "", "_dot_dockerignore": "*.log\n"}
    fill(stdin, packed(compression, **files))
    result = build_from(site, "-")
    assert site.names(result, ".") == [".dockerignore", "Dockerfile", "sub"]
    assert os.listdir(site.root / "ingest") == []


def test_dockerfile_of_a_tar_may_have_another_name(site: Site, stdin: io.BytesIO) -> None:
    fill(stdin, packed(sub__Other="FROM scratch\nCOPY a /\n", a="1"))
    assert site.names(build_from(site, "-", dockerfile="sub/Other"), ".") == ["a"]


def test_anything_else_on_standard_input_is_the_dockerfile(site: Site, stdin: io.BytesIO) -> None:
    fill(stdin, b"FROM scratch\nCOPY <<EOF /here\ntext\nEOF\n")
    assert site.read(build_from(site, "-"), "here") == "text\n"


def test_dockerfile_alone_on_standard_input_has_the_context(site: Site, stdin: io.BytesIO) -> None:
    site.file("a", "1")
    fill(stdin, b"FROM scratch\nCOPY a /\n")
    assert site.names(build_from(site, str(site.context), dockerfile="-"), ".") == ["a"]
    with pytest.raises(InvalidArgument, match="stdin for both"):
        build_from(site, "-", dockerfile="-")


def test_repository_is_a_context_at_its_ref_and_directory(site: Site, web: Web, tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    repo.commit(
        "first", Dockerfile="FROM scratch\nCOPY . /\n", sub__Dockerfile="FROM scratch\nCOPY b /\n", sub__b="two"
    )
    repo.git("branch", "old")
    repo.commit("second", a="one")
    repo.publish()
    web.directory = repo.bare.parent
    url = f"{web.url}/project.git"
    assert site.names(build_from(site, url), ".") == ["Dockerfile", "a", "sub"]
    assert site.names(build_from(site, f"{url}#old"), ".") == ["Dockerfile", "sub"]
    assert site.names(build_from(site, f"{url}#old:sub"), ".") == ["b"]
    kept = build_from(site, url, build_args={"BUILDKIT_CONTEXT_KEEP_GIT_DIR": "1"})
    assert site.names(kept, ".")[0] == ".git"
    first = build_from(site, url.replace("http://", "http://user:hunter2@")).image_id
    shown = History(site.store, site.root).list()[0][1]
    assert (shown.name, shown.context) == (url, url)
    assert build_from(site, url).image_id == first
    assert len(site.cached()) == 1


def test_archive_and_dockerfile_at_a_url(site: Site, web: Web) -> None:
    web.files |= {
        "/context.tar.gz": packed("gz", Dockerfile="FROM scratch\nCOPY a /\n", a="1"),
        "/plain": b"FROM scratch\nCOPY <<x /x\nx\n",
    }
    assert site.names(build_from(site, f"{web.url}/context.tar.gz"), ".") == ["a"]
    assert site.names(build_from(site, f"{web.url}/plain"), ".") == ["x"]
    with pytest.raises(NotFound, match="404"):
        build_from(site, f"{web.url}/none")


def test_questions_take_the_same_contexts(site: Site, stdin: io.BytesIO, web: Web) -> None:
    web.files["/context.tar"] = packed(sub__Other="FROM scratch\nENV a b\n")
    fill(stdin, b"FROM scratch\nENV a b\n")
    for context, dockerfile in ((f"{web.url}/context.tar", "sub/Other"), ("-", None)):
        answer = inquire(site.store, site.images, context, Inquiry(method="check", dockerfile=dockerfile))
        assert "LegacyKeyValueFormat" in answer.text
        assert not answer.ok
    with pytest.raises(InvalidArgument, match="stdin for both"):
        inquire(site.store, site.images, "-", Inquiry(method="check", dockerfile="-"))
    assert os.listdir(site.root / "ingest") == []


def test_links_of_a_foreign_context_show_nothing_of_this_machine(site: Site, stdin: io.BytesIO, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("FROM scratch\nLABEL secret=shown\n")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as out:
        info = tarfile.TarInfo("Dockerfile")
        info.type, info.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        out.addfile(info)
    fill(stdin, buffer.getvalue())
    with pytest.raises(NotFound, match="failed to read dockerfile"):
        build_from(site, "-")
    fill(stdin, packed(Dockerfile="FROM scratch\n"))
    with pytest.raises(NotFound, match="failed to read dockerfile"):
        build_from(site, "-", dockerfile=str(tmp_path / "secret"))


def test_named_directory_is_a_source_and_a_base(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "x").write_text("1")
    (other / "x.log").write_text("")
    (other / ".dockerignore").write_text("*.log\n.dockerignore\n")
    dockerfile = (
        "FROM base AS other\nFROM base\nCOPY --from=other / /dst\nRUN --mount=from=more,target=/m cp /m/x /copied\n"
        "FROM more\nCOPY --from=1 /copied /\n"
    )
    dockerfile = dockerfile.replace("cp /m/x /copied", "cat /m/x >/copied")
    contexts = {"other": str(other), "more": str(other)}
    result = site.build(dockerfile, contexts=contexts)
    assert site.names(result, ".") == ["copied", "x"]
    assert site.names(site.build(dockerfile, contexts=contexts, target="1"), "dst") == ["x"]
    (other / "x").write_text("2")
    assert site.read(site.build(dockerfile, contexts=contexts), "copied") == "2"
    with pytest.raises(JubakoError, match="is no directory"):
        site.build(dockerfile, contexts={**contexts, "more": str(tmp_path / "none")})


def test_named_image_and_layout_stand_in_for_a_base(site: Site, tmp_path: Path) -> None:
    site.base_image("special:v1", files={"special": "yes"})
    export(site.store, site.images, ["special:v1"], tmp_path / "layout")
    for place in ("docker-image://special:v1", f"oci-layout://{tmp_path}/layout:v1", f"oci-layout://{tmp_path}/layout"):
        result = site.build("FROM alpine\nCOPY --from=alpine special /copy\n", contexts={"alpine": place})
        assert site.read(result, "copy") == "yes"
    with pytest.raises(JubakoError, match="has no image v9"):
        site.build("FROM alpine\n", contexts={"alpine": f"oci-layout://{tmp_path}/layout:v9"})


def test_named_url_is_fetched(site: Site, web: Web) -> None:
    web.files["/more.tar"] = packed(x="1")
    result = site.build("FROM scratch\nCOPY --from=more x /\n", contexts={"more": f"{web.url}/more.tar"})
    assert site.names(result, ".") == ["x"]
