"""The place in a network that the command line asks for: `--network` in both forms, and what stands beside it."""

from __future__ import annotations

from jubako.cli import quantities
from jubako.cli.options import Arguments, UsageError
from jubako.errors import InvalidArgument

_FIELDS = ("name", "alias", "ip", "mac-address")


def network_of(arguments: Arguments) -> tuple[str, list[str], str | None, str | None]:
    """Name, aliases, address and MAC of the one network, given plainly or as `name=NET,alias=NAME,ip=ADDRESS`."""
    asked = [*arguments.texts("network"), *arguments.texts("net")]
    if len(asked) > 1:
        raise InvalidArgument("a container is created with one network")
    if asked == [""]:
        raise InvalidArgument("no name set for network")
    aliases = [*arguments.texts("network-alias"), *arguments.texts("net-alias")]
    ip, mac = arguments.optional("ip"), arguments.optional("mac-address")
    name = asked[0] if asked else ""
    if "=" in name:
        fields = [item.partition("=") for item in name.split(",")]
        unknown = [key for key, _, _ in fields if key not in _FIELDS]
        if unknown:
            raise UsageError(f'invalid argument "{name}" for "--network" flag: invalid field key {unknown[0]}')
        if "name" not in {key for key, _, _ in fields}:
            raise UsageError(f'invalid argument "{name}" for "--network" flag: network name/id is not specified')
        name = next((value for key, _, value in fields if key == "name"), "")
        aliases += [value for key, _, value in fields if key == "alias"]
        ip = next((value for key, _, value in fields if key == "ip"), ip)
        mac = next((value for key, _, value in fields if key == "mac-address"), mac)
    name = "bridge" if name in ("", "default") else name
    if aliases and (name in ("bridge", "host", "none") or name.startswith("container:")):
        raise InvalidArgument("network-scoped aliases are only supported for user-defined networks")
    _check_addresses(ip, mac)
    return name, aliases, ip, mac


def _check_addresses(ip: str | None, mac: str | None) -> None:
    if ip is not None:
        try:
            quantities.address(ip)
        except ValueError:
            raise InvalidArgument(f"invalid IPv4 address: {ip}") from None
    if mac is not None:
        pairs_of_digits = mac.replace("-", ":").split(":")
        if len(pairs_of_digits) != 6 or not all(
            len(pair) == 2 and set(pair.lower()) <= set("0123456789abcdef") for pair in pairs_of_digits
        ):
            raise InvalidArgument(f"{mac} is not a valid mac address")
