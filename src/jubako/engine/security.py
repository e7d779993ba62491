"""Capabilities, privilege and security options of a container, by Docker's rules."""

from __future__ import annotations

from pathlib import Path

import msgspec

from jubako.engine.options import CreateOptions
from jubako.errors import InvalidArgument
from jubako.runtime import defaults
from jubako.spec import decoding


class SecurityOptions(msgspec.Struct, frozen=True):
    """What --security-opt says. `seccomp` is None for the default profile, "unconfined", or a profile's path."""

    no_new_privileges: bool = False
    seccomp: str | None = None
    apparmor: str = ""
    unmask: bool = False


def parse(texts: list[str]) -> SecurityOptions:
    """Parse `no-new-privileges[:true]`, `seccomp=…`, `apparmor=…`, `systempaths=unconfined`, `label=…`."""
    found: dict[str, str | bool] = {}
    for text in texts:
        key, separator, value = text.replace(":", "=", 1).partition("=") if "=" not in text else text.partition("=")
        match key:
            case "no-new-privileges":
                if separator and value.lower() not in ("true", "1", "false", "0"):
                    raise InvalidArgument(f'invalid --security-opt 2: "{text}"')
                found["no_new_privileges"] = not separator or value.lower() in ("true", "1")
            case "seccomp":
                found["seccomp"] = value
            case "apparmor":
                found["apparmor"] = value
            case "systempaths" if value == "unconfined":
                found["unmask"] = True
            case "label":
                pass  # SELinux labels mean something only on a host that enforces them.
            case _ if not separator:
                raise InvalidArgument(f'Invalid --security-opt: "{text}"')
            case _:
                raise InvalidArgument(f'invalid --security-opt 2: "{text}"')
    return msgspec.convert(found, decoding.known(SecurityOptions))


def capabilities(options: CreateOptions) -> list[str]:
    """The bounding set: Docker's default with --cap-add and --cap-drop applied; ALL stands for every capability."""
    every = list(defaults.ALL_CAPABILITIES)
    if options.privileged:
        return every
    add = {capability(name, every, "CapAdd") for name in options.cap_add}
    drop = {capability(name, every, "CapDrop") for name in options.cap_drop}
    base = set(every) if "ALL" in add else set(defaults.CAPABILITIES)
    if "ALL" in drop:
        base = set()
    return [name for name in every if (name in base and name not in drop) or name in add]


def capability(name: str, every: list[str], option: str) -> str:
    """The full name of a capability given with or without CAP_, in any case; ALL is left as it is."""
    upper = name.upper()
    if upper == "ALL":
        return upper
    full = upper if upper.startswith("CAP_") else f"CAP_{upper}"
    if full not in every:
        raise InvalidArgument(f'invalid {option}: unknown capability: "{full}"')
    return full


def seccomp_profile(choice: SecurityOptions) -> bytes | None:
    """The JSON of a profile named by path; None where there is no file to read. InvalidArgument in Docker's words."""
    if choice.seccomp in (None, "unconfined", "builtin"):
        return None
    path = str(choice.seccomp)
    try:
        data = Path(path).read_bytes()
        msgspec.json.decode(data)
    except OSError as error:
        why = (error.strerror or "").lower()
        raise InvalidArgument(f"opening seccomp profile ({path}) failed: open {path}: {why}") from None
    except msgspec.DecodeError as error:
        raise InvalidArgument(f"compacting json for seccomp profile ({path}) failed: {error}") from None
    return data
