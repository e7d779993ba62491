"""Docker's filters: what `--filter` and the API take of lists and prunes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from jubako.errors import InvalidArgument


def check_keys(wanted: Iterable[str], known: Collection[str]) -> None:
    """Raises InvalidArgument for a key that the list has no filter for."""
    for key in wanted:
        if key not in known:
            raise InvalidArgument(f"invalid filter '{key}'")


def matches_label(labels: Mapping[str, str], text: str) -> bool:
    """Whether `key` or `key=value` is among the labels."""
    key, equals, value = text.partition("=")
    return key in labels and (not equals or labels[key] == value)
