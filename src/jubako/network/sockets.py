"""Sockets that hold published ports on the host: bound, never listening.

The firewall takes the traffic before it gets to them. They make a port that a host process has a clear error, keep host
processes off ours, and vanish with the process that keeps them (the executor), so that a crash leaves no ghost.
"""

from __future__ import annotations

import errno
import socket

from jubako.errors import Conflict, InvalidArgument, JubakoError, PermissionDenied
from jubako.network.record import Endpoint, PortBinding

_TYPES = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


def hold(binding: PortBinding) -> socket.socket:
    """Bind the port (0 = any free one); raises OSError."""
    bound = socket.socket(socket.AF_INET, _TYPES[binding.protocol])
    try:
        try:
            bound.bind((binding.host_ip, binding.host_port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or binding.protocol != "tcp":
                raise
            # Connections of a server that has just ended (TIME_WAIT) do not stand in the way; a living one still does.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((binding.host_ip, binding.host_port))
    except OSError:
        bound.close()
        raise
    return bound


def refusal(endpoint: Endpoint, binding: PortBinding, error: OSError) -> JubakoError:
    """What a failed bind means to the user, in Docker's words; an error without such a meaning is raised as it is."""
    what = f"{binding.address}:{binding.host_port}:{endpoint.ip}:{binding.container_port}/{binding.protocol}"
    reason = error.strerror.lower() if error.strerror else str(error)
    message = f"{failure(endpoint)}: failed to bind host port for {what}: {reason}"
    if error.errno == errno.EADDRINUSE:
        return Conflict(message, hint="another process on this host listens there: see `ss -lntup`")
    if error.errno in (errno.EACCES, errno.EPERM):
        return PermissionDenied(message, hint="without privilege, from net.ipv4.ip_unprivileged_port_start on")
    if error.errno == errno.EADDRNOTAVAIL:
        return InvalidArgument(message, hint="this host does not have that address")
    raise error


def failure(endpoint: Endpoint) -> str:
    """The beginning of every message about a port that can not be published."""
    return f"driver failed programming external connectivity on endpoint {endpoint.container_name} ({endpoint.id})"
