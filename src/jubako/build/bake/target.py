"""A target as it will be built, everything worked out; and how `--print` shows it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping

import msgspec

from jubako.build.bake.values import BakeError, Value, list_of, map_of, text_of, truth_of
from jubako.spec import decoding

Entry = str | dict[str, str]


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="kebab"):
    """Field names are those of bake files; the order is that of buildx's output."""

    description: str = ""
    annotations: list[str] = []
    attest: list[Entry] = []
    context: str | None = None
    contexts: dict[str, str] = {}
    dockerfile: str | None = None
    dockerfile_inline: str = ""
    args: dict[str, str] = {}
    labels: dict[str, str] = {}
    tags: list[str] = []
    cache_from: list[Entry] = []
    cache_to: list[Entry] = []
    target: str = ""
    secret: list[Entry] = []
    ssh: list[Entry] = []
    platforms: list[str] = []
    output: list[Entry] = []
    pull: bool = False
    no_cache: bool = False
    network: str = ""
    no_cache_filter: list[str] = []
    shm_size: str = ""
    ulimits: list[str] = []
    call: str = ""
    entitlements: list[str] = []
    extra_hosts: dict[str, str] = {}


def target_of(name: str, attributes: Mapping[str, Value]) -> Target:
    """Raises BakeError for an attribute that there is not, or of the wrong type."""
    facts: dict[str, object] = {}
    for key, value in attributes.items():
        convert = _FIELDS.get(key)
        if convert is None:
            raise BakeError(f'target "{name}": unsupported argument "{key}"')
        if value is None:
            continue
        try:
            facts[key] = convert(value)
        except BakeError as problem:
            raise BakeError(f'target "{name}": {key}: {problem.message}') from None
    return msgspec.convert({"context": ".", "dockerfile": "Dockerfile", **facts}, decoding.known(Target))


def attribute_line(entry: Entry) -> str:
    """An output, cache or secret as the command line writes it."""
    if isinstance(entry, str):
        return entry
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([f"{key}={value}" for key, value in entry.items()])
    return text.getvalue()


def _texts(value: Value) -> list[str]:
    """Without what is empty, as where a condition did not hold, and each once."""
    return list(dict.fromkeys(text for each in list_of(value) if (text := text_of(each))))


def _entries(value: Value) -> list[Entry]:
    return [
        {key: text_of(inner) for key, inner in each.items()} if isinstance(each, dict) else text_of(each)
        for each in list_of(value)
        if each not in (None, "")
    ]


def _map(value: Value) -> dict[str, str]:
    return {key: text_of(each) for key, each in map_of(value).items() if each is not None}


_FIELDS: dict[str, Callable[[Value], object]] = {
    **dict.fromkeys(("description", "context", "dockerfile", "dockerfile-inline", "target"), text_of),
    **dict.fromkeys(("network", "shm-size", "call"), text_of),
    **dict.fromkeys(("annotations", "tags", "platforms", "no-cache-filter", "ulimits", "entitlements"), _texts),
    **dict.fromkeys(("attest", "cache-from", "cache-to", "secret", "ssh", "output"), _entries),
    **dict.fromkeys(("contexts", "args", "labels", "extra-hosts"), _map),
    **dict.fromkeys(("pull", "no-cache"), truth_of),
}
LISTS = frozenset(name for name, convert in _FIELDS.items() if convert in (_texts, _entries))
MAPS = frozenset(name for name, convert in _FIELDS.items() if convert is _map)
