"""One of several processes of a registry: `python -m jubako.registry.server.worker`, started by processes.py."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import msgspec

from jubako.errors import JubakoError
from jubako.registry.server.config.values import decoder
from jubako.registry.server.processes import Order
from jubako.registry.server.server import until_signalled
from jubako.registry.server.shared import Shared
from jubako.spec import decoding


def main() -> int:
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=decoding.known(Order), dec_hook=decoder(Path("/")))
    memory = Shared(order.memory, order.key, order.index, order.processes)
    file = Path(order.file) if order.file else None
    with socket.socket(fileno=order.listener) as listener:
        try:
            asyncio.run(
                until_signalled(
                    order.configuration,
                    listener,
                    file,
                    memory,
                    lambda url: _tell(order.ready),
                    parent=sys.stdin.fileno(),
                )
            )
        except JubakoError as error:
            print(f"jubako registry: {error.message}", file=sys.stderr)  # noqa: T201
            return 1
    return 0


def _tell(fd: int) -> None:
    os.write(fd, b"1")
    os.close(fd)


if __name__ == "__main__":
    sys.exit(main())
