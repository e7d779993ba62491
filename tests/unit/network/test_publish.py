"""What `-p` accepts, in Docker's meaning and words."""

from __future__ import annotations

import pytest

from jubako.errors import InvalidArgument
from jubako.network import PortBinding, publish


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80", [PortBinding("", 0, 80)]),
        ("8080:80", [PortBinding("", 8080, 80)]),
        ("0.0.0.0:8080:80", [PortBinding("", 8080, 80)]),
        ("127.0.0.1:8080:80", [PortBinding("127.0.0.1", 8080, 80)]),
        ("127.0.0.1::80", [PortBinding("127.0.0.1", 0, 80)]),
        ("53:53/udp", [PortBinding("", 53, 53, "udp")]),
        ("53:53/UDP", [PortBinding("", 53, 53, "udp")]),
        ("80-81", [PortBinding("", 0, 80), PortBinding("", 0, 81)]),
        ("8000-8001:80-81", [PortBinding("", 8000, 80), PortBinding("", 8001, 81)]),
        ("8000-8001:80", [PortBinding("", 8000, 80, host_port_end=8001)]),
        ("8000-8000:80", [PortBinding("", 8000, 80)]),
    ],
)
def test_reads_every_form_that_docker_reads(text: str, expected: list[PortBinding]) -> None:
    assert publish.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "No port specified: <empty>"),
        ("8080:", "No port specified: 8080:<empty>"),
        ("/tcp", "No port specified"),
        ("abc", "Invalid containerPort: abc"),
        ("8080:0", "Invalid containerPort: 0"),
        ("65536", "Invalid containerPort: 65536"),
        ("8080:-80", "Invalid containerPort: -80"),
        ("8080:٨٠", "Invalid containerPort: ٨٠"),
        ("x:80", "Invalid hostPort: x"),
        ("70000:80", "Invalid hostPort: 70000"),
        ("8001-8000:80", "Invalid hostPort: 8001-8000"),
        ("8000-8002:80-81", "Invalid ranges specified for container and host Ports: 80-81 and 8000-8002"),
        ("80/sctp", "Invalid proto: sctp"),
        ("80/", "Invalid proto: "),
        ("300.0.0.1:80:80", "Invalid ip address: 300.0.0.1"),
        ("localhost:80:80", "Invalid ip address: localhost"),
        ("[::1]:80:80", r"Invalid ip address \[::1\]"),
        ("1:2:3:4:5", "Invalid ip address: 1:2:3"),
    ],
)
def test_refuses_in_dockers_words(text: str, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        publish.parse(text)
