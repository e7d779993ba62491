from __future__ import annotations

import pytest

from jubako.cli import quantities


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("1024", 1024),
        ("1k", 1024),
        ("1K", 1024),
        ("1kb", 1024),
        ("1KiB", 1024),
        ("512m", 512 << 20),
        ("1.5gib", 3 << 29),
        ("1 gb", 1 << 30),
        ("2T", 2 << 40),
        ("7b", 7),
    ],
)
def test_sizes_are_powers_of_1024(text, value):
    assert quantities.ram_bytes(text) == value


@pytest.mark.parametrize("text", ["", "-1", "zz", "1i", "1x", "1.2.3", "m", "1 m b"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="invalid size"):
        quantities.ram_bytes(text)


def test_swap_may_be_unlimited():
    assert quantities.swap_bytes("-1") == -1
    assert quantities.swap_bytes("1m") == 1 << 20


@pytest.mark.parametrize(
    ("text", "value"), [("1", 10**9), ("1.5", 15 * 10**8), (".25", 25 * 10**7), ("0.000000001", 1), ("2.", 2 * 10**9)]
)
def test_cpus_are_exact_billionths(text, value):
    assert quantities.nano_cpus(text) == value


@pytest.mark.parametrize("text", ["", "x", "1,5", "1.5e", "0.0000000001"])
def test_what_is_no_number_of_cpus_is_refused(text):
    with pytest.raises(ValueError, match=r"rational|precise"):
        quantities.nano_cpus(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("10s", 10**10), ("1h30m", 5400 * 10**9), ("1.5s", 15 * 10**8), ("100ms", 10**8), ("-1s", -(10**9))],
)
def test_durations_are_nanoseconds(text, value):
    assert quantities.duration_ns(text) == value


@pytest.mark.parametrize("text", ["", "3", "x", "1y", "s", "1s2", "-"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="time: "):
        quantities.duration_ns(text)


@pytest.mark.parametrize(("text", "value"), [("10", 10), ("-1", -1), ("0x10", 16), ("007", 7), ("+5", 5)])
def test_integers_take_the_prefixes_of_go(text, value):
    assert quantities.integer(text) == value


@pytest.mark.parametrize("text", ["", "x", "1.5", "--1", " 1", "9223372036854775808"])
def test_what_is_no_integer_is_refused(text):
    with pytest.raises(ValueError, match=r"strconv\.ParseInt"):
        quantities.integer(text)


def test_sysctls_of_the_host_are_refused():
    assert quantities.sysctl("net.ipv4.ip_forward=1") == "net.ipv4.ip_forward=1"
    for text in ("kernel.foo=1", "vm.swappiness=1", "net.ipv4.ip_forward"):
        with pytest.raises(ValueError, match="is not allowed"):
            quantities.sysctl(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nofile", "invalid ulimit argument: nofile"),
        ("foo=1", "invalid ulimit type: foo"),
        ("nofile=x", 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("nofile=1:2:3", "too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`"),
        ("nofile=10:1", "ulimit soft limit must be less than or equal to hard limit: 10 > 1"),
    ],
)
def test_ulimits_are_checked(text, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        quantities.ulimit(text)
    assert str(caught.value) == message


def test_host_entries_take_both_separators():
    assert quantities.host_entry("a:1.2.3.4") == "a:1.2.3.4"
    assert quantities.host_entry("a=::1") == "a:::1"
    assert quantities.host_entry("a:host-gateway") == "a:host-gateway"
    for text in ("x", ":1.2.3.4", "a:b"):
        with pytest.raises(ValueError, match="add-host"):
            quantities.host_entry(text)


@pytest.mark.parametrize(("text", "billionths"), [("1/2", 500_000_000), ("1e-1", 100_000_000), ("-1", -1_000_000_000)])
def test_processors_are_any_rational_number(text: str, billionths: int) -> None:
    assert quantities.nano_cpus(text) == billionths


@pytest.mark.parametrize("text", ["1/0", "x", "1/3", ""])
def test_processors_that_are_no_number_of_billionths(text: str) -> None:
    with pytest.raises(ValueError, match=r"rational number|too precise"):
        quantities.nano_cpus(text)
