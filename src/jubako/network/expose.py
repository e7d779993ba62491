"""`--expose 80-82/udp`, and what an image exposes: ports that a container says it listens at."""

from __future__ import annotations

from jubako.errors import InvalidArgument


def parse(text: str) -> list[str]:
    """Return `PORT/PROTOCOL` of each port that `PORT[-PORT][/PROTOCOL]` names; InvalidArgument in Docker's words."""
    if ":" in text:
        raise InvalidArgument(f"invalid port format for --expose: {text}")
    try:
        return named(text)
    except ValueError as error:
        raise InvalidArgument(f"invalid range format for --expose: {text}, error: {error}") from None


def named(text: str) -> list[str]:
    """As parse(), but raises ValueError, which says what is wrong as Docker's parser of ports does."""
    numbers, _, protocol = text.partition("/")
    first, dash, last = numbers.partition("-")
    begin, end = _number(first), _number(last if dash else first)
    if begin > end:
        raise ValueError(f"invalid range specified for port: {numbers}")
    return [f"{port}/{protocol.lower() or 'tcp'}" for port in range(begin, end + 1)]


def of_image(texts: list[str]) -> list[str]:
    """The same of what an image says; what can not be read is no port."""
    found = []
    for text in texts:
        try:
            found += parse(text)
        except InvalidArgument:
            continue
    return found


def _number(text: str) -> int:
    if not text:
        raise ValueError("empty string specified for ports")
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    if int(text) > 65535:
        raise ValueError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return int(text)
