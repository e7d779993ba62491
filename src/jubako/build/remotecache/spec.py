"""What `--cache-from` and `--cache-to` ask for, read and checked before anything is built.

Form:  comma-separated `key=value`; what has no `=` is a reference, as `type=registry,ref=REFERENCE` says it.
Types: registry, local and inline. `gha` is passed over where no GitHub runner lends its cache, as buildx does it, so
       that one bake file serves both.
Spec:  buildx, "--cache-from" and "--cache-to"; Docker docs, "Cache storage backends".
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from jubako.build.attributes import fields_of, flag, packing_of
from jubako.build.exporters.compression import Packing
from jubako.errors import InvalidArgument
from jubako.image import reference

Type = Literal["registry", "local", "inline"]
_TYPES: tuple[Type, ...] = ("registry", "local", "inline")
_FROM_KEYS: Mapping[str, set[str]] = {"registry": {"ref"}, "local": {"src", "tag", "digest"}, "inline": set()}
_PACKING_KEYS = {"compression", "compression-level", "force-compression"}
_TO_KEYS: Mapping[str, set[str]] = {
    "registry": {"ref", "mode", "image-manifest", "oci-mediatypes", "ignore-error", *_PACKING_KEYS},
    "local": {"dest", "tag", "mode", "image-manifest", "oci-mediatypes", "ignore-error", *_PACKING_KEYS},
    "inline": {"mode"},
}
_DEFAULT_TAG = "latest"


class CacheFrom(msgspec.Struct, frozen=True, kw_only=True):
    """`place` is a reference or a directory, of which `tag` or `digest` chooses a cache."""

    type: Type
    place: str
    tag: str = _DEFAULT_TAG
    digest: str = ""


class CacheTo(msgspec.Struct, frozen=True, kw_only=True):
    """`complete` (mode=max) takes the layers of all steps along, not only those of the result."""

    type: Type
    place: str = ""
    tag: str = _DEFAULT_TAG
    complete: bool = False
    image_manifest: bool = True
    oci_types: bool = True
    ignore_error: bool = False
    packing: Packing = Packing()


def caches_from(texts: Sequence[str]) -> list[CacheFrom]:
    """Raises InvalidArgument that names what is wrong."""
    return [_cache_from(kind, given) for kind, given in _read(texts, _FROM_KEYS, "cache importer")]


def caches_to(texts: Sequence[str]) -> list[CacheTo]:
    """Raises InvalidArgument that names what is wrong."""
    return [_cache_to(kind, given) for kind, given in _read(texts, _TO_KEYS, "cache exporter")]


def _cache_from(kind: Type, given: Mapping[str, str]) -> CacheFrom:
    if kind == "inline":
        raise InvalidArgument("an inline cache is imported with type=registry,ref=IMAGE")
    if kind == "registry":
        return CacheFrom(type=kind, place=_reference(given))
    digest = given.get("digest", "")
    if digest and not reference.is_digest(digest):
        raise InvalidArgument(f"invalid digest {digest} of a local cache")
    return CacheFrom(type=kind, place=_needed(given, "src"), tag=given.get("tag") or _DEFAULT_TAG, digest=digest)


def _cache_to(kind: Type, given: Mapping[str, str]) -> CacheTo:
    mode = given.get("mode", "min")
    if mode not in ("min", "max"):
        raise InvalidArgument(f"unsupported cache export mode: {mode}", hint="it is min or max")
    if kind == "inline":
        if mode == "max":
            raise InvalidArgument("an inline cache has mode min only", hint="type=registry and type=local have max")
        return CacheTo(type=kind)
    oci_types = flag(given, "oci-mediatypes", default=True)
    image_manifest = flag(given, "image-manifest", default=oci_types)
    if image_manifest and not oci_types:
        raise InvalidArgument("image-manifest=true needs oci-mediatypes=true")
    return CacheTo(
        type=kind,
        place=_reference(given) if kind == "registry" else _needed(given, "dest"),
        tag=given.get("tag") or _DEFAULT_TAG,
        complete=mode == "max",
        image_manifest=image_manifest,
        oci_types=oci_types,
        ignore_error=flag(given, "ignore-error", default=False),
        packing=packing_of(given),
    )


def _read(texts: Sequence[str], keys: Mapping[str, set[str]], what: str) -> list[tuple[Type, dict[str, str]]]:
    found: list[tuple[Type, dict[str, str]]] = []
    for text in texts:
        fields = fields_of(text)
        if fields and "=" not in text:
            found += [("registry", {"ref": name}) for name in fields]
            continue
        given = _pairs(fields)
        name = given.pop("type", "")
        if name == "gha" and not _on_github(given):
            continue
        found.append((_type(name, text, what), given))
        _check_keys(given, keys[name], f"{name} {what}")
    return found


def _pairs(fields: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for field in fields:
        key, equals, value = field.partition("=")
        if not equals:
            raise InvalidArgument(f"invalid value {field}: a cache is key=value pairs")
        given[key.strip().lower()] = value
    return given


def _type(name: str, text: str, what: str) -> Type:
    if not name:
        raise InvalidArgument(f'type required form "{text}"', hint=f"there are {', '.join(_TYPES)}")
    for kind in _TYPES:
        if kind == name:
            return kind
    raise InvalidArgument(f"unknown {what}: {name!r}", hint=f"there are {', '.join(_TYPES)}")


def _check_keys(given: Mapping[str, str], known: set[str], what: str) -> None:
    for key in given:
        if key not in known:
            hint = f"it has {', '.join(sorted(known))}" if known else "it has none"
            raise InvalidArgument(f'unknown key "{key}" of the {what}', hint=hint)


def _on_github(given: Mapping[str, str]) -> bool:
    return bool(given.get("token") or os.environ.get("ACTIONS_RUNTIME_TOKEN"))


def _needed(given: Mapping[str, str], key: str) -> str:
    value = given.get(key, "")
    if not value:
        raise InvalidArgument(f"a local cache needs {key}=DIRECTORY")
    return value


def _reference(given: Mapping[str, str]) -> str:
    if not given.get("ref"):
        raise InvalidArgument("a registry cache needs ref=REFERENCE")
    return str(reference.parse(given["ref"]))
