"""WWW-Authenticate, as registries write it.

Spec:  RFC 9110, 11.6.1; Docker's token authentication for the parameters realm, service and scope.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_PARAMETER = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)')
_SCHEME = re.compile(rf"[\s,]*({_TOKEN})(?=\s|,|$)(?!\s*=)")


class Challenge(NamedTuple):
    scheme: str
    parameters: dict[str, str]


def parse(header: str) -> list[Challenge]:
    """Read all challenges of a header; what is malformed is passed over. Schemes are in lower case."""
    challenges: list[Challenge] = []
    position = 0
    while match := _SCHEME.match(header, position):
        position = match.end()
        parameters: dict[str, str] = {}
        while found := _PARAMETER.match(header, position):
            value = re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3]
            parameters[found[1].lower()] = value
            position = found.end()
        challenges.append(Challenge(match[1].lower(), parameters))
    return challenges
