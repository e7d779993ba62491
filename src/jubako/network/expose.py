"""`--expose 80-82/udp`, and what an image exposes: ports that a container says it listens at."""

from __future__ import annotations

from jubako.errors import InvalidArgument


def parse(text: str) -> list[str]:
    """Return `PORT/PROTOCOL` of each port that `PORT[-PORT][/PROTOCOL]` names; InvalidArgument in Docker's words."""
    if ":" in text:
        raise InvalidArgument(f"invalid port format for --expose: {text}")
    numbers, _, protocol = text.partition("/")
    first, dash, last = numbers.partition("-")
    found = [_number(number, text) for number in ((first, last) if dash else (first, first))]
    if found[0] > found[1]:
        raise _wrong(text, f"invalid range specified for port: {numbers}")
    return [f"{port}/{protocol.lower() or 'tcp'}" for port in range(found[0], found[1] + 1)]


def of_image(texts: list[str]) -> list[str]:
    """The same of what an image says; what can not be read is no port."""
    found = []
    for text in texts:
        try:
            found += parse(text)
        except InvalidArgument:
            continue
    return found


def _number(text: str, whole: str) -> int:
    if not text:
        raise _wrong(whole, "empty string specified for ports")
    if not (text.isascii() and text.isdecimal()):
        raise _wrong(whole, f'strconv.ParseUint: parsing "{text}": invalid syntax')
    if int(text) > 65535:
        raise _wrong(whole, f'strconv.ParseUint: parsing "{text}": value out of range')
    return int(text)


def _wrong(text: str, why: str) -> InvalidArgument:
    return InvalidArgument(f"invalid range format for --expose: {text}, error: {why}")
