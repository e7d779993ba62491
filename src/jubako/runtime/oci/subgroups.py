"""exec --cgroup: where beneath the container's own group its process goes. runc-exec(8)."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.errors import InvalidArgument


def parse(given: Sequence[str]) -> dict[str, str]:
    """Controller -> path of `[controller,...:]path`, each once; "" stands for all that are not named."""
    paths: dict[str, str] = {}
    for text in given:
        names, colon, path = text.rpartition(":")
        if colon and not names:
            raise InvalidArgument(f"invalid --cgroup argument: {text}")
        for name in names.split(","):
            if name in paths:
                raise InvalidArgument(f"invalid --cgroup argument(s): controller {name or 'all'} specified twice")
            paths[name] = path
    return paths
