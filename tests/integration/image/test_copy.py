"""docker cp: where things go, under which names, and that nothing leaves the root (CVE-2018-15664)."""

from __future__ import annotations

import io
import os
import tarfile

import pytest

from jubako.errors import InvalidArgument, NotFound
from jubako.image.layer import copy, extract_into

from .conftest import Target, info, tar_of

pytestmark = pytest.mark.root


@pytest.fixture
def root(target: Target) -> Target:
    """A container's root with links that try to lead out."""
    target.unpack(
        ("etc/", b""),
        ("etc/name", b"inside"),
        ("dir/", b""),
        ("dir/sub/", b""),
        ("dir/sub/f", b"x"),
        ("usr/lib/", b""),
        info("lib", tarfile.SYMTYPE, linkname="usr/lib"),
        info("out", tarfile.SYMTYPE, linkname="/.."),
        info("escape", tarfile.SYMTYPE, linkname="../outside"),
        info("todir", tarfile.SYMTYPE, linkname="/dir"),
        info("tonew", tarfile.SYMTYPE, linkname="dir/new"),
        info("circle", tarfile.SYMTYPE, linkname="circle"),
    )
    return target


def archived(root: Target, path: str, name: str | None = None) -> list[str]:
    out = io.BytesIO()
    copy.archive_path(root.fd, path, out, name=name)
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as archive:
        return archive.getnames()


class TestOut:
    @pytest.mark.parametrize(
        ("path", "names"),
        [
            ("/etc/name", ["name"]),
            ("etc/name", ["name"]),
            ("/dir", ["dir", "dir/sub", "dir/sub/f"]),
            ("/dir/", ["dir", "dir/sub", "dir/sub/f"]),
            ("/dir/.", [".", "./sub", "./sub/f"]),
            ("/todir", ["todir"]),
            ("/todir/", ["todir", "todir/sub", "todir/sub/f"]),
            ("/todir/.", [".", "./sub", "./sub/f"]),
            ("/dir/../dir/sub", ["sub", "sub/f"]),
            ("/out/dir/sub", ["sub", "sub/f"]),
            ("/../../dir/sub/f", ["f"]),
        ],
    )
    def test_the_first_name_is_the_last_component(self, root: Target, path: str, names: list[str]) -> None:
        assert archived(root, path) == names

    def test_the_root_itself_is_its_content(self, root: Target) -> None:
        assert archived(root, "/")[:2] == [".", "./circle"]

    def test_another_name_can_be_given(self, root: Target) -> None:
        assert archived(root, "/dir/sub", "new") == ["new", "new/f"]

    @pytest.mark.parametrize("path", ["/absent", "/absent/x", "/dir/absent", "/escape/", "/escape/."])
    def test_what_is_not_there_is_not_found(self, root: Target, path: str) -> None:
        with pytest.raises(NotFound, match="Could not find the file"):
            archived(root, path)

    @pytest.mark.parametrize("path", ["/etc/name/", "/etc/name/x", "/circle/x"])
    def test_a_file_is_no_directory(self, root: Target, path: str) -> None:
        with pytest.raises(InvalidArgument):
            archived(root, path)

    def test_a_link_out_goes_as_a_link(self, root: Target) -> None:
        assert archived(root, "/escape") == ["escape"]

    def test_what_the_kernel_shows_is_not_walked(self) -> None:
        fd = os.open("/", os.O_RDONLY)
        out = io.BytesIO()
        copy.archive_path(fd, "/proc", out)
        os.close(fd)
        with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as archive:
            assert archive.getnames() == ["proc"]


class TestIn:
    def put(self, root: Target, path: str, *members: tarfile.TarInfo | tuple[str, bytes]) -> dict[str, object]:
        copy.extract_into(root.fd, path, io.BytesIO(tar_of(*members)))
        return root.describe()

    def test_files_arrive_and_are_overwritten(self, root: Target) -> None:
        found = self.put(root, "/etc", ("name", b"new"), ("more", b"1"))
        assert (found["etc/name"], found["etc/more"]) == (b"new", b"1")

    def test_directories_merge(self, root: Target) -> None:
        found = self.put(root, "/", ("dir/", b""), ("dir/sub/", b""), ("dir/sub/g", b"y"))
        assert (found["dir/sub/f"], found["dir/sub/g"]) == (b"x", b"y")

    def test_a_link_to_a_directory_is_entered_in_the_root(self, root: Target) -> None:
        assert self.put(root, "/todir", ("new", b"1"))["dir/new"] == b"1"
        assert self.put(root, "/out/etc", ("new", b"1"))["etc/new"] == b"1"

    def test_links_among_what_is_written_to_mean_what_they_mean_in_the_whole_root(self, root: Target) -> None:
        (root.path / "dir" / "lib").symlink_to("/usr/lib")
        assert self.put(root, "/dir", ("lib/x.so", b"1"))["usr/lib/x.so"] == b"1"
        (root.path / "dir" / "up").symlink_to("../..")
        assert self.put(root, "/dir", ("up/outside2", b"1"))["outside2"] == b"1"

    def test_whiteout_names_are_ordinary(self, root: Target) -> None:
        found = self.put(root, "/dir", (".wh.sub", b""), ("d/", b""), ("d/.wh..wh..opq", b""))
        assert (found["dir/.wh.sub"], found["dir/sub/f"], found["dir/d/.wh..wh..opq"]) == (b"", b"x", b"")

    def test_a_directory_is_not_overwritten_by_something_else_nor_the_other_way(self, root: Target) -> None:
        with pytest.raises(InvalidArgument, match="cannot overwrite directory 'dir' with non-directory"):
            self.put(root, "/", ("dir", b"file"))
        with pytest.raises(InvalidArgument, match="cannot overwrite non-directory 'name' with directory"):
            self.put(root, "/etc", ("name/", b""))

    @pytest.mark.parametrize("name", ["../x", "sub/../../x"])
    def test_names_that_lead_out_of_the_destination_are_refused(self, root: Target, name: str) -> None:
        with pytest.raises(InvalidArgument, match="leads out"):
            self.put(root, "/dir", (name, b""))

    def test_the_destination_must_be_a_directory(self, root: Target) -> None:
        with pytest.raises(NotFound):
            self.put(root, "/absent", ("x", b""))
        with pytest.raises(NotFound):
            self.put(root, "/escape", ("x", b""))
        with pytest.raises(InvalidArgument):
            self.put(root, "/etc/name", ("x", b""))

    def test_owners_are_the_archives_or_the_one_that_is_given(self, root: Target) -> None:
        self.put(root, "/", info("a", uid=5, gid=6))
        copy.extract_into(root.fd, "/", io.BytesIO(tar_of(info("b", uid=5, gid=6))), owner=(7, 8))
        assert (root.stat("a").st_uid, root.stat("a").st_gid) == (5, 6)
        assert (root.stat("b").st_uid, root.stat("b").st_gid) == (7, 8)

    def test_into_a_set_group_directory_the_owner_is_still_the_archives(self, root: Target) -> None:
        os.chown(root.path / "dir", 0, 50)
        (root.path / "dir").chmod(0o2775)
        self.put(root, "/dir", info("a", mode=0o664), info("d", tarfile.DIRTYPE))
        assert (root.stat("dir/a").st_gid, root.stat("dir/d").st_gid) == (0, 0)
        assert root.stat("dir/a").st_mode & 0o7777 == 0o664


def test_add_extracts_any_archive_over_a_directory(target: Target) -> None:
    extract_into(target.fd, io.BytesIO(tar_of(("a/", b""), ("a/f", b"1"))))
    extract_into(target.fd, io.BytesIO(tar_of(("a", b"file"))))
    assert target.describe() == {"a": b"file"}


class TestPlaces:
    """The table in docker cp's manual."""

    @pytest.mark.parametrize(
        ("path", "source", "is_directory", "placed"),
        [
            ("/dir", "/x/file", False, ("/dir", "file")),
            ("/dir/", "/x/file", False, ("/dir", "file")),
            ("/dir/file2", "/x/file", False, ("/dir", "file2")),
            ("/etc/name", "/x/file", False, ("/etc", "name")),
            ("/todir", "/x/file", False, ("/dir", "file")),
            ("/tonew", "/x/file", False, ("/dir", "new")),
            ("/dir", "/x/src", True, ("/dir", "src")),
            ("/dir", "/x/src/", True, ("/dir", "src")),
            ("/dir", "/x/src/.", True, ("/dir", ".")),
            ("/dir/new", "/x/src", True, ("/dir", "new")),
            ("/dir/new", "/x/src/.", True, ("/dir", "new")),
            ("/dir/new/", "/x/src", True, ("/dir", "new")),
            ("/", "/x/src", True, ("/", "src")),
            ("new", "file", False, ("/", "new")),
        ],
    )
    def test_where_a_source_goes(
        self, root: Target, path: str, source: str, is_directory: bool, placed: tuple[str, str]
    ) -> None:
        found = copy.place(root.fd, path, source, source_is_directory=is_directory)
        assert (found.directory, found.name) == placed

    @pytest.mark.parametrize(
        ("path", "is_directory", "kind"),
        [
            ("/etc/name", True, InvalidArgument),
            ("/etc/name/", False, InvalidArgument),
            ("/absent/", False, NotFound),
            ("/absent/new", False, NotFound),
            ("/absent/new", True, NotFound),
            ("/circle", False, InvalidArgument),
        ],
    )
    def test_where_it_can_not_go(self, root: Target, path: str, is_directory: bool, kind: type[Exception]) -> None:
        with pytest.raises(kind):
            copy.place(root.fd, path, "/x/src", source_is_directory=is_directory)
