"""What a keeper has imported before the first call, so that no call imports it again.

All that short commands use: the whole of PACKAGES, and MODULES from elsewhere. What only long work needs (archives,
registries, builds, rich, aiohttp) is not worth its memory, and is imported by the call that needs it.
"""

from __future__ import annotations

import importlib
import pkgutil

PACKAGES = [
    "jubako.cli",
    "jubako.engine",
    "jubako.runtime",
    "jubako.network",
    "jubako.snapshot",
    "jubako.store",
    "jubako.volume",
    "jubako.linux",
]
MODULES = ["encodings.ascii", "json", "jubako.build", "jubako.python", "termios", "traceback", "tty"]
OWN = "jubako.cli.keeper"

# These live long or need a controlling terminal of their own: they run as the caller's own process.
COLD = frozenset({"login", "registry"})
WITH_VALUE = frozenset({"--root", "--run-root"})


def runs_cold(arguments: list[str]) -> bool:
    """Return whether the command in `arguments` is one that no keeper should run."""
    skip = False
    for argument in arguments:
        if not skip and not argument.startswith("-"):
            return argument in COLD
        skip = argument in WITH_VALUE
    return False


def import_all() -> None:
    """Import PACKAGES and MODULES. What is missing or broken is left to the call that needs it, to say so."""
    for name in PACKAGES:
        _import_package(name)
    for name in MODULES:
        _import(name)


def _import_package(name: str) -> None:
    package = _import(name)
    for module in pkgutil.iter_modules(getattr(package, "__path__", [])):
        inner = f"{name}.{module.name}"
        if module.ispkg and inner != OWN:
            _import_package(inner)
        elif inner != OWN:
            _import(inner)


def _import(name: str) -> object:
    try:
        return importlib.import_module(name)
    except Exception:  # whatever it is, the call that needs the module says it
        return None
