"""LimitRanges and ResourceQuotas are refused in the words of Kubernetes."""

from __future__ import annotations

import pytest
from tests.unit.cluster.types.valid import Change, complaints, put, update_complaints

ITEM = "spec/limits/0"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            put(f"{ITEM}/type", "Box"),
            ['spec.limits[0].type: Invalid value: "Box": must be a standard limit type or fully qualified'],
        ),
        (
            put("spec/limits/1", {"type": "Container"}),
            ['spec.limits[1].type: Duplicate value: "Container"'],
        ),
        (
            put("spec/limits/0", {"type": "Container", "min": {"cpu": "2"}, "max": {"cpu": "1"}}),
            [
                'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
                'spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request '
                "value 1",
                'spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1',
            ],
        ),
        (
            put("spec/limits/0", {"type": "Pod", "default": {"cpu": "2"}}),
            ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
        ),
        (
            put("spec/limits/0", {"type": "PersistentVolumeClaim"}),
            [
                "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but "
                "neither was provided"
            ],
        ),
        (
            put(f"{ITEM}/maxLimitRequestRatio", {"cpu": "500m"}),
            ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1'],
        ),
        (
            put(f"{ITEM}/maxLimitRequestRatio", {"cpu": "21"}),
            [
                'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "21": ratio 21 is greater than '
                "max/min = 20.000000"
            ],
        ),
    ],
)  # fmt: skip
def test_a_limit_range(change: Change, expected: list[str]) -> None:
    assert complaints("LimitRange", change) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            put("spec/hard", {"toys": "1"}),
            [
                'spec.hard[toys]: Invalid value: "toys": must be a standard resource type or fully qualified',
                'spec.hard[toys]: Invalid value: "toys": must be a standard resource for quota',
            ],
        ),
        (
            put("spec/hard", {"pods": "-1"}),
            ['spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0'],
        ),
        (put("spec/hard", {"pods": "500m"}), ['spec.hard[pods]: Invalid value: "500m": must be an integer']),
        (put("spec/hard", {"count/jobs.batch": "2", "x.storageclass.storage.k8s.io/requests.storage": "1Gi"}), []),
        (put("spec/scopes", ["Terminating"]), []),
        (
            put("spec/scopes", ["Odd"]),
            ['spec.scopes: Invalid value: ["Odd"]: unsupported scope']
        ),
        (
            put("spec", {"hard": {"pods": "1"}, "scopes": ["BestEffort", "NotBestEffort"]}),
            ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
        ),
        (
            put("spec", {"hard": {"services": "1"}, "scopes": ["Terminating"]}),
            ['spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource'],
        ),
        (
            put("spec/scopeSelector", {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In"}]}),
            [
                "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when "
                "`operator` is 'In' or 'NotIn' for scope selector"
            ],
        ),
        (
            put("spec/scopeSelector", {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "Of"}]}),
            [
                'spec.scopeSelector.matchExpressions.operator: Invalid value: "Of": not a valid selector operator'
            ],
        ),
    ],
)  # fmt: skip
def test_a_quota(change: Change, expected: list[str]) -> None:
    assert complaints("ResourceQuota", change) == expected


def test_the_scopes_of_a_quota_stay() -> None:
    told = update_complaints("ResourceQuota", put("spec/scopes", ["Terminating"]))
    assert told == ['spec.scopes: Invalid value: ["Terminating"]: field is immutable']
