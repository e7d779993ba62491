"""What `-o/--output` asks for, read and checked before anything is built.

Form:  comma-separated `key=value` with CSV's quotes; a bare PATH is `type=local,dest=PATH`, a bare `-`
       is a tar on standard output.
Types: image (and registry, which pushes it), local, tar, oci, docker; cacheonly, for what only fills the cache.
Spec:  buildx, "docker buildx build --output"; BuildKit, "Exporters".
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jubako.build.attributes import fields_of, flag, packing_of
from jubako.build.exporters.annotations import Annotation, parse_annotation
from jubako.build.exporters.compression import Packing
from jubako.errors import InvalidArgument
from jubako.image import reference

_IMAGE_KEYS = {
    "name", "push", "store", "compression", "compression-level", "force-compression", "oci-mediatypes",
    "rewrite-timestamp",
}  # fmt: skip
_KEYS = {
    "image": _IMAGE_KEYS,
    "registry": _IMAGE_KEYS,
    "local": {"dest", "platform-split", "attestation-prefix"},
    "tar": {"dest", "platform-split", "attestation-prefix"},
    "oci": {*_IMAGE_KEYS, "dest", "tar"} - {"push"},
    "docker": {*_IMAGE_KEYS, "dest", "tar"} - {"push"},
    "cacheonly": set(),
}


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """One output. `dest` is a path, "-" for standard output, or "" for the image store."""

    type: str
    dest: str = ""
    names: list[str] = []
    push: bool = False
    store: bool = True
    tar: bool = True
    oci_types: bool = True
    platform_split: bool | None = None
    attestation_prefix: str = ""
    packing: Packing = Packing()
    annotations: list[Annotation] = []

    @property
    def has_files(self) -> bool:
        """Whether it needs the layers."""
        return self.type != "cacheonly"

    @property
    def is_image(self) -> bool:
        """Whether it goes to the image store."""
        return self.type == "image" or (self.type == "docker" and not self.dest)


def parse_output(text: str) -> Output:
    """Raises InvalidArgument that names the key or value."""
    fields = fields_of(text)
    if fields and "=" not in text:
        return Output(type="tar", dest="-") if text == "-" else Output(type="local", dest=text)
    given: dict[str, str] = {}
    for field in fields:
        key, equals, value = field.partition("=")
        if not equals:
            raise InvalidArgument(f"invalid value {field}: an output is key=value pairs")
        given[key.strip().lower() if not key.startswith("annotation") else key.strip()] = value
    return _output(given)


def check_outputs(outputs: Sequence[Output]) -> None:
    """Raises InvalidArgument where two outputs want standard output."""
    if sum(output.dest == "-" for output in outputs) > 1:
        raise InvalidArgument("only one output can go to standard output")


def _output(given: dict[str, str]) -> Output:
    kind = given.pop("type", "")
    if not kind:
        raise InvalidArgument("type is required for output")
    if kind not in _KEYS:
        raise InvalidArgument(f'exporter "{kind}" could not be found', hint=f"there are {', '.join(_KEYS)}")
    for key in given:
        if key not in _KEYS[kind] and not (key.startswith("annotation") and kind not in ("local", "tar")):
            known = ", ".join(sorted(_KEYS[kind]))
            raise InvalidArgument(f'unknown key "{key}" of the {kind} output', hint=f"it has {known}")
    _check_dest(kind, given.get("dest", ""))
    return Output(
        type="image" if kind == "registry" else kind,
        dest=given.get("dest", ""),
        names=[str(reference.parse(name)) for name in given.get("name", "").split(",") if name],
        push=kind == "registry" or flag(given, "push", default=False),
        store=flag(given, "store", default=True),
        tar=flag(given, "tar", default=True),
        oci_types=flag(given, "oci-mediatypes", default=kind != "docker"),
        platform_split=flag(given, "platform-split", default=True) if "platform-split" in given else None,
        attestation_prefix=given.get("attestation-prefix", ""),
        packing=packing_of(given),
        annotations=[parse_annotation(key, value) for key, value in given.items() if key.startswith("annotation")],
    )


def _check_dest(kind: str, dest: str) -> None:
    if kind == "local" and dest in ("", "-"):
        raise InvalidArgument("output directory is required for local exporter")
    if kind in ("tar", "oci") and not dest:
        raise InvalidArgument(f"output file is required for {kind} exporter. refusing to write to console")
