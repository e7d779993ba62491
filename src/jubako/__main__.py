"""`python -m jubako`, and what the front runs where no keeper may answer."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from typing import NoReturn


def run() -> NoReturn:
    _import_msgspec()
    from jubako.cli import main
    from jubako.cli.keeper.invoke import die, invoke

    die(invoke(partial(main, ending=True), sys.argv[1:]))


def _import_msgspec() -> None:
    """Import msgspec without typing_extensions, which it prefers where it is installed.

    That brings inspect, ast and tokenize with it, a quarter of a cold start; since Python 3.11 typing has all that
    msgspec takes from there.
    """
    hidden = {"typing_extensions": None} if "typing_extensions" not in sys.modules else {}
    sys.modules.update(hidden)  # type: ignore[arg-type]
    with suppress(ImportError):  # The command that needs it says so.
        import msgspec  # noqa: F401
    for name in hidden:
        del sys.modules[name]


if __name__ == "__main__":
    run()
