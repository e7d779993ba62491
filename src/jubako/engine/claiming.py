"""Claiming what only one can have, addresses and ports, for a container or pod that starts."""

from __future__ import annotations

from collections.abc import Callable

from jubako.engine.drivers import Drivers
from jubako.errors import AlreadyExists


def claim(drivers: Drivers, recorded: Callable[[], None]) -> None:
    """Call `recorded`, which reserves and records, in a transaction; raises AlreadyExists for what another one has.

    That one may have died unnoticed: what the dead had is given back, and then it is called once more.
    """
    try:
        _once(drivers, recorded)
    except AlreadyExists:
        from jubako.engine.collection import reconcile

        reconcile(drivers)
        _once(drivers, recorded)


def _once(drivers: Drivers, recorded: Callable[[], None]) -> None:
    with drivers.store.records.transaction():
        recorded()
