from __future__ import annotations

import pytest

from jubako.errors import InvalidArgument
from jubako.registry.client.endpoint import authority, check_target, is_loopback, same_origin, schemes
from jubako.registry.client.options import ClientOptions

STRICT, INSECURE = ClientOptions(), ClientOptions(insecure=True)


def test_docker_hub_is_served_elsewhere():
    assert authority("docker.io") == "registry-1.docker.io"
    assert authority("registry.example:5000") == "registry.example:5000"


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["registry.example", "10.0.0.1", "localhost.example", "127.0.0.1.example", ""])
def test_other_machines(host):
    assert not is_loopback(host)


def test_plain_http_only_on_this_machine_or_when_allowed():
    assert schemes("registry.example", STRICT) == ("https",)
    assert schemes("localhost:5000", STRICT) == ("https", "http")
    assert schemes("[::1]:5000", STRICT) == ("https", "http")
    assert schemes("registry.example", INSECURE) == ("https", "http")


def test_origin_is_scheme_host_and_port():
    assert same_origin("https://a.example/x", "https://a.example:443/y")
    assert not same_origin("https://a.example/", "http://a.example/")
    assert not same_origin("https://a.example/", "https://a.example:8443/")
    assert not same_origin("https://a.example/", "https://b.a.example/")
    assert not same_origin("https://a.example@b.example/", "https://a.example/")


@pytest.mark.parametrize(
    "url",
    ["http://a.example/", "ftp://a.example/", "file:///etc", "", "https://169.254.169.254/", "https://[fe80::1]/"],
)
def test_targets_that_are_not_followed(url):
    with pytest.raises(InvalidArgument):
        check_target(url, insecure=False)


def test_targets_that_are_followed():
    check_target("https://cdn.example/x", insecure=False)
    check_target("http://127.0.0.1:1/x", insecure=False)
    check_target("http://a.example/x", insecure=True)


def test_signatures_of_a_refused_url_are_not_shown():
    with pytest.raises(InvalidArgument) as caught:
        check_target("http://cdn.example/x?signature=secret", insecure=False)
    assert "secret" not in caught.value.message
