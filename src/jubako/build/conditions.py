"""What every RUN of one build is given beside its own flags."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from jubako.build.entitlements import Entitlements, entitlements
from jubako.build.rundir import cgroup_name
from jubako.build.sources.login import Access
from jubako.errors import InvalidArgument
from jubako.linux import userns

if TYPE_CHECKING:
    from jubako.build.options import BuildOptions
    from jubako.build.ssh.agents import Agent

_NETWORKS = ("default", "bridge", "none", "host")


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """`hosts`, `ulimits` and `shm_bytes` (0 for the default) count in a step's key; where its cgroup stands, and what
    it is told or lent in confidence, do not. With `debug` the snapshot of a failed command is mounted again.
    """

    network: str = "bridge"
    hosts: Sequence[str] = ()
    ulimits: Sequence[str] = ()
    shm_bytes: int = 0
    cgroup_parent: str = ""
    secrets: Mapping[str, bytes] = {}
    agents: Mapping[str, Agent] = {}
    entitlements: Entitlements = Entitlements()
    device_directories: Sequence[str | os.PathLike[str]] = ()
    debug: bool = False

    @property
    def access(self) -> Access:
        """How private repositories are reached."""
        return Access(self.secrets, self.agents)


def conditions_of(options: BuildOptions) -> Conditions:
    """Raises InvalidArgument for an option that can not be met."""
    _check(options)
    return Conditions(
        network="bridge" if options.network == "default" else options.network,
        hosts=options.extra_hosts,
        ulimits=options.ulimits,
        shm_bytes=options.shm_bytes,
        cgroup_parent=options.cgroup_parent,
        secrets=options.secrets,
        agents=_agents(options.ssh) if options.ssh else {},
        entitlements=entitlements(options.allow, network=options.network),
        device_directories=options.device_directories,
        debug=options.debug is not None,
    )


def limitations(options: BuildOptions) -> list[str]:
    """What an ordinary user's build goes without."""
    if userns.is_initial():
        return []
    found = []
    if userns.maps_one_id():
        found.append(
            "this user has no id but its own: files of other owners can not be made, and no RUN has another user "
            "(jubako doctor tells how to get ranges of ids)"
        )
    if options.cgroup_parent:
        found.append("--cgroup-parent has no effect: the commands of an ordinary user's build have no cgroup")
    return found


def _check(options: BuildOptions) -> None:
    if options.network not in _NETWORKS:
        raise InvalidArgument(
            f"network mode {options.network!r} is not supported for a build",
            hint=f"it is one of {', '.join(_NETWORKS)}",
        )
    if options.extra_hosts:
        from jubako.network import hosts

        for text in options.extra_hosts:
            hosts.added(text)
    if options.ulimits:
        from jubako.runtime.rlimits import rlimit

        for text in options.ulimits:
            rlimit(text)
    cgroup_name("", options.cgroup_parent)


def _agents(texts: Sequence[str]) -> dict[str, Agent]:
    from jubako.build.ssh.agents import agents

    return agents(texts, os.environ)
