"""The Pod Security Standards: which control counts at which level, from which version on.

Invariant:    the order of the tables is the order in which violations are told.
Spec:         "Pod Security Standards".
"""

from __future__ import annotations

import msgspec

from jubako.cluster.apiserver.podsecurity import host, kernel, privileges, profiles, users, volumes
from jubako.cluster.apiserver.podsecurity.levels import Level, Standard
from jubako.cluster.apiserver.podsecurity.pod import Control, Pod, Violation

_WINDOWS = 25
"""From this version on a pod for Windows is not asked for what there is only on Linux."""
_OWN_USERS = 35
"""From this version on a pod with a user namespace may have root in it."""


class Row(msgspec.Struct, frozen=True):
    """A control and its forms: each counts from a minor version on, until the next does. `alone`: restricted has a
    stricter one in its place."""

    forms: tuple[tuple[int, Control], ...]
    alone: bool = False

    def check(self, pod: Pod, minor: int) -> Violation | None:
        fitting = [control for since, control in self.forms if since <= minor]
        return fitting[-1](pod) if fitting else None


def _unless_windows(control: Control) -> Control:
    return lambda pod: None if pod.is_windows else control(pod)


def _unless_own_users(control: Control) -> Control:
    return lambda pod: None if pod.has_own_users else control(pod)


def _only_own_users(control: Control) -> Control:
    """What baseline leaves to pods with a user namespace, restricted does not."""
    return lambda pod: control(pod) if pod.has_own_users else None


def _row(*forms: tuple[int, Control], alone: bool = False) -> Row:
    return Row(forms, alone)


_BASELINE = (
    _row((0, profiles.apparmor)),
    _row((0, privileges.usual_capabilities), alone=True),
    _row((0, host.host_namespaces)),
    _row((0, volumes.host_paths), alone=True),
    _row((0, host.host_ports)),
    _row((34, host.host_probes)),
    _row((0, privileges.privileged)),
    _row((0, kernel.proc_mount), (_OWN_USERS, _unless_own_users(kernel.proc_mount))),
    _row(*((since, profiles.selinux(since)) for since in (0, 31))),
    _row((0, profiles.seccomp_annotations), (19, profiles.seccomp), alone=True),
    _row(*((since, kernel.sysctls(since)) for since in (0, 27, 29, 32))),
    _row((0, host.host_process)),
)
_RESTRICTED = (
    *(row for row in _BASELINE if not row.alone),
    _row((8, privileges.escalation), (_WINDOWS, _unless_windows(privileges.escalation))),
    _row(
        (0, privileges.usual_capabilities),
        (22, privileges.least_capabilities),
        (_WINDOWS, _unless_windows(privileges.least_capabilities)),
    ),
    _row((_OWN_USERS, _only_own_users(kernel.proc_mount))),
    _row((0, volumes.restricted_volumes)),
    _row((0, users.non_root), (_OWN_USERS, _unless_own_users(users.non_root))),
    _row((23, users.no_root_user), (_OWN_USERS, _unless_own_users(users.no_root_user))),
    _row(
        (0, profiles.seccomp_annotations),
        (19, profiles.some_seccomp),
        (_WINDOWS, _unless_windows(profiles.some_seccomp)),
    ),
)
_ROWS: dict[Level, tuple[Row, ...]] = {"privileged": (), "baseline": _BASELINE, "restricted": _RESTRICTED}


def violations(standard: Standard, pod: Pod) -> list[Violation]:
    """Return what of a pod its standard does not allow."""
    found = (row.check(pod, standard.minor) for row in _ROWS[standard.level])
    return [each for each in found if each is not None]
