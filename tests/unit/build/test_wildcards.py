"""Patterns in expansions: what they match, and that none of them takes long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jubako.build.dockerfile.expansion import expand
from jubako.build.dockerfile.wildcards import compile_wildcards, match_ends, replace


def regex(pattern: str) -> str:
    """The pattern for the engine of the standard library, which says what is right where it does not take ages."""
    return "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)


@given(st.text("ab*?.", max_size=6), st.text("ab.", max_size=9), st.booleans())
@settings(max_examples=300, deadline=None)
def test_matches_what_a_regular_expression_matches(pattern: str, text: str, every: bool) -> None:
    ends = [end for end in range(len(text) + 1) if re.fullmatch(regex(pattern), text[:end])]
    assert list(match_ends(compile_wildcards(pattern), text)) == ends
    expected = re.sub(regex(pattern), "X", text, count=0 if every else 1)
    assert replace(compile_wildcards(pattern), text, "X", every=every) == expected


@pytest.mark.parametrize("form", ["#{}", "##{}", "%{}", "%%{}", "/{}/x", "//{}/x"])
@pytest.mark.parametrize("pattern", ["*a" * 12 + "b", "b" + "a*" * 12, "a" * 30 + "*b"])
def test_no_pattern_takes_long(form: str, pattern: str) -> None:
    begun = time.monotonic()
    value = "a" * 3000
    assert expand(f"${{v{form.format(pattern)}}}", {"v": value}.get) == value
    assert time.monotonic() - begun < 5
