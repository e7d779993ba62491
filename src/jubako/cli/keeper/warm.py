"""What a keeper has ready before the first call, so that no call needs to make it again."""

from __future__ import annotations

import importlib
import pkgutil

from jubako.cli.keeper.programs import Program


def runs_cold(program: Program, arguments: list[str]) -> bool:
    """Return whether the command in `arguments` is one that no keeper should run."""
    skip = False
    for argument in arguments:
        if not skip and not argument.startswith("-"):
            return argument in program.cold
        skip = argument in program.with_value
    return False


def import_all(program: Program) -> None:
    """Import its packages and modules. What is missing or broken is left to the call that needs it, to say so."""
    for name in program.packages:
        _import_package(name, program.lazy)
    for name in program.modules:
        _import(name)


def protect_executor() -> int:
    """An fd of the executor's binary as calls may run it, so that each need not protect it anew; -1 if that fails."""
    try:
        from jubako.runtime import program

        return program.protected()
    except Exception:  # as above
        return -1


def held(executor: int) -> list[int]:
    """The fds that a call keeps of its keeper."""
    return [executor] if executor >= 0 else []


def hold(fds: list[int]) -> None:
    """Use what held() gave, which has the numbers `fds` now."""
    if fds:
        from jubako.runtime import program

        program.moved(fds[0])


def _import_package(name: str, lazy: frozenset[str]) -> None:
    package = _import(name)
    for module in pkgutil.iter_modules(getattr(package, "__path__", [])):
        inner = f"{name}.{module.name}"
        if inner in lazy:
            continue
        if module.ispkg:
            _import_package(inner, lazy)
        else:
            _import(inner)


def _import(name: str) -> object:
    try:
        return importlib.import_module(name)
    except Exception:  # whatever it is, the call that needs the module says it
        return None
