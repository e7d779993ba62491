"""Base images from packages."""

from __future__ import annotations

import shutil

import pytest

import jubako
from jubako.errors import Unavailable

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(not shutil.which("mmdebstrap"), reason="needs mmdebstrap"),
]


def test_a_mirror_that_does_not_answer_is_named_and_nothing_is_left(state):
    with jubako.Engine(state.root, state.run_root) as engine:
        before = [image.id for image in engine.images.list()]
        with pytest.raises(Unavailable, match=r"mmdebstrap failed: .*http://127\.0\.0\.1:9/"):
            engine.images.bootstrap("debian:bookworm-slim", mirror="http://127.0.0.1:9/debian")
        assert [image.id for image in engine.images.list()] == before
        assert not any(state.root.joinpath("snapshots").iterdir())
