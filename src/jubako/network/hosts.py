"""The text of a container's /etc/hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from jubako.errors import InvalidArgument

_GATEWAY = "host-gateway"
_STANDARD = """\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""


def render(entries: Iterable[tuple[Sequence[str], str]] = ()) -> str:
    """Return the standard lines, then one for each of `entries`: (names, address), as Networks.peers() gives them."""
    return _STANDARD + "".join(f"{address}\t{' '.join(names)}\n" for names, address in entries if address and names)


def entries(texts: Iterable[str], gateway: Callable[[], str]) -> list[tuple[Sequence[str], str]]:
    """The entries of `--add-host` texts; the address `host-gateway` is what gateway() says. Raises InvalidArgument."""
    return [(names, gateway() if address == _GATEWAY else address) for names, address in map(added, texts)]


def added(text: str) -> tuple[list[str], str]:
    """The entry of `--add-host NAME:ADDRESS` (or `NAME=ADDRESS`). Raises InvalidArgument."""
    name, separator, address = text.partition("=" if "=" in text else ":")
    if not separator or not name or not address:
        raise InvalidArgument(f'invalid argument "{text}" for "--add-host" flag: bad format for add-host: "{text}"')
    return [name], address.strip("[]")
