"""The values of bake files: JSON's, and how they turn into text and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jubako.errors import InvalidArgument

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]


class BakeError(InvalidArgument):
    """Something is wrong in a bake file; the message names the file and the place. `at` is an offset into the text."""

    at = 0


@contextmanager
def within_limits() -> Iterator[None]:
    """What goes past the limits of numbers or of nesting in the body is a BakeError."""
    try:
        yield
    except RecursionError:
        raise BakeError("nested too deeply") from None
    except (OverflowError, ValueError):  # ValueError: more digits than Python turns into text, or text into a number
        raise BakeError("a number is too large") from None


def text_of(value: Value) -> str:
    """What a value is inside of a string. Raises BakeError for lists and objects."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case None:
            return ""
        case int() | float():
            return str(int(value)) if float(value).is_integer() else repr(value)
        case _:
            raise BakeError(f"a string is needed, not {kind_of(value)}")


def number_of(value: Value) -> int | float:
    if isinstance(value, bool) or value is None:
        raise BakeError(f"a number is needed, not {kind_of(value)}")
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
        try:
            return float(value)
        except ValueError:
            raise BakeError(f"a number is needed, not {value!r}") from None
    if isinstance(value, (int, float)):
        return int(value) if float(value).is_integer() else value
    raise BakeError(f"a number is needed, not {kind_of(value)}")


def truth_of(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "1", "t"):
        return True
    if isinstance(value, str) and value.lower() in ("false", "0", "f", ""):
        return False
    raise BakeError(f"true or false is needed, not {text_of(value) if isinstance(value, str) else kind_of(value)}")


def list_of(value: Value) -> list[Value]:
    if isinstance(value, list):
        return value
    raise BakeError(f"a list is needed, not {kind_of(value)}")


def map_of(value: Value) -> dict[str, Value]:
    if isinstance(value, dict):
        return value
    raise BakeError(f"an object is needed, not {kind_of(value)}")


def kind_of(value: Value) -> str:
    match value:
        case str():
            return "a string"
        case bool():
            return "a bool"
        case None:
            return "null"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "an object"
