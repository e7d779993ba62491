from __future__ import annotations

import pytest

from jubako.build.files.mode import apply, check

CASES = [
    ("755", 0o100644, False, 0o755),
    ("0644", 0o755, False, 0o644),
    ("4755", 0, False, 0o4755),
    ("u+x", 0o644, False, 0o744),
    ("go-r", 0o644, False, 0o600),
    ("a=r", 0o777, False, 0o444),
    ("+x", 0o644, False, 0o755),
    ("u=rwX,go=rX", 0o600, True, 0o755),
    ("u=rwX,go=rX", 0o600, False, 0o644),
    ("u=rwX,go=rX", 0o700, False, 0o755),
    ("u+s", 0o755, False, 0o4755),
    ("+t", 0o777, True, 0o1777),
    ("u+rw-x", 0o500, False, 0o600),
    ("g=u", 0o640, False, 0o660),
    ("go=u-w", 0o700, True, 0o755),
    ("o+g,u-o", 0o750, False, 0o255),
]


@pytest.mark.parametrize(("text", "mode", "directory", "expected"), CASES)
def test_applies(text: str, mode: int, directory: bool, expected: int) -> None:
    assert apply(text, mode, directory=directory) == expected


@pytest.mark.parametrize("text", ["", "8", "99999", "u", "u+q", "rwx", "u+x,", "-1"])
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        check(text)
