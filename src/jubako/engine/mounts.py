"""The texts of -v, --mount and --tmpfs, turned into mount points and then into the runtime's mounts.

Docker's rules: `-v SRC:DST` makes a missing host directory and copies the image's content up into a new volume;
`--mount` refuses a missing source. A target is always absolute and never `/`.
"""

from __future__ import annotations

import posixpath
import re

import msgspec

from jubako.errors import InvalidArgument
from jubako.spec.oci_image import DiffID
from jubako.spec.oci_runtime import Mount

_VOLUME_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_PROPAGATION = frozenset({"private", "rprivate", "shared", "rshared", "slave", "rslave"})
_FLAG_OPTIONS = frozenset({"ro", "rw", "z", "Z", "nocopy", "U", "cached", "delegated", "consistent"})


class MountPoint(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One mount of a container. `name` is the volume's, "" for an anonymous one that is still to be made; `subpath` is
    what of the source is mounted. An image's `source` is its name; `image_id` and `layers` are what it stood for when
    the container was made."""

    type: str
    destination: str
    source: str = ""
    name: str = ""
    read_only: bool = False
    propagation: str = "rprivate"
    copy_up: bool = True
    create_source: bool = False
    anonymous: bool = False
    subpath: str = ""
    image_id: str = ""
    layers: list[DiffID] = []
    recursive_read_only: bool = False
    options: list[str] = []


def parse_volume(text: str) -> MountPoint:
    """Parse `-v [SRC:]DST[:OPTIONS]`."""
    fields = text.split(":")
    if len(fields) > 3 or not all(fields):
        raise InvalidArgument(f"invalid volume specification: '{text}'")
    if len(fields) == 1:
        return MountPoint(type="volume", destination=_target(fields[0], text), anonymous=True)
    source, destination = fields[0], _target(fields[1], text)
    flags = fields[2].split(",") if len(fields) == 3 else []
    if not _are_modes(flags):
        raise InvalidArgument(f"invalid mode: {fields[2]}")
    point = MountPoint(
        type="volume",
        destination=destination,
        read_only="ro" in flags,
        copy_up="nocopy" not in flags,
        propagation=next((flag for flag in flags if flag in _PROPAGATION), "rprivate"),
    )
    if source.startswith(("/", ".")):
        if not source.startswith("/"):
            raise InvalidArgument(f"invalid volume specification: '{text}': the source path must be absolute")
        point.type, point.source, point.create_source = "bind", posixpath.normpath(source), True
        return point
    point.name = _volume_name(source)
    return point


def _are_modes(flags: list[str]) -> bool:
    """Whether all are known, and no two say the same thing differently."""
    known = all(flag in _FLAG_OPTIONS or flag in _PROPAGATION for flag in flags)
    return known and all(sum(flag in kind for flag in flags) <= 1 for kind in ({"ro", "rw"}, _PROPAGATION))


def parse_mount(text: str) -> MountPoint:
    """Parse `--mount type=bind|volume|tmpfs|image,source=…,target=…[,readonly]…`."""
    point = MountPoint(type="volume", destination="")
    keys = []
    for item in _fields(text):
        key, equals, value = item.partition("=")
        keys.append(key.strip().lower())
        _apply(point, keys[-1], value, bool(equals), text)
    if not point.destination:
        raise _wrong_mount(text, "target is required")
    keys = [key for key in keys if key != "bind-create-src"]  # it is for what is missing of a volume as well
    for kind in ("bind", "volume", "tmpfs", "image"):
        if point.type != kind and any(key.startswith(f"{kind}-") for key in keys):
            raise _wrong_mount(text, f"cannot mix '{kind}-*' options with mount type '{point.type}'")
    _check(point)
    return point


def _check(point: MountPoint) -> None:
    """What every kind of mount needs and rules out."""
    if point.type == "tmpfs" and point.source:
        raise InvalidArgument('invalid mount config for type "tmpfs": field Source must not be specified')
    if point.type == "bind" and not point.source:
        raise InvalidArgument('invalid mount config for type "bind": field Source must not be empty')
    if point.type == "bind" and not point.source.startswith("/"):
        raise InvalidArgument(
            f"invalid mount config for type \"bind\": invalid mount path: '{point.source}' mount path must be absolute"
        )
    if point.type == "image":
        if not point.source:
            raise InvalidArgument('invalid mount config for type "image": field Source must not be empty')
        point.read_only = True
    if point.recursive_read_only and not (point.read_only and point.propagation == "rprivate"):
        raise InvalidArgument("option 'bind-recursive=readonly' requires 'readonly' and 'bind-propagation=rprivate'")
    if point.type == "volume":
        point.name, point.source, point.anonymous = point.source and _volume_name(point.source), "", not point.source


def _wrong_mount(text: str, why: str) -> InvalidArgument:
    return InvalidArgument(f'invalid argument "{text}" for "--mount" flag: {why}')


def _fields(text: str) -> list[str]:
    """The items as Docker reads them: CSV, so that a path with a comma can be quoted."""
    if '"' not in text:
        return text.split(",")
    import csv

    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise _wrong_mount(text, str(error)) from None


def _flag(key: str, value: str, given: bool, text: str) -> bool:
    """`readonly`, `readonly=true` …"""
    if not given or value.lower() in ("1", "true"):
        return True
    if value.lower() not in ("0", "false"):
        raise _wrong_mount(text, f"invalid value for {key}: {value}")
    return False


def _apply(point: MountPoint, key: str, value: str, given: bool, text: str) -> None:
    match key:
        case "type":
            if value not in ("bind", "volume", "tmpfs", "image"):
                raise InvalidArgument(f'invalid mount config for type "{value}": mount type unknown')
            point.type = value
        case "source" | "src":
            point.source = value
        case "target" | "dst" | "destination":
            point.destination = _target(value, text)
        case "readonly" | "ro":
            point.read_only = _flag(key, value, given, text)
        case "bind-propagation":
            if value not in _PROPAGATION:
                raise InvalidArgument(f'invalid mount config for type "bind": invalid propagation mode: {value}')
            point.propagation = value
        case "consistency":
            pass  # what Docker for the Mac does with it, and nobody on Linux
        case "volume-subpath" | "bind-subpath" | "image-subpath" | "subpath":
            point.subpath = _subpath(value)
        case "bind-recursive":
            if value not in ("enabled", "writable", "readonly"):
                raise InvalidArgument(f'invalid value for bind-recursive: "{value}"')
            point.recursive_read_only = value == "readonly"
        case "bind-create-src":
            point.create_source = _flag(key, value, given, text)
        case "volume-nocopy":
            point.copy_up = not _flag(key, value, given, text)
        case "nodev" | "noexec" | "nosuid" if not given:
            point.options = [*point.options, key]
        case "tmpfs-size":
            try:
                point.options = [*point.options, f"size={parse_size(value)}"]
            except InvalidArgument:
                raise _wrong_mount(text, f"invalid value for {key}: {value}") from None
        case "tmpfs-mode":
            if not value or set(value) - set("01234567"):
                raise _wrong_mount(text, f"invalid value for {key}: {value}")
            point.options = [*point.options, f"mode={value}"]
        case _ if not given:
            raise _wrong_mount(text, f"invalid field '{key}' must be a key=value pair")
        case _:
            raise _wrong_mount(text, f"unexpected key '{key}' in '{key}={value}'")


def images(texts: list[str]) -> list[str]:
    """Return the images that `--mount` texts name."""
    return [point.source for point in map(parse_mount, texts) if point.type == "image"]


def parse_tmpfs(text: str) -> MountPoint:
    """Parse `--tmpfs DST[:OPTIONS]`."""
    target, _, options = text.partition(":")
    return MountPoint(type="tmpfs", destination=_target(target, text), options=options.split(",") if options else [])


def merge(points: list[MountPoint], image_volumes: list[str]) -> list[MountPoint]:
    """Add the image's VOLUMEs that nothing covers, refuse duplicates, and order parents before children."""
    taken: set[str] = set()
    for point in points:
        if point.destination in taken:
            raise InvalidArgument(f"Duplicate mount point: {point.destination}")
        taken.add(point.destination)
    missing = [path for path in map(_clean, image_volumes) if path not in taken and path not in ("/", "/proc")]
    added = [MountPoint(type="volume", destination=path, anonymous=True) for path in dict.fromkeys(missing)]
    return sorted([*points, *added], key=lambda point: point.destination.count("/"))


def to_runtime(point: MountPoint) -> Mount:
    """The mount as the runtime specification has it; `source` is filled in already."""
    if point.type == "tmpfs":
        options = ["nosuid", "nodev", "noexec", *point.options]
        return Mount(destination=point.destination, type="tmpfs", source="tmpfs", options=options)
    access = ["ro" if point.read_only else "rw", *(["rro"] if point.recursive_read_only else [])]
    options = ["rbind", *access, *point.options, point.propagation]
    return Mount(destination=point.destination, type="bind", source=point.source, options=options)


def parse_size(text: str) -> int:
    """Bytes of `64m`, `1g`, `512` as Docker reads them."""
    units = {"b": 0, "k": 10, "m": 20, "g": 30, "t": 40}
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)i?b?", text.strip().lower())
    if not match:
        raise InvalidArgument(f"invalid size: '{text}'")
    return int(float(match[1]) * (1 << units.get(match[2] or "b", 0)))


def _clean(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))


def _target(path: str, text: str) -> str:
    if not path.startswith("/"):
        raise InvalidArgument(
            f"invalid volume specification: '{text}': invalid mount path: '{path}' mount path must be absolute"
        )
    clean = _clean(path)
    if clean == "/proc":
        # The masks and read-only paths beneath it would mean nothing; runc refuses it too.
        raise InvalidArgument(f"invalid volume specification: '{text}': \"/proc\" cannot be mounted over")
    if clean == "/":
        raise InvalidArgument(f"invalid volume specification: '{text}': destination can't be '/'")
    return clean


def _subpath(text: str) -> str:
    if not text or text.startswith("/") or ".." in text.split("/"):
        raise InvalidArgument(f"invalid subpath '{text}': it must be relative, and must not contain '..'")
    return posixpath.normpath(text)


def _volume_name(name: str) -> str:
    if not _VOLUME_NAME.fullmatch(name):
        raise InvalidArgument(
            f'create {name}: "{name}" includes invalid characters for a local volume name, only '
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path'
        )
    return name
