from __future__ import annotations

import pytest

from jubako.errors import InvalidArgument
from jubako.network import expose


def test_a_range_is_each_of_its_ports() -> None:
    assert expose.parse("80") == ["80/tcp"]
    assert expose.parse("90-92/UDP") == ["90/udp", "91/udp", "92/udp"]


@pytest.mark.parametrize("text", ["", "a", "90-80", "80:90", "70000", "1-", "/tcp"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="--expose"):
        expose.parse(text)


def test_an_image_is_read_as_far_as_it_can_be() -> None:
    assert expose.of_image(["8080", "what", "1-2/udp"]) == ["8080/tcp", "1/udp", "2/udp"]
