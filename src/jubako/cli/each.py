"""Do one thing to each of several containers (images, volumes …), going on after a failure as docker does."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jubako.cli.call import Call
from jubako.errors import JubakoError, NotFound


def each(
    call: Call, names: Iterable[str], act: Callable[[str], object], *, echo: bool = True, forgive_missing: bool = False
) -> int:
    """Act on every name, print the ones that went well, then the failures; 1 if there was one.

    With `forgive_missing`, what is not there is said and does not count.
    """
    from jubako.cli.failure import describe

    failures = []
    code = 0
    for name in names:
        try:
            act(name)
        except JubakoError as error:
            failures.append(f"Error: {describe(error)}")
            if not (forgive_missing and isinstance(error, NotFound)):
                code = 1
            continue
        if echo:
            call.line(name)
    for message in failures:
        call.error(message)
    return code


def filters(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """`--filter` options by key."""
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
