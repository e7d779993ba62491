"""From the host into a pod's network.

Model:        a socket belongs for good to the namespace in which it was made, whoever uses it from where.
"""

from __future__ import annotations

import os
import socket

from jubako.engine.drivers import Drivers
from jubako.engine.pods import members
from jubako.engine.pods.record import NET, PodRecord
from jubako.errors import FailedPrecondition
from jubako.linux.netns import inside


def socket_in(drivers: Drivers, record: PodRecord, family: int) -> socket.socket:
    """A TCP socket in the network of the pod, or the host's where it has that. Raises FailedPrecondition."""
    if NET not in record.kept:
        return socket.socket(family, socket.SOCK_STREAM)
    try:
        netns = os.open(members.namespace(drivers, record.id, "network"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise FailedPrecondition(f"pod {record.id} is not ready") from None
    try:
        with inside(netns):
            return socket.socket(family, socket.SOCK_STREAM)
    finally:
        os.close(netns)
