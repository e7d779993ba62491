"""COPY and ADD with --link, --parents, --exclude and --unpack."""

from __future__ import annotations

import io
import tarfile

import pytest

from jubako.build import DockerfileError
from jubako.errors import InvalidArgument

from .conftest import Site

pytestmark = pytest.mark.root


def tree(site: Site, *paths: str) -> None:
    for path in paths:
        site.file(path, path)


def test_parents_are_kept(site: Site) -> None:
    tree(site, "a/b/x.txt", "a/b/y.md", "a/c/x.txt")
    result = site.build("FROM scratch\nCOPY --parents a/b/x.txt a/c /dst/\n")
    assert site.names(result, "dst/a") == ["b", "c"]
    assert site.names(result, "dst/a/b") == ["x.txt"]
    assert site.names(result, "dst/a/c") == ["x.txt"]


def test_directories_above_look_as_in_the_source(site: Site) -> None:
    tree(site, "a/b/x.txt")
    (site.context / "a").chmod(0o750)
    result = site.build("FROM scratch\nCOPY --parents a/b/x.txt /\n")
    assert site.owner_and_mode(result, "a") == (0, 0, "750")


def test_pivot_says_where_the_kept_part_begins(site: Site) -> None:
    tree(site, "src/one/two/x.txt", "src/one/y.txt")
    result = site.build(
        "FROM scratch\nCOPY --parents src/one/./two/x.txt /dst/\nCOPY --parents ./src/./one/y.txt /e/\n"
    )
    assert site.names(result, "dst") == ["two"]
    assert site.names(result, "e/one") == ["y.txt"]


def test_two_stars_are_any_number_of_directories_with_parents(site: Site) -> None:
    tree(site, "x.go", "a/x.go", "a/b/x.go", "a/b/x.c", "vendor/x.go")
    result = site.build("FROM scratch\nCOPY --parents **/*.go /all/\nCOPY --parents a/**/x.go /a/\n")
    assert site.names(result, "all") == ["a", "vendor", "x.go"]
    assert site.names(result, "all/a/b") == ["x.go"]
    assert site.names(result, "a/a") == ["b", "x.go"]


def test_parents_through_a_link_make_a_directory(site: Site) -> None:
    tree(site, "real/x")
    (site.context / "link").symlink_to("real")
    result = site.build("FROM scratch\nCOPY --parents link/x /\n")
    assert site.read(result, "link/x") == "real/x"


def test_missing_source_with_parents_is_named(site: Site) -> None:
    with pytest.raises(InvalidArgument, match=r'Dockerfile:2:1: "/a/none": not found in the build context'):
        site.build("FROM scratch\nCOPY --parents a/none /\n")


def test_excluded_files_are_left_out_and_do_not_count(site: Site) -> None:
    tree(site, "src/a.py", "src/a.pyc", "src/sub/b.pyc", "src/docs/x.md", "src/docs/keep.md", "one.pyc", "one.py")
    dockerfile = (
        "FROM scratch\nCOPY --exclude=**/*.pyc --exclude=docs --exclude=!docs/keep.md src /dst/\n"
        "COPY --exclude=*.pyc one* /ones/\n"
    )
    first = site.build(dockerfile)
    assert site.names(first, "dst") == ["a.py", "docs", "sub"]
    assert site.names(first, "dst/docs") == ["keep.md"]
    assert site.names(first, "ones") == ["one.py"]
    site.file("src/sub/b.pyc", "changed")
    assert site.build(dockerfile).image_id == first.image_id
    assert len(site.cached()) == 2


def test_exclude_works_from_a_stage_and_with_parents(site: Site) -> None:
    tree(site, "d/x.txt", "d/x.log")
    result = site.build(
        "FROM scratch AS one\nCOPY . /\nFROM scratch\n"
        "COPY --from=one --exclude=*.log /d /d\nCOPY --from=one --parents --exclude=**/*.log /d /p/\n"
    )
    assert site.names(result, "d") == ["x.txt"]
    assert site.names(result, "p/d") == ["x.txt"]


def test_linked_layer_does_not_depend_on_what_lies_beneath(site: Site) -> None:
    tree(site, "x")
    dockerfile = "FROM base\nRUN echo {} > /below\nCOPY --link x /dir/\nRUN cat /dir/x /below > /both\n"
    first = site.image(site.build(dockerfile.format("one")))
    second = site.build(dockerfile.format("two"))
    assert any("--link" in name for name in site.cached())
    assert site.read(second, "both") == "xtwo\n"
    assert site.image(second).diff_ids[2] == first.diff_ids[2]
    assert site.image(second).diff_ids[1] != first.diff_ids[1]


def test_link_counts_in_the_history_as_one_layer(site: Site) -> None:
    tree(site, "x")
    image = site.image(site.build("FROM base\nCOPY --link x /x\nCOPY --link=false x /y\n"))
    assert [bool(entry.empty_layer) for entry in image.config.history or []] == [False, False, False]
    assert len(image.diff_ids) == 3


def test_linked_copy_knows_no_names_of_the_image(site: Site) -> None:
    tree(site, "x")
    with pytest.raises(InvalidArgument, match="app"):
        site.build("FROM base\nCOPY --link --chown=app x /x\n")
    assert site.owner_and_mode(site.build("FROM base\nCOPY --link --chown=7:8 x /x\n"), "x") == (7, 8, "644")


def archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as out:
        info = tarfile.TarInfo("inside")
        info.size = 2
        out.addfile(info, io.BytesIO(b"in"))
    return buffer.getvalue()


def test_unpack_false_keeps_a_local_archive_whole(site: Site) -> None:
    site.file("a.tar.gz", archive())
    result = site.build("FROM scratch\nADD --unpack=false a.tar.gz /whole/\nADD --unpack a.tar.gz /open/\n")
    assert site.names(result, "whole") == ["a.tar.gz"]
    assert site.names(result, "open") == ["inside"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("COPY --link=perhaps x /", "expecting boolean value for flag link, not: perhaps"),
        ("COPY --unpack x /", "unknown flag: --unpack"),
        ("ADD --checksum=sha256:00 x /", "checksum can't be specified"),
        ("COPY --exclude= x /", "missing a value on flag: --exclude"),
        ("COPY --parents --parents x /", "duplicate flag specified: parents"),
    ],
)
def test_bad_flag_is_refused_at_its_place(site: Site, line: str, problem: str) -> None:
    tree(site, "x")
    with pytest.raises(DockerfileError, match=problem):
        site.build(f"FROM scratch\n{line}\n")
