"""Mount option strings, as the runtime specification has them, to mount attributes. One table."""

from __future__ import annotations

import msgspec

from jubako.spec.oci_runtime import Mount

RDONLY, NOSUID, NODEV, NOEXEC = 0x01, 0x02, 0x04, 0x08
ATIME, NOATIME, STRICTATIME, NODIRATIME, NOSYMFOLLOW = 0x70, 0x10, 0x20, 0x80, 0x200000

SHARED, PRIVATE, SLAVE, UNBINDABLE, RECURSIVE = 1 << 20, 1 << 18, 1 << 19, 1 << 17, 0x4000

_ATTRIBUTES: dict[str, tuple[int, int]] = {
    "ro": (RDONLY, 0),
    "rw": (0, RDONLY),
    "nosuid": (NOSUID, 0),
    "suid": (0, NOSUID),
    "nodev": (NODEV, 0),
    "dev": (0, NODEV),
    "noexec": (NOEXEC, 0),
    "exec": (0, NOEXEC),
    # The access-time modes are one field: mount_setattr(2) wants it cleared whenever it is set.
    "noatime": (NOATIME, ATIME),
    "atime": (0, ATIME),
    "relatime": (0, ATIME),
    "norelatime": (0, 0),
    "strictatime": (STRICTATIME, ATIME),
    "nostrictatime": (0, ATIME),
    "nodiratime": (NODIRATIME, 0),
    "diratime": (0, NODIRATIME),
    "nosymfollow": (NOSYMFOLLOW, 0),
    "symfollow": (0, NOSYMFOLLOW),
}
PROPAGATION = {"shared": SHARED, "private": PRIVATE, "slave": SLAVE, "unbindable": UNBINDABLE}
_SPECIAL = frozenset({"bind", "rbind", "idmap", "ridmap", "tmpcopyup", "remount"})
_IGNORED = frozenset(
    "defaults async loud silent iversion noiversion z Z nocopy cached delegated consistent newinstance".split()
)


def known() -> list[str]:
    """Every option that has a meaning here; what is not among them is data for the filesystem."""
    plain = [*_ATTRIBUTES, *PROPAGATION]
    return sorted({*plain, *(f"r{name}" for name in plain), *_SPECIAL, *_IGNORED})


class Options(msgspec.Struct):
    """`set`/`clear` are for the mount itself, `all_*` for it and all beneath; `data` is the filesystem's."""

    bind: bool = False
    recursive: bool = False
    idmap: bool = False
    idmap_recursive: bool = False
    copy_up: bool = False
    remount: bool = False
    set: int = 0
    clear: int = 0
    all_set: int = 0
    all_clear: int = 0
    propagation: int = 0
    propagation_recursive: bool = False
    data: list[str] = []


def parse(mount: Mount) -> Options:
    """Sort the options of `mount` by what they mean."""
    options = Options(bind=mount.type == "bind", idmap=bool(mount.uid_mappings or mount.gid_mappings))
    for text in mount.options:
        if text in _SPECIAL:
            _set_special(options, text)
        elif text in _ATTRIBUTES:
            options.set, options.clear = _merge(options.set, options.clear, *_ATTRIBUTES[text])
        elif text in PROPAGATION:
            options.propagation = PROPAGATION[text]
        elif text[:1] == "r" and text[1:] in PROPAGATION:
            options.propagation, options.propagation_recursive = PROPAGATION[text[1:]], True
        elif text[:1] == "r" and text[1:] in _ATTRIBUTES:
            options.all_set, options.all_clear = _merge(options.all_set, options.all_clear, *_ATTRIBUTES[text[1:]])
        elif text not in _IGNORED:
            options.data.append(text)
    return options


def _set_special(options: Options, text: str) -> None:
    match text:
        case "bind" | "rbind":
            options.bind = True
            options.recursive |= text == "rbind"
        case "idmap" | "ridmap":
            options.idmap = True
            options.idmap_recursive |= text == "ridmap"
        case "tmpcopyup":
            options.copy_up = True
        case "remount":
            options.remount = True


def _merge(old_set: int, old_clear: int, new_set: int, new_clear: int) -> tuple[int, int]:
    """The later option wins."""
    return (old_set & ~new_clear) | new_set, (old_clear & ~new_set) | new_clear
