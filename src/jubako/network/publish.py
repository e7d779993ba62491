"""`-p 127.0.0.1:8080:80/tcp` and its shorter and ranged forms, read as Docker reads them."""

from __future__ import annotations

from jubako.errors import InvalidArgument
from jubako.network.record import PortBinding

_PROTOCOLS = ("tcp", "udp")


def parse(text: str) -> list[PortBinding]:
    """Return one binding for each container port that `[[HOST_IP:][HOST_PORT]:]CONTAINER_PORT[/PROTOCOL]` names.

    A range of host ports for one container port means "any of these". Raises InvalidArgument in Docker's words.
    """
    host_ip, host_ports, container = _split(text)
    container, slash, protocol = container.partition("/")
    protocol = protocol.lower() if slash else "tcp"
    if not container:
        raise InvalidArgument(f"No port specified: {text}<empty>")
    first, last = _range(container, "containerPort")
    host_first, host_last = _range(host_ports, "hostPort") if host_ports else (0, 0)
    if not first:
        raise InvalidArgument(f"Invalid containerPort: {container}")
    if host_ports and host_last - host_first != last - first and last != first:
        raise InvalidArgument(f"Invalid ranges specified for container and host Ports: {container} and {host_ports}")
    if protocol not in _PROTOCOLS:
        raise InvalidArgument(f"Invalid proto: {protocol}", hint="tcp and udp can be published")
    if first == last and host_last > host_first:
        return [PortBinding(host_ip, host_first, first, protocol, host_port_end=host_last)]
    return [
        PortBinding(host_ip, host_first + offset if host_ports else 0, first + offset, protocol)
        for offset in range(last - first + 1)
    ]


def _split(text: str) -> tuple[str, str, str]:
    """Return host address, host ports and container ports; the address may be IPv6 in brackets."""
    if text.startswith("["):
        raise InvalidArgument(
            f"Invalid ip address {text.partition(']')[0]}]: ports are published on IPv4 addresses",
            hint="leave the address out; IPv6 clients on this machine fall back to 127.0.0.1",
        )
    parts = text.split(":")
    if len(parts) > 3:
        raise InvalidArgument(f"Invalid ip address: {':'.join(parts[:-2])}")
    host_ip, host_ports, container = ["", "", *parts][-3:]
    return _address(host_ip), host_ports, container


def _address(text: str) -> str:
    if text in ("", "0.0.0.0"):
        return ""
    from jubako.network import address

    try:
        return address.show(address.parse(text))
    except InvalidArgument:
        raise InvalidArgument(f"Invalid ip address: {text}") from None


def _range(text: str, what: str) -> tuple[int, int]:
    start, dash, end = text.partition("-")
    ports = [start, end] if dash else [start, start]
    # isdecimal() alone would take digits of other scripts.
    if not all(port.isascii() and port.isdecimal() and int(port) < 65536 for port in ports):
        raise InvalidArgument(f"Invalid {what}: {text}")
    if int(ports[0]) > int(ports[1]):
        raise InvalidArgument(f"Invalid {what}: {text}: a range goes upward")
    return int(ports[0]), int(ports[1])
