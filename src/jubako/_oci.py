"""What the front runs as `jubako-oci` where no keeper may answer; also `python -m jubako._oci`."""

from __future__ import annotations

import sys
from typing import NoReturn

from jubako._invoke import die, invoke
from jubako._lean import import_lean


def run() -> NoReturn:
    import_lean()
    from jubako.runtime.oci_cli import main

    die(invoke(main, sys.argv[1:]))


if __name__ == "__main__":
    run()
