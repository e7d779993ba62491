"""The network of a RUN: a place on the bridge, or pasta's where no bridge can be made; none; or the host's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from jubako.build.graph.execute import RunSpec
from jubako.linux import userns
from jubako.network import Networks, hosts, pasta, resolv

if TYPE_CHECKING:
    from jubako.runtime.executor import Handle

HOSTNAME = "buildkitsandbox"
"""What the Dockerfile reference says a RUN's machine is called."""
Entry = tuple[Sequence[str], str]
"""Names and the address, as a line of the hosts file has them."""


class RunNetwork:
    """Claimed before there is a container; `stack` lets go of it."""

    def __init__(self, stack: ExitStack, networks: Networks, container_id: str, run_dir: Path, spec: RunSpec) -> None:
        self._networks = networks
        self._id = container_id
        self._run_dir = run_dir
        self._spec = spec
        self._carried = spec.network == "bridge" and not userns.owns_network()
        self._address = ""
        if self._carried:
            stack.callback(pasta.disconnect, run_dir)
        elif spec.network == "bridge":
            stack.callback(networks.detach, container_id)
            self._address = networks.reserve(container_id, f"build-{container_id[:12]}", network=spec.network).ip

    @property
    def servers(self) -> list[str]:
        """The name servers, where they are not the host's."""
        return [resolv.FORWARDER] if self._carried else []

    @property
    def hosts(self) -> list[Entry]:
        """The entries of the hosts file; a container without an address knows its own name all the same."""
        own = ([self._spec.hostname or HOSTNAME], self._address or "127.0.0.1")
        return [*hosts.entries(self._spec.hosts, self._gateway), own]

    def _gateway(self) -> str:
        return pasta.host_address() if self._carried else self._networks.host_address(self._spec.network)

    def connect(self, handle: Handle) -> None:
        """Connect what is made, before the program begins."""
        if self._spec.network != "bridge":
            return
        netns = handle.netns_fd()
        try:
            if self._carried:
                pasta.connect(netns, self._run_dir)
            elif endpoint := self._networks.endpoint(self._id):
                handle.keep(self._networks.attach(endpoint, netns))
        finally:
            os.close(netns)
