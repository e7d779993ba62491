"""The file by which clients find a cluster, where its user wants it."""

from __future__ import annotations

from pathlib import Path

import pytest

from jubako.cluster import kubeconfig
from jubako.errors import FailedPrecondition


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    for name in ("ca", "certificate", "key"):
        (tmp_path / name).write_text(name)
    return kubeconfig.kubeconfig("dev", "https://127.0.0.1:1", *(tmp_path / n for n in ("ca", "certificate", "key")))


def test_directories_that_are_missing_are_made_and_the_file_is_its_owners_alone(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "home/.kube/jubako"
    kubeconfig.check_replaceable(path, "dev")
    kubeconfig.write(path, data)
    assert path.read_bytes() == data
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["jubako"]


def test_a_kubeconfig_of_the_same_cluster_and_an_empty_file_may_be_replaced(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "config"
    for there in (data, b""):
        path.write_bytes(there)
        kubeconfig.check_replaceable(path, "dev")


@pytest.mark.parametrize("there", [b"clusters: [{name: production}]", b"clusters: {a: b}", b"hello", b"[1", b"a: 1"])
def test_what_leads_elsewhere_or_is_no_kubeconfig_is_kept(tmp_path: Path, there: bytes) -> None:
    path = tmp_path / "config"
    path.write_bytes(there)
    with pytest.raises(FailedPrecondition, match="would be replaced"):
        kubeconfig.check_replaceable(path, "dev")


def test_a_kubeconfig_of_another_cluster_of_ours_is_kept(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "config"
    path.write_bytes(data)
    with pytest.raises(FailedPrecondition):
        kubeconfig.check_replaceable(path, "production")
