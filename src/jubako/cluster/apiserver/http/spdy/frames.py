"""The kinds of frames. Spec: draft-mbelshe-httpbis-spdy-00, 2.2 and 2.6."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias

import msgspec


class Kind(IntEnum):
    """The types of control frames."""

    SYN_STREAM = 1
    SYN_REPLY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    HEADERS = 8
    WINDOW_UPDATE = 9


class Reset(IntEnum):
    """Why a stream is reset."""

    PROTOCOL_ERROR = 1
    INVALID_STREAM = 2
    REFUSED_STREAM = 3
    CANCEL = 5
    STREAM_ALREADY_CLOSED = 9


class Leaving(IntEnum):
    """Why a connection ends."""

    OK = 0
    PROTOCOL_ERROR = 1


class SynStream(msgspec.Struct, frozen=True):
    """A stream begins. `one_way` says that nobody may answer on it."""

    stream: int
    block: bytes
    fin: bool = False
    one_way: bool = False


class SynReply(msgspec.Struct, frozen=True):
    """The stream is taken."""

    stream: int
    block: bytes
    fin: bool = False


class Headers(msgspec.Struct, frozen=True):
    """More headers of a stream."""

    stream: int
    block: bytes
    fin: bool = False


class RstStream(msgspec.Struct, frozen=True):
    """The stream is over, both ways and at once."""

    stream: int
    status: int


class Settings(msgspec.Struct, frozen=True):
    """Pairs of an id and a value."""

    entries: tuple[tuple[int, int], ...]


class Ping(msgspec.Struct, frozen=True):
    """Sent back as it is. The client's ids are odd."""

    id: int


class GoAway(msgspec.Struct, frozen=True):
    """The connection is about to end; streams up to `last` were taken."""

    last: int
    status: int


class WindowUpdate(msgspec.Struct, frozen=True):
    """So many more bytes may be sent."""

    stream: int
    delta: int


class Data(msgspec.Struct, frozen=True):
    """A piece of a stream; with `fin` the last."""

    stream: int
    data: bytes
    fin: bool = False


class Unknown(msgspec.Struct, frozen=True):
    """A control frame of a type that the specification does not have, which is to be ignored."""

    kind: int
    body: bytes


Frame: TypeAlias = SynStream | SynReply | Headers | RstStream | Settings | Ping | GoAway | WindowUpdate | Data | Unknown
