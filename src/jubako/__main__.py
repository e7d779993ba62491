"""`python -m jubako`, and what the front runs as `jubako` where no keeper may answer."""

from __future__ import annotations

import sys
from functools import partial
from typing import NoReturn

from jubako._invoke import die, invoke
from jubako._lean import import_lean


def run() -> NoReturn:
    import_lean()
    from jubako.cli import main

    die(invoke(partial(main, ending=True), sys.argv[1:]))


if __name__ == "__main__":
    run()
