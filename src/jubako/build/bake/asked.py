"""A bake target as the options of a build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jubako.build.bake.target import Target, attribute_line
from jubako.build.bake.values import BakeError
from jubako.build.remotecontext import is_remote

_TARGET = "target:"
# What a build can not do yet; better said than left out of the image in silence.
_UNSUPPORTED = (
    "cache_from", "cache_to", "call", "dockerfile_inline", "entitlements", "extra_hosts", "no_cache_filter", "secret",
    "shm_size", "ssh", "ulimits",
)  # fmt: skip


def check_supported(targets: Mapping[str, Target]) -> None:
    """Raises BakeError for what a build can not do."""
    for name, target in targets.items():
        for field in _UNSUPPORTED:
            if getattr(target, field):
                raise BakeError(f'target "{name}": {field.replace("_", "-")} is not supported yet')


def build_options(target: Target, directory: Path, built: Mapping[str, str]) -> tuple[Path | str, dict[str, object]]:
    """The context and the keyword arguments of build(); `built` has the image IDs of earlier targets."""
    place, dockerfile = target.context or ".", target.dockerfile or "Dockerfile"
    remote = is_remote(place)
    return place if remote else directory / place, {
        "dockerfile": dockerfile if remote else directory / place / dockerfile,
        "tags": target.tags,
        "target": target.target or None,
        "build_args": target.args,
        "labels": target.labels,
        "no_cache": target.no_cache,
        "always_pull": target.pull,
        "network": target.network or "default",
        "platforms": target.platforms,
        "outputs": [attribute_line(each) for each in target.output],
        "annotations": target.annotations,
        "attests": [attribute_line(each) for each in target.attest],
        "contexts": {key: _place(value, directory, built) for key, value in target.contexts.items()},
    }


def _place(value: str, directory: Path, built: Mapping[str, str]) -> str:
    """A named context as a build takes it."""
    if value.startswith(_TARGET):
        return f"docker-image://{built[value.removeprefix(_TARGET)]}"
    return value if "://" in value or is_remote(value) else str(directory / value)
