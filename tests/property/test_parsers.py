"""Every parser of what comes from registries, archives and clients, on good input with something changed.

It reads what there is or refuses it with an error of ours. JUBAKO_FUZZ_S=600 tries each for ten minutes;
`python -m tests.property.coverage_guided NAME` lets atheris look for input, where that is installed.
"""

from __future__ import annotations

import pytest

from .mutation import changed, rounds
from .parsers import PARSERS, REFUSALS


@pytest.mark.parametrize("name", PARSERS)
def test_changed_input_is_read_or_refused(name: str) -> None:
    parser = PARSERS[name]
    for seed in parser.seeds:
        parser.read(seed)
    for number, chance in rounds(0.4):
        data = changed(chance.choice(parser.seeds), chance, parser.words, parser.seeds)
        try:
            parser.read(data)
        except REFUSALS:
            pass
        except BaseException as error:
            raise AssertionError(f"seed {number}: {data!r}: {error!r}") from error
