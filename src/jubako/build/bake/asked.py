"""A bake target as the options of a build."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from jubako.build.bake.target import Entry, Target, attribute_line
from jubako.build.bake.values import BakeError
from jubako.build.inquiry import Inquiry
from jubako.build.remotecontext import is_remote
from jubako.build.secrets import secrets
from jubako.spec.sizes import ram_bytes

_TARGET = "target:"


def build_options(target: Target, directory: Path, built: Mapping[str, str]) -> tuple[Path | str, dict[str, object]]:
    """The context and the keyword arguments of build(); `built` has the image IDs of earlier targets.

    Raises BakeError, and what secrets raise.
    """
    context, dockerfile = _places(target, directory)
    return context, {
        "dockerfile": dockerfile,
        "dockerfile_inline": target.dockerfile_inline or None,
        "tags": target.tags,
        "target": target.target or None,
        "build_args": target.args,
        "labels": target.labels,
        "no_cache": target.no_cache,
        "no_cache_filter": target.no_cache_filter,
        "cache_from": [attribute_line(each) for each in target.cache_from],
        "cache_to": [attribute_line(each) for each in target.cache_to],
        "always_pull": target.pull,
        "network": target.network or "default",
        "platforms": target.platforms,
        "outputs": [attribute_line(each) for each in target.output],
        "annotations": target.annotations,
        "attests": [attribute_line(each) for each in target.attest],
        "contexts": {key: _place(value, directory, built) for key, value in target.contexts.items()},
        "secrets": secrets([attribute_line(each) for each in target.secret], os.environ, directory),
        "ssh": [ssh_line(each) for each in target.ssh],
        "allow": target.entitlements,
        "extra_hosts": [f"{name}={address}" for name, address in target.extra_hosts.items()],
        "ulimits": target.ulimits,
        "shm_bytes": _size(target.shm_size),
    }


def asked_of(target: Target, directory: Path) -> tuple[Path | str, Inquiry] | None:
    """What a target's `call` asks about which context; None where it is to be built."""
    method = target.call.partition(",")[0]
    if method in ("", "build"):
        return None
    context, dockerfile = _places(target, directory)
    return context, Inquiry(
        method=method,
        json="format=json" in target.call.split(","),
        dockerfile=dockerfile,
        dockerfile_inline=target.dockerfile_inline or None,
        target=target.target or None,
        build_args=target.args,
    )


def privileges(target: Target) -> list[str]:
    """What the target asks for that a build does not have of itself."""
    return [*target.entitlements, *(["ssh"] if target.ssh else [])]


def ssh_line(entry: Entry) -> str:
    """An agent as `--ssh` writes it."""
    if isinstance(entry, str):
        return entry
    paths = entry.get("paths", "")
    return f"{entry.get('id', 'default')}={paths}" if paths else entry.get("id", "default")


def _places(target: Target, directory: Path) -> tuple[Path | str, Path | str]:
    place, dockerfile = target.context or ".", target.dockerfile or "Dockerfile"
    if is_remote(place):
        return place, dockerfile
    return directory / place, directory / place / dockerfile


def _place(value: str, directory: Path, built: Mapping[str, str]) -> str:
    """A named context as a build takes it."""
    if value.startswith(_TARGET):
        return f"docker-image://{built[value.removeprefix(_TARGET)]}"
    return value if "://" in value or is_remote(value) else str(directory / value)


def _size(text: str) -> int:
    try:
        return ram_bytes(text) if text else 0
    except ValueError as error:
        raise BakeError(f"shm-size: {error}") from None
