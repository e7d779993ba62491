"""Types are learned by one thread at a time."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import msgspec
import pytest

from jubako.spec import decoding

# What msgspec knows of Whole is there for others before it has looked at Part, whose annotation is evaluated meanwhile:
# there the first thread waits until the second has decoded, or can not.
PROGRAM = """
from threading import Event, Thread
import msgspec
from jubako.spec import decoding
learning, decoded = Event(), Event()

def meanwhile():
    learning.set()
    decoded.wait(0.2)
    return int

class Part(msgspec.Struct):
    number: "meanwhile()"

class Whole(msgspec.Struct):
    part: Part

def decode(before):
    before()
    whole = {decode}
    decoded.set()
    assert whole.part.number == 3

first = Thread(target=decode, args=(lambda: None,))
second = Thread(target=decode, args=(learning.wait,))
first.start(), second.start()
first.join(), second.join()
print("both")
"""


@pytest.mark.parametrize(
    "decode",
    [
        """decoding.decode(b'{"part": {"number": 3}}', Whole)""",
        """msgspec.convert({"part": {"number": 3}}, decoding.known(Whole))""",
    ],
)
def test_a_thread_that_decodes_what_another_still_learns_waits_for_it(decode: str) -> None:
    program = PROGRAM.replace("{decode}", decode)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "both\n"), done.stderr


def test_a_type_has_one_decoder() -> None:
    assert decoding.decoder(list[int]) is decoding.decoder(list[int])
    assert decoding.decode("[1]", list[int]) == [1]


def test_what_is_wrong_is_told_with_its_path() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\[1\]"):
        decoding.decode(b"[1, -1]", list[Annotated[int, msgspec.Meta(ge=0)]])


def test_a_type_that_msgspec_refuses_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(TypeError):
            decoding.decoder(dict[list[int], int] | list[int] | set[int])
