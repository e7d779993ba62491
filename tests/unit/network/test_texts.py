"""resolv.conf and hosts of a container."""

from __future__ import annotations

from jubako.network import hosts, resolv


def test_loopback_and_ipv6_name_servers_are_left_out() -> None:
    host = "nameserver 127.0.0.53\nnameserver 192.0.2.53\nnameserver ::1\nnameserver 2001:db8::53\n"
    assert resolv.render(host=host) == "nameserver 192.0.2.53\n"


def test_without_a_reachable_name_server_dockers_fallback_is_used() -> None:
    assert resolv.render(host="nameserver 127.0.0.1\n") == "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"


def test_search_and_options_are_kept_and_the_last_line_counts() -> None:
    host = (
        "# comment\nsearch old.example\nnameserver 192.0.2.53 # x\nsearch a.example b.example\noptions ndots:2 rotate\n"
    )
    assert resolv.render(host=host) == ("nameserver 192.0.2.53\nsearch a.example b.example\noptions ndots:2 rotate\n")


def test_what_the_user_names_replaces_what_the_host_says() -> None:
    host = "nameserver 192.0.2.53\nsearch a.example\noptions rotate\n"
    text = resolv.render(host=host, servers=["192.0.2.99"], search=["."], options=["ndots:1"])
    assert text == "nameserver 192.0.2.99\noptions ndots:1\n"


def test_a_domain_line_serves_as_search_list() -> None:
    assert "search a.example\n" in resolv.render(host="domain a.example\nnameserver 192.0.2.53\n")


def test_hosts_has_loopback_and_each_entry_on_a_line() -> None:
    text = hosts.render([(["web", "www"], "10.88.0.2"), (["none"], "")])
    assert text.startswith("127.0.0.1\tlocalhost\n")
    assert text.endswith("\n10.88.0.2\tweb www\n")


def test_host_gateway_is_asked_for_only_where_it_stands() -> None:
    assert hosts.entries(["a:host-gateway", "b=10.0.0.1"], lambda: "10.88.0.1") == [
        (["a"], "10.88.0.1"),
        (["b"], "10.0.0.1"),
    ]
    assert hosts.entries(["b:10.0.0.1"], lambda: 1 / 0) == [(["b"], "10.0.0.1")]  # type: ignore[return-value]
