"""One parser of test_parsers.py under atheris, until it finds something: pip install atheris; then

python -m tests.property.coverage_guided "a manifest" -max_total_time=600
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["jubako"]):
    from tests.property.parsers import PARSERS, REFUSALS


def main() -> None:
    parser = PARSERS[sys.argv.pop(1)]

    def once(data: bytes) -> None:
        with contextlib.suppress(*REFUSALS):
            parser.read(data)

    corpus = Path(tempfile.mkdtemp())
    for number, seed in enumerate(parser.seeds):
        (corpus / str(number)).write_bytes(seed)
    (corpus.with_suffix(".dict")).write_text(
        "".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in parser.words if word)
    )
    atheris.Setup([*sys.argv, f"-dict={corpus.with_suffix('.dict')}", str(corpus)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
