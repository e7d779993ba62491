"""What a pod's resolv.conf says, by its policy."""

from __future__ import annotations

from typing import Any

import pytest

from jubako.cluster.node import translate
from jubako.cluster.node.naming import Names, dns
from jubako.cluster.node.translate import Dns
from jubako.network.resolv import Settings

HOST = Settings(["192.0.2.53"], ["corp.example"], ["timeout:1"])
CLUSTER = ["default.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"]


def of(policy: str = "", **spec: Any) -> Dns:
    pod = {"metadata": {"namespace": "default"}, "spec": {"dnsPolicy": policy, **spec}}
    return dns(pod, Names("10.96.0.10", "cluster.local"), HOST)


@pytest.mark.parametrize(
    ("policy", "on_host", "is_clusters"),
    [
        ("", False, True),
        ("ClusterFirst", False, True),
        ("ClusterFirst", True, False),
        ("ClusterFirstWithHostNet", True, True),
        ("Default", False, False),
        ("Default", True, False),
    ],
)
def test_a_policy_chooses_the_clusters_names_or_the_hosts(policy: str, on_host: bool, is_clusters: bool) -> None:
    found = of(policy, hostNetwork=on_host)
    if is_clusters:
        assert found == Dns(servers=["10.96.0.10"], searches=CLUSTER, options=["ndots:5"])
    else:
        assert found == Dns(servers=HOST.servers, searches=HOST.search, options=HOST.options)


def test_none_is_what_the_pod_says_and_nothing_else() -> None:
    assert of("None", dnsConfig={"nameservers": ["1.1.1.1"]}) == Dns(servers=["1.1.1.1"], searches=["."], options=["."])


def test_a_pods_own_settings_are_added_and_its_options_count() -> None:
    config = {
        "nameservers": ["1.1.1.1", "10.96.0.10"],
        "searches": ["a.example", "cluster.local"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
    }
    found = of("ClusterFirst", dnsConfig=config)
    assert found == Dns(
        servers=["10.96.0.10", "1.1.1.1"], searches=[*CLUSTER, "a.example"], options=["ndots:2", "edns0"]
    )


def test_no_more_is_said_than_a_resolver_takes() -> None:
    found = of(
        "None", dnsConfig={"nameservers": ["1", "2", "3", "4"], "searches": ["x" * 100 + str(n) for n in range(40)]}
    )
    assert found.servers == ["1", "2", "3"]
    assert len(" ".join(found.searches)) <= 2048


def test_a_pod_with_a_subdomain_has_a_full_name_of_its_own() -> None:
    assert of().domain == ""
    assert of(subdomain="db").domain == "db.default.svc.cluster.local"
    pod = {"metadata": {"name": "db-0", "uid": "u"}, "spec": {"hostname": "db-0", "setHostnameAsFQDN": True}}
    found = translate.sandbox("c", pod, Dns(domain="db.default.svc.cluster.local"))
    assert (found.hostname, found.own_domain) == ("db-0.db.default.svc.cluster.local", "")
    pod = {"metadata": {"name": "db-0", "uid": "u"}, "spec": {}}
    found = translate.sandbox("c", pod, Dns(domain="db.default.svc.cluster.local"))
    assert (found.hostname, found.own_domain) == ("db-0", "db.default.svc.cluster.local")
