from __future__ import annotations

import pytest

from jubako.engine import limits
from jubako.engine.options import CreateOptions, restart_policy
from jubako.errors import InvalidArgument

MIB = 1 << 20


@pytest.mark.parametrize(
    "options",
    [
        {"memory": 5 * MIB},
        {"memory": 10 * MIB, "memory_swap": 5 * MIB},
        {"memory_swap": 10 * MIB},
        {"memory_reservation": MIB},
        {"memory": 10 * MIB, "memory_reservation": 20 * MIB},
        {"nano_cpus": -1},
        {"nano_cpus": 1, "cpu_quota": 5000},
        {"nano_cpus": 1, "cpu_period": 5000},
        {"cpu_period": 999},
        {"cpu_period": 1_000_001},
        {"cpu_quota": 1},
        {"cpuset_cpus": "x"},
        {"cpuset_cpus": "1-0"},
        {"cpuset_cpus": "0,"},
        {"cpuset_cpus": "0-70000"},
        {"cpuset_mems": "9999"},
    ],
)
def test_what_nothing_can_have_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(InvalidArgument):
        limits.validate(CreateOptions(image="x", **options))  # type: ignore[arg-type]


def test_what_can_be_had_is_taken() -> None:
    limits.validate(CreateOptions(image="x", memory=10 * MIB, memory_swap=-1, cpu_quota=-1, cpuset_cpus="0,0-0"))


@pytest.mark.parametrize("text", ["on-failure:x", "on-failure:-1", "on-failure:3:4", "always:3", "no:1", "foo"])
def test_a_restart_policy_that_is_none(text: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid restart policy"):
        restart_policy(text)
