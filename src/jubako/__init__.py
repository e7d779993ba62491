"""Jubako: the whole life of a container as one Python package.

`jubako.run(image, command)`, `jubako.build(context)` and `jubako.Engine` are the Python API. They are loaded on first
use, so that importing a part of the package costs only that part.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Completed",
    "ContainerError",
    "CreateOptions",
    "Engine",
    "__version__",
    "build",
    "enter_user_namespace",
    "run",
]

if TYPE_CHECKING:
    from jubako.python import (
        Completed,
        ContainerError,
        CreateOptions,
        Engine,
        build,
        enter_user_namespace,
        run,
    )


def _python() -> ModuleType:
    # By name: the layers below may import this package, and must not be seen to import what stands above them.
    from importlib import import_module

    return import_module("jubako.python")


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(_python(), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Lets `jubako.build` be the function although there is a subpackage of that name."""

    @property
    def build(self) -> Any:
        return _python().build

    @build.setter
    def build(self, subpackage: Any) -> None:
        """The import system binds the subpackage here; `from jubako.build import …` finds it all the same."""


sys.modules[__name__].__class__ = _Package
