"""The forms of --secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from jubako.build.secrets import SIZE_MAX, secrets
from jubako.errors import JubakoError

ENVIRON = {"TOKEN": "of-env", "here": "of-env-too"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("id=a,src=file", b"of-file"),
        ("id=a,source=file", b"of-file"),
        ("type=file,id=a,src=file", b"of-file"),
        ("id=a,env=TOKEN", b"of-env"),
        ("type=env,id=a,env=TOKEN", b"of-env"),
        ("type=env,id=a,src=TOKEN", b"of-env"),
        ("type=env,id=TOKEN", b"of-env"),
        ("id=TOKEN", b"of-env"),
        ("id=file", b"of-file"),
        ("type=file,id=here", b"of-file-too"),
        ("id=a,env=UNSET", None),
    ],
)
def test_where_a_secret_comes_from(tmp_path: Path, text: str, value: bytes | None) -> None:
    (tmp_path / "file").write_text("of-file")
    (tmp_path / "here").write_text("of-file-too")
    assert list(secrets([text], ENVIRON, tmp_path).values()) == ([] if value is None else [value])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("src=file", "secret missing ID"),
        ("id=a,src=none", "failed to read the secret a: .*none: no such file"),
        ("id=a,nonsense", "must be a key=value pair"),
        ("id=a,mode=1", "unexpected key 'mode'"),
        ("type=disk,id=a", "unsupported secret type 'disk'"),
        ("id=a,src=big", "secret a is too big"),
        ("id=a,src=.", "is a directory"),
    ],
)
def test_what_is_no_secret_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "big").write_bytes(bytes(SIZE_MAX + 1))
    with pytest.raises(JubakoError, match=problem):
        secrets([text], {}, tmp_path)
