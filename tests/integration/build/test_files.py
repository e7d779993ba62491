"""COPY, ADD and WORKDIR: what ends where, as whom, with which mode."""

from __future__ import annotations

import io
import os
import tarfile

import pytest

from jubako.build import DockerfileError, build
from jubako.errors import InvalidArgument

from .conftest import Site

pytestmark = pytest.mark.root


def test_file_goes_to_its_new_name(site: Site) -> None:
    site.file("a.txt", "content", 0o640)
    result = site.build("FROM scratch\nCOPY a.txt /dir/b.txt\n")
    assert site.read(result, "dir/b.txt") == "content"
    assert site.owner_and_mode(result, "dir/b.txt") == (0, 0, "640")
    assert site.owner_and_mode(result, "dir") == (0, 0, "755")


def test_file_goes_into_a_directory_that_exists_or_ends_with_a_slash(site: Site) -> None:
    site.file("a.txt")
    result = site.build("FROM base\nCOPY a.txt /tmp\nCOPY a.txt /new/\n")
    assert site.names(result, "tmp") == ["a.txt"]
    assert site.names(result, "new") == ["a.txt"]


def test_content_of_a_directory_is_copied_and_not_the_directory(site: Site) -> None:
    site.file("src/one")
    site.file("src/sub/two")
    result = site.build("FROM scratch\nCOPY src /dst\n")
    assert site.names(result, "dst") == ["one", "sub"]
    assert site.names(result, "dst/sub") == ["two"]


def test_directories_merge_and_files_replace(site: Site) -> None:
    site.file("one/d/a", "1")
    site.file("one/d/b", "1")
    site.file("two/d/b", "2")
    result = site.build("FROM scratch\nCOPY one /\nCOPY two /\n")
    assert site.names(result, "d") == ["a", "b"]
    assert site.read(result, "d/b") == "2"


def test_wildcards_and_several_sources_go_into_a_directory(site: Site) -> None:
    for name in ("a.py", "b.py", "c.txt", "sub/d.py", "x1", "x2"):
        site.file(name)
    result = site.build("FROM scratch\nCOPY *.py x[0-9] /dst/\nCOPY */d.py /other/\n")
    assert site.names(result, "dst") == ["a.py", "b.py", "x1", "x2"]
    assert site.names(result, "other") == ["d.py"]


def test_several_matches_need_a_slash_at_the_destination(site: Site) -> None:
    site.file("a.py")
    site.file("b.py")
    with pytest.raises(InvalidArgument, match=r"Dockerfile:2:1: .*must be a directory and end with a /"):
        site.build("FROM scratch\nCOPY *.py /dst\n")
    with pytest.raises(DockerfileError, match=r"Dockerfile:2:1: .*more than one source file"):
        site.build("FROM scratch\nCOPY a.py b.py /dst\n")


def test_several_files_go_into_a_directory_that_is_there(site: Site) -> None:
    site.file("a.py")
    site.file("b.py")
    result = site.build("FROM scratch\nWORKDIR /dst\nCOPY a.py b.py /dst\n")
    assert site.names(result, "dst") == ["a.py", "b.py"]


def test_destination_is_relative_to_the_working_directory(site: Site) -> None:
    site.file("a")
    result = site.build("FROM scratch\nWORKDIR /one\nWORKDIR two\nCOPY a .\nCOPY a ../b\nCOPY a sub/\n")
    assert site.names(result, "one") == ["b", "two"]
    assert site.names(result, "one/two") == ["a", "sub"]
    assert site.config(result).working_dir == "/one/two"


def test_sources_can_not_leave_the_context(site: Site) -> None:
    (site.context.parent / "secret").write_text("host")
    os.symlink("../secret", site.context / "link")
    os.symlink("/etc/passwd", site.context / "absolute")
    for source in ("../secret", "link", "absolute", "/../secret"):
        with pytest.raises(DockerfileError, match="not found in the build context"):
            site.build(f"FROM scratch\nCOPY {source} /x\n")


def test_link_as_a_source_stands_for_its_target_and_inside_a_directory_for_itself(site: Site) -> None:
    site.file("real/file", "content")
    os.symlink("real/file", site.context / "link")
    os.symlink("real", site.context / "dirlink")
    os.symlink("file", site.context / "real/inner")
    result = site.build("FROM scratch\nCOPY link /dst/\nCOPY dirlink /dir/\n")
    assert site.read(result, "dst/link") == "content"
    assert site.names(result, "dir") == ["file", "inner"]
    assert site.look(result, lambda root: os.readlink(root / "dir/inner")) == "file"


def test_links_of_the_destination_are_followed_inside_the_image(site: Site) -> None:
    site.base_image("linked", files={"real/keep": ""})
    site.file("a", "content")
    result = site.build(
        "FROM linked\nRUN ln -s /real /abs && ln -s ../../../../real /up && ln -s /nowhere/x /dangling\n"
        "COPY a /abs/\nCOPY a /up/b\nCOPY a /dangling/\n"
    )
    assert site.names(result, "real") == ["a", "b", "keep"]
    assert site.read(result, "nowhere/x/a") == "content"


def test_file_replaces_a_link_of_that_name_below_the_destination(site: Site) -> None:
    site.file("src/passwd", "new")
    result = site.build("FROM base\nRUN mkdir /d && ln -s /etc/passwd /d/passwd\nCOPY src /d\n")
    assert site.read(result, "d/passwd") == "new"
    assert site.read(result, "etc/passwd").startswith("root:")


def test_file_over_a_directory_and_directory_over_a_file_are_refused(site: Site) -> None:
    site.file("src/etc", "a file")
    site.file("dir/passwd/x")
    with pytest.raises(DockerfileError, match="cannot overwrite directory /etc with a file"):
        site.build("FROM base\nCOPY src /\n")
    with pytest.raises(DockerfileError, match="is not a directory"):
        site.build("FROM base\nCOPY dir /etc\n")
    with pytest.raises(DockerfileError, match="cannot copy to non-directory: /etc/passwd"):
        site.build("FROM base\nCOPY dir /etc/passwd\n")


def test_chown_resolves_names_in_the_image(site: Site) -> None:
    site.file("a")
    site.file("d/b")
    result = site.build(
        "FROM base\nCOPY --chown=app a /new/n1\nCOPY --chown=app:extra a /n2\n"
        "COPY --chown=7:8 d /n3/\nCOPY --chown=55 a /n4\n"
    )
    assert [site.owner_and_mode(result, path)[:2] for path in ("new", "new/n1", "n2", "n3/b", "n4")] == [
        (1000, 1001),
        (1000, 1001),
        (1000, 1002),
        (7, 8),
        (55, 55),
    ]


def test_chown_to_an_unknown_name_is_an_error_at_its_instruction(site: Site) -> None:
    site.file("a")
    with pytest.raises(DockerfileError, match="unable to find user daemon") as caught:
        site.build("FROM base\nCOPY --chown=daemon a /\n")
    assert caught.value.line == 2


def test_hostile_passwd_of_the_image_is_not_waited_for(site: Site) -> None:
    """CVE-2024-9676: /etc/passwd is a FIFO."""
    site.file("a")
    with pytest.raises(InvalidArgument, match="unable to find user app"):
        site.build("FROM base\nRUN rm /etc/passwd && busybox mkfifo /etc/passwd\nCOPY --chown=app a /\n")


def test_chmod_is_octal_or_symbolic(site: Site) -> None:
    site.file("a", mode=0o600)
    site.file("d/b", mode=0o600)
    result = site.build("FROM scratch\nCOPY --chmod=0751 a /x\nCOPY --chmod=u+x,go=rX d /d\n")
    assert site.owner_and_mode(result, "x")[2] == "751"
    assert site.owner_and_mode(result, "d/b")[2] == "755"


def test_set_uid_bits_survive(site: Site) -> None:
    site.file("a", mode=0o4755)
    result = site.build("FROM scratch\nCOPY a /a\nCOPY --chown=5:5 a /b\n")
    assert site.owner_and_mode(result, "a")[2] == "4755"
    assert site.owner_and_mode(result, "b") == (5, 5, "4755")


def test_times_of_files_are_kept(site: Site) -> None:
    os.utime(site.file("a"), (1_000_000_000, 1_000_000_000))
    result = site.build("FROM scratch\nCOPY a /a\n")
    assert site.stat(result, "a").st_mtime == 1_000_000_000


def test_ignored_files_are_not_copied_and_asking_for_them_says_why(site: Site) -> None:
    for name in ("keep.txt", "drop.log", "node_modules/x", "sub/drop.log", "sub/keep.log"):
        site.file(name)
    site.file(".dockerignore", "node_modules\n**/*.log\n!sub/keep.log\nDockerfile\n.dockerignore\n")
    result = site.build("FROM scratch\nCOPY . /all\n")
    assert site.names(result, "all") == ["keep.txt", "sub"]
    assert site.names(result, "all/sub") == ["keep.log"]
    with pytest.raises(DockerfileError, match="not found") as caught:
        site.build("FROM scratch\nCOPY drop.log /\n")
    assert caught.value.hint == ".dockerignore leaves it out"


def test_ignore_file_beside_the_dockerfile_comes_first(site: Site) -> None:
    site.file("a")
    site.file("b")
    site.file(".dockerignore", "*\n")
    site.file("build/special.Dockerfile", "FROM scratch\nCOPY . /all\n")
    site.file("build/special.Dockerfile.dockerignore", "b\nbuild\n.dockerignore\n")
    result = build(site.drivers, site.context, dockerfile=site.context / "build/special.Dockerfile")
    assert site.names(result, "all") == ["a"]


def archive(compression: str) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=f"w:{compression}") as tar:
        for name in ("top.txt", "dir/inner.txt"):
            info = tarfile.TarInfo(name)
            info.size, info.uid, info.mode = 2, 77, 0o640
            tar.addfile(info, io.BytesIO(b"ok"))
    return data.getvalue()


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz", "zst"])
def test_add_unpacks_a_local_archive_by_its_content(site: Site, compression: str) -> None:
    data = archive(compression.replace("zst", ""))
    if compression == "zst":
        import zstandard

        data = zstandard.compress(data)
    site.file("no-telling-name", data)
    result = site.build("FROM scratch\nADD no-telling-name /to\nCOPY no-telling-name /copied\n")
    assert site.read(result, "to/dir/inner.txt") == "ok"
    assert site.owner_and_mode(result, "to/top.txt") == (77, 0, "640")
    assert site.stat(result, "copied").st_size == len(data)


def test_add_copies_what_is_no_archive(site: Site) -> None:
    import gzip

    site.file("data.gz", gzip.compress(b"just text"))
    site.file("plain.tar", "not a tar")
    result = site.build("FROM scratch\nADD data.gz plain.tar /to/\n")
    assert site.names(result, "to") == ["data.gz", "plain.tar"]


def test_archive_can_not_write_outside_the_image(site: Site) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        link = tarfile.TarInfo("escape")
        link.type, link.linkname = tarfile.SYMTYPE, "/../../../../../../.."
        tar.addfile(link)
        info = tarfile.TarInfo("escape/written-by-a-tar")
        tar.addfile(info, io.BytesIO(b""))
    site.file("bad.tar", data.getvalue())
    result = site.build("FROM scratch\nADD bad.tar /in/\n")
    assert not os.path.exists("/written-by-a-tar")
    assert "written-by-a-tar" in [*site.names(result, ""), *site.names(result, "in")]


def test_heredoc_becomes_a_file(site: Site) -> None:
    result = site.build(
        "FROM scratch\nARG WHO=world\nCOPY --chmod=700 <<one <<'two' /dst/\nhello $WHO\none\nraw $WHO\ntwo\n"
    )
    assert site.read(result, "dst/one") == "hello world\n"
    assert site.read(result, "dst/two") == "raw $WHO\n"
    assert site.owner_and_mode(result, "dst/one")[2] == "700"


def test_copy_from_a_stage_keeps_owner_mode_and_links(site: Site) -> None:
    result = site.build(
        "FROM base AS made\n"
        "RUN mkdir /out && echo x >/out/f && chown 5:6 /out/f && chmod 4750 /out/f\n"
        "RUN ln /out/f /out/g && ln -s f /out/l\n"
        "FROM scratch\nCOPY --from=made /out /out\nCOPY --from=0 --chown=9 /out/f /mine\n"
    )
    assert site.owner_and_mode(result, "out/f") == (5, 6, "4750")
    assert site.stat(result, "out/f").st_ino == site.stat(result, "out/g").st_ino
    assert site.look(result, lambda root: os.readlink(root / "out/l")) == "f"
    assert site.owner_and_mode(result, "mine")[:2] == (9, 9)


def test_copy_from_an_image(site: Site) -> None:
    result = site.build("FROM scratch\nCOPY --from=base /etc/passwd /etc/\n")
    assert site.read(result, "etc/passwd").startswith("root:")


def test_workdir_belongs_to_the_user_of_the_image(site: Site) -> None:
    result = site.build("FROM base\nUSER app\nWORKDIR /made/here\n")
    assert site.owner_and_mode(result, "made/here") == (1000, 1001, "755")


def test_workdir_that_exists_makes_no_layer(site: Site) -> None:
    result = site.build("FROM base\nWORKDIR /tmp\n")
    image = site.image(result)
    assert len(image.diff_ids) == 1
    assert (image.config.history or [])[-1].empty_layer
    assert site.owner_and_mode(result, "tmp")[2] == "1777"
