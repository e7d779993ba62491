"""Pods of the shared engine, which are removed after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import jubako as package

from ...conftest import Cli


@pytest.fixture
def jubako(state: Cli) -> Iterator[Cli]:
    """The command line; pods with all that is in them go after the test."""
    yield state
    for name in state("pod", "ps", "-q").split():
        state("pod", "rm", "-f", name)
    for name in state.containers():
        state("rm", "-f", "-v", name)


@pytest.fixture
def engine(jubako: Cli) -> Iterator[package.Engine]:
    """The Python API on the same state."""
    with package.Engine(jubako.root, jubako.run_root) as engine:
        yield engine
