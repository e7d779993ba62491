"""A pod's hosts file."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cluster.node.scenes import pod

from jubako.cluster.node.hosts import render, write


def test_a_pod_finds_its_own_name_and_its_aliases() -> None:
    document = pod(hostname="one", hostAliases=[{"ip": "192.0.2.1", "hostnames": ["foo", "bar"]}])
    text = render(document, "10.0.0.2", "db.n.svc.cluster.local")
    assert text.startswith("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n")
    assert "\n10.0.0.2\tone.db.n.svc.cluster.local\tone\n" in text
    assert text.endswith("\n\n# Entries added by HostAliases.\n192.0.2.1\tfoo\tbar\n")


def test_on_the_hosts_network_it_is_the_hosts() -> None:
    document = pod(hostNetwork=True, hostAliases=[{"ip": "192.0.2.1", "hostnames": ["foo"]}])
    text = render(document, "10.0.0.1", "", "127.0.0.1 host\n")
    assert text.startswith("# Kubernetes-managed hosts file (host network).\n127.0.0.1 host\n")
    assert text.endswith("192.0.2.1\tfoo\n")


def test_it_is_written_in_place(tmp_path: Path) -> None:
    path = tmp_path / "u" / "hosts"
    write(path, pod(), "10.0.0.2", "")
    inode = path.stat().st_ino
    write(path, pod(), "10.0.0.3", "")
    assert path.stat().st_ino == inode
    assert "10.0.0.3\tp\n" in path.read_text()
