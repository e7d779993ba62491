"""Docker's filters: what `--filter` and the API take of lists and prunes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from jubako.errors import InvalidArgument


def check_keys(wanted: Iterable[str], known: Collection[str]) -> None:
    """Raises InvalidArgument for a key that the list has no filter for."""
    for key in wanted:
        if key not in known:
            raise InvalidArgument(f"invalid filter '{key}'")


def boolean(wanted: Mapping[str, Sequence[str]], key: str) -> bool | None:
    """What a filter that is true or false says, None where it is not given; raises InvalidArgument for other words."""
    texts = wanted.get(key)
    if not texts:
        return None
    said = {text.lower() in ("true", "1") for text in texts if text.lower() in ("true", "1", "false", "0")}
    if len(said) != 1:
        raise InvalidArgument(f"invalid filter '{key}=[{' '.join(texts)}]'")
    return said.pop()


def matches_name(patterns: Iterable[str], name: str) -> bool:
    """Whether one of the patterns is the name, or a regular expression that is found in it."""
    return any(pattern == name or _found(pattern, name) for pattern in patterns)


def _found(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False


def passes_labels(labels: Mapping[str, str], wanted: Mapping[str, Sequence[str]]) -> bool:
    """Whether all of the filters `label`, and none of `label!`, match."""
    return all(matches_label(labels, text) for text in wanted.get("label", ())) and not any(
        matches_label(labels, text) for text in wanted.get("label!", ())
    )


def matches_label(labels: Mapping[str, str], text: str) -> bool:
    """Whether `key` or `key=value` is among the labels."""
    key, equals, value = text.partition("=")
    return key in labels and (not equals or labels[key] == value)
