"""Selectors: what is read is what was written, however it was spelled; any other text is refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jubako.cluster.selectors import parse_fields, parse_labels
from jubako.errors import InvalidArgument

many = settings(max_examples=300, deadline=None)
KEYS = st.sampled_from(["a", "b", "in", "notin", "x.y/z-1"])
VALUES = st.sampled_from(["", "1", "20", "v", "in", "notin", "A_b.c"])
SPACE = st.sampled_from(["", " ", "\t ", "\n"])
LABELS = st.dictionaries(KEYS, VALUES, max_size=4)
FIELDS = st.sampled_from(["metadata.name", "metadata.namespace"])
ANY_TEXT = st.text(alphabet="ab1 in!=<>(),\\\t-_./", max_size=12)


@st.composite
def requirements(draw: st.DrawFn) -> tuple[str, Any]:
    """One requirement as text, and whether labels meet it."""
    key, values, space = draw(KEYS), draw(st.lists(VALUES, min_size=1, max_size=3)), draw(SPACE)
    value, number = values[0], draw(st.integers(0, 30))
    written = f"{space}({space}{f'{space},{space}'.join(values)}{space})"
    forms = {
        f"{key}": lambda labels: key in labels,
        f"!{space}{key}": lambda labels: key not in labels,
        f"{key}{space}={space}{value}": lambda labels: labels.get(key) == value,
        f"{key}{space}=={space}{value}": lambda labels: labels.get(key) == value,
        f"{key}{space}!={space}{value}": lambda labels: labels.get(key) != value,
        f"{key} in{written}": lambda labels: labels.get(key) in values,
        f"{key} notin{written}": lambda labels: labels.get(key) not in values,
        f"{key}>{space}{number}": lambda labels: labels.get(key, "").isdigit() and int(labels[key]) > number,
        f"{key}{space}<{number}": lambda labels: labels.get(key, "").isdigit() and int(labels[key]) < number,
    }
    text = draw(st.sampled_from(sorted(forms)))
    return text, forms[text]


@many
@given(st.lists(requirements(), max_size=4), LABELS, SPACE)
def test_labels_match_where_they_meet_every_requirement(wanted: Any, labels: dict[str, str], space: str) -> None:
    text = f"{space},{space}".join(text for text, _ in wanted)
    assert parse_labels(text).matches(labels) == all(meets(labels) for _, meets in wanted)


@many
@given(
    st.lists(st.tuples(FIELDS, st.sampled_from(["=", "==", "!="]), st.text(alphabet="ab\\,= ", max_size=4)), max_size=3)
)
def test_fields_match_where_their_values_are_these(wanted: list[tuple[str, str, str]]) -> None:
    escaped = str.maketrans({"\\": "\\\\", ",": "\\,", "=": "\\="})
    selector = parse_fields(
        ",".join(f"{field}{operator}{value.translate(escaped)}" for field, operator, value in wanted)
    )
    for held in ({}, {"metadata.name": "a"}, *({field: value} for field, _, value in wanted)):
        expected = all((held.get(field, "") == value) == (operator != "!=") for field, operator, value in wanted)
        assert selector.matches(held) == expected


@many
@given(ANY_TEXT)
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_labels, parse_fields):
        with suppress(InvalidArgument):
            assert parse(text).matches({"a": "1"}) in (True, False)
