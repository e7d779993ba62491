"""The names by which an engine's links and its firewall table are known to belong to it.

The default engine's are plain (`jubako0`, table `jubako`). Any other carries a hash of its state directory, so that
engines stand side by side and each collects only its own remains. A link's name has at most 15 characters.
"""

from __future__ import annotations

import hashlib
import os

DEFAULT_ROOT = "/var/lib/jubako"
_ALPHABET = "0123456789abcdefghijklmnopqrstuv"


class Names:
    """The names of the engine whose state directory is `root`."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        path = os.path.realpath(root)
        self.is_default = path == DEFAULT_ROOT
        self.seed = int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big")
        tag = _short(self.seed, 5)
        self.table = "jubako" if self.is_default else f"jubako-{tag}"
        self.default_bridge = "jubako0" if self.is_default else f"jubako{tag}"
        self.bridge_prefix = f"jb{tag}"
        self.link_prefix = f"vj{tag}"

    def bridge(self, network_id: str) -> str:
        """The bridge of a user-defined network."""
        return self.bridge_prefix + _short(int(network_id[:16], 16), 8)

    def link(self, endpoint_id: str) -> str:
        """The host's end of an endpoint's pair."""
        return self.link_prefix + _short(int(endpoint_id[:16], 16), 8)

    def predefined_id(self, network: str) -> str:
        """The ID of the network that every engine has under this name."""
        return hashlib.sha256(f"{self.seed} {network}".encode()).hexdigest()


def _short(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 32)
        digits += _ALPHABET[digit]
    return digits
