"""systemd's manager over D-Bus: transient scopes. The one place that knows its interface.

Root talks to the system's manager, anybody else to its own (`systemd --user`), also from a user namespace of its own.
A job is waited for: its end is a signal that may come before the call that queued it returns, so it is listened for
first.

Spec: org.freedesktop.systemd1(5); D-Bus specification.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from jubako.errors import FailedPrecondition, Unavailable
from jubako.linux import dbus, userns

if TYPE_CHECKING:
    from jeepney.low_level import Message

Property = tuple[str, tuple[str, Any]]
"""Name, and a D-Bus variant: signature and value."""

_TIMEOUT_S = 30.0
_BOOTED = "/run/systemd/system"
_NAME, _PATH, _INTERFACE = "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
_GONE = ("NoSuchUnit", "UnitNotLoaded")


def runs() -> bool:
    """Whether systemd is this system's init: sd_booted(3)."""
    return os.path.isdir(_BOOTED)


def is_users() -> bool:
    """Whether it is an ordinary user's manager that this process talks to. Root of a user namespace is such a user
    outside, or a system of its own within."""
    if userns.user() != 0:
        return True
    return userns.outer_user() != 0 and os.path.exists(_users_bus())


def address() -> str:
    """Of the bus to talk on."""
    if is_users():
        return os.environ.get("DBUS_SESSION_BUS_ADDRESS") or f"unix:path={_users_bus()}"
    return os.environ.get("DBUS_SYSTEM_BUS_ADDRESS") or "unix:path=/run/dbus/system_bus_socket"


def _users_bus() -> str:
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{userns.outer_user()}"
    return f"{runtime}/bus"


class Systemd:
    """A connection, which its `with` block closes."""

    def __init__(self) -> None:
        if not runs():
            raise FailedPrecondition(f"systemd does not run here ({_BOOTED} is missing)")
        try:
            self._bus = dbus.connect(address())
        except (OSError, ValueError) as error:
            raise Unavailable(f"cannot reach systemd over the bus {address()}: {error}") from None

    def __enter__(self) -> Systemd:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bus.close()

    def control_group(self) -> str:
        """The group beneath which the manager's slices lie: "" for the system's."""
        from jeepney import DBusAddress, Properties

        manager = DBusAddress(_PATH, bus_name=_NAME, interface=_INTERFACE)
        group: str = self._send(Properties(manager).get("ControlGroup"))[0][1]
        return group

    def start_scope(self, unit: str, properties: Sequence[Property]) -> None:
        """Make the scope of the processes that the property PIDs names."""
        self._job(unit, "StartTransientUnit", "ssa(sv)a(sa(sv))", (unit, "fail", properties, []))

    def stop(self, unit: str) -> None:
        """Idempotent."""
        self._job(unit, "StopUnit", "ss", (unit, "replace"), gone=True)

    def set_properties(self, unit: str, properties: Sequence[Property]) -> None:
        """Change them until the unit ends."""
        self._call("SetUnitProperties", "sba(sv)", (unit, True, properties))

    def _job(self, unit: str, method: str, signature: str, body: tuple[Any, ...], *, gone: bool = False) -> None:
        """Queue a job and wait for its end."""
        from jeepney import MatchRule, message_bus

        rule = MatchRule(type="signal", interface=_INTERFACE, member="JobRemoved", path=_PATH)
        self._send(message_bus.AddMatch(rule))
        self._call("Subscribe", None, ())
        with self._bus.filter(rule, bufsize=None) as ended:
            try:
                job = self._call(method, signature, body)[0]
            except FailedPrecondition as error:
                if gone and str(error.__cause__).rpartition(".")[2] in _GONE:
                    return
                raise
            result = "none"
            while result == "none":
                with _in_time():
                    _, path, _, outcome = self._bus.recv_until_filtered(ended, timeout=_TIMEOUT_S).body
                result = outcome if path == job else "none"
        if result != "done":
            raise FailedPrecondition(f"systemd: {method} of {unit} has ended with {result!r}")

    def _call(self, method: str, signature: str | None, body: tuple[Any, ...]) -> tuple[Any, ...]:
        from jeepney import DBusAddress, new_method_call

        manager = DBusAddress(_PATH, bus_name=_NAME, interface=_INTERFACE)
        return self._send(new_method_call(manager, method, signature, body))

    def _send(self, message: Message) -> tuple[Any, ...]:
        from jeepney import DBusErrorResponse
        from jeepney.wrappers import unwrap_msg

        try:
            with _in_time():
                reply: tuple[Any, ...] = unwrap_msg(self._bus.send_and_get_reply(message, timeout=_TIMEOUT_S))
        except DBusErrorResponse as error:
            text = error.data[0] if error.data else error.name
            raise FailedPrecondition(f"systemd: {text}") from Exception(error.name)
        return reply


@contextmanager
def _in_time() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Unavailable(f"systemd does not answer within {_TIMEOUT_S:.0f} s") from None
