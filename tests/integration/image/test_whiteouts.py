from __future__ import annotations

import tarfile
from collections.abc import Callable

import pytest

from .conftest import Target, info, tar_of

pytestmark = pytest.mark.root


class TestOverlayForm:
    def test_a_whiteout_is_a_device_and_an_opaque_directory_has_the_attribute(self, target: Target) -> None:
        target.unpack(("d/", b""), ("d/.wh.gone", b""), ("o/", b""), ("o/.wh..wh..opq", b""), ("o/new", b"x"))
        assert target.describe() == {"d": "directory", "d/gone": "whiteout", "o": "opaque directory", "o/new": b"x"}

    def test_what_the_layer_brings_itself_is_not_deleted(self, target: Target) -> None:
        target.unpack(("a", b"new"), (".wh.a", b""), (".wh.b", b""), ("b", b"new"))
        assert target.describe() == {"a": b"new", "b": b"new"}

    @pytest.mark.parametrize("first", [True, False])
    def test_a_directory_and_a_whiteout_of_one_name_make_an_opaque_directory(self, target: Target, first: bool) -> None:
        members = [(".wh.d", b""), ("d/", b""), ("d/f", b"x")]
        target.unpack(*(members if first else [*members[1:], members[0]]))
        assert target.describe() == {"d": "opaque directory", "d/f": b"x"}

    def test_a_whiteout_needs_no_entry_for_its_directory(self, target: Target) -> None:
        target.unpack(("a/b/.wh.c", b""))
        assert target.describe() == {"a": "directory", "a/b": "directory", "a/b/c": "whiteout"}

    def test_remains_of_aufs_are_left_out(self, target: Target) -> None:
        target.unpack((".wh..wh.plnk/", b""), (".wh..wh.aufs", b""), ("f", b"x"))
        assert target.describe() == {"f": b"x"}


class TestApplied:
    LOWER = tar_of(("d/", b""), ("d/a", b"1"), ("d/b/", b""), ("d/b/c", b"2"), ("e", b"3"))

    def apply(self, target: Target, *members: tarfile.TarInfo | tuple[str, bytes]) -> dict[str, object]:
        target.unpack(self.LOWER, tar_of(*members), whiteouts="apply")
        return target.describe()

    def test_a_whiteout_deletes_a_file_or_a_tree(self, target: Target) -> None:
        assert self.apply(target, ("d/.wh.b", b""), (".wh.e", b"")) == {"d": "directory", "d/a": b"1"}

    def test_an_opaque_directory_loses_what_it_had(self, target: Target) -> None:
        found = self.apply(target, ("d/", b""), ("d/.wh..wh..opq", b""), ("d/new", b"x"))
        assert found == {"d": "directory", "d/new": b"x", "e": b"3"}

    def test_and_keeps_what_the_layer_brought_before_the_mark(self, target: Target) -> None:
        found = self.apply(target, ("d/b/new", b"x"), ("d/.wh..wh..opq", b""))
        assert found == {"d": "directory", "d/b": "directory", "d/b/new": b"x", "e": b"3"}

    def test_what_the_layer_brings_itself_is_not_deleted(self, target: Target) -> None:
        found = self.apply(target, ("e", b"new"), (".wh.e", b""), ("d/b/n", b""), ("d/.wh.b", b""))
        assert found == {"d": "directory", "d/a": b"1", "d/b": "directory", "d/b/n": b"", "e": b"new"}

    def test_a_whiteout_of_what_is_not_there_does_nothing(self, target: Target) -> None:
        assert self.apply(target, (".wh.absent", b""), ("d/.wh.absent", b""))["e"] == b"3"

    def test_a_whiteout_does_not_follow_links(self, target: Target) -> None:
        target.unpack(tar_of(("d/", b""), ("d/f", b"x"), info("l", tarfile.SYMTYPE, linkname="d")), whiteouts="apply")
        target.unpack(tar_of((".wh.l", b"")), whiteouts="apply")
        assert target.describe() == {"d": "directory", "d/f": b"x"}


def test_both_readings_show_the_same_tree(
    make_target: Callable[[str], Target], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Layers mounted by overlayfs against the same ones applied one after the other."""
    import subprocess

    from .conftest import describe

    layers = [
        tar_of(("a/", b""), ("a/1", b"1"), ("a/2", b"2"), ("b/", b""), ("b/x", b"x"), ("f", b"f")),
        tar_of(("a/.wh.1", b""), (".wh.b", b""), ("b/", b""), ("b/y", b"y"), (".wh.f", b"")),
        tar_of(("a/", b""), ("a/.wh..wh..opq", b""), ("a/3", b"3"), ("f/", b""), ("f/g", b"g")),
    ]
    lower = []
    for number, layer in enumerate(layers):
        target = make_target(f"layer{number}")
        target.unpack(layer)
        lower.append(str(target.path))
    flat = make_target("flat")
    flat.unpack(*layers, whiteouts="apply")
    mount = tmp_path_factory.mktemp("mount")
    options = "lowerdir=" + ":".join(reversed(lower))
    subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", mount], check=True)
    try:
        assert describe(mount) == flat.describe()
    finally:
        subprocess.run(["umount", mount], check=True)
