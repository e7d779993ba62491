"""The commands that a keeper may be there for, each installed as a front of its own, with a keeper of its own.

                jubako                                          jubako-oci
container       descends from the call, a child of the keeper   descends from the front (front.py)
caller's group  must be the keeper's                            root's may differ (place.py)
front is killed the call is hung up on, and tidies up           the call is killed: it is the front that was meant
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from typing import NamedTuple

from jubako.cli.keeper import rehearsal


class Program(NamedTuple):
    """`packages` and `modules` are imported before the first call, without `lazy` ones; `cold` are commands that no
    keeper should run.

    `with_value` are the options before a command that take a value. `hang_up` is what the kernel sends to a call whose
    front is gone, and what instead if it ignores that.
    """

    name: str
    packages: Sequence[str]
    modules: Sequence[str]
    lazy: frozenset[str]
    cold: frozenset[str]
    with_value: frozenset[str]
    main: Callable[[list[str]], int]
    rehearse: Callable[[str], None]
    hang_up: tuple[int, int]
    by_front: bool

    def any_group(self) -> bool:
        """Whether a caller may be in other control groups than the keeper."""
        return self.by_front and os.geteuid() == 0


def _jubako(arguments: list[str]) -> int:
    from jubako.cli import main

    return main(arguments, ending=True)


def _jubako_oci(arguments: list[str]) -> int:
    from jubako.runtime.oci_cli import main

    return main(arguments)


def _rehearse_run(directory: str) -> None:
    rehearsal.go_through_run(f"{directory}/root", f"{directory}/run")


# All that short commands use. What only long work needs (archives, registries, builds, rich, aiohttp) is not worth its
# memory, and is imported by the call that needs it.
JUBAKO = Program(
    name="jubako",
    packages=[
        "jubako.cli",
        "jubako.engine",
        "jubako.runtime",
        "jubako.network",
        "jubako.snapshot",
        "jubako.store",
        "jubako.volume",
        "jubako.linux",
    ],
    modules=["encodings.ascii", "json", "jubako.build", "jubako.python", "termios", "traceback", "tty"],
    # They import HTTP, TLS and YAML. And the keeper itself is no call's.
    lazy=frozenset({"jubako.cli.kube", "jubako.cli.keeper"}),
    # These live long or need a controlling terminal of their own: they run as the caller's own process.
    cold=frozenset({"login", "registry"}),
    with_value=frozenset({"--root", "--run-root"}),
    main=_jubako,
    rehearse=_rehearse_run,
    hang_up=(signal.SIGHUP, signal.SIGTERM),
    by_front=False,
)
JUBAKO_OCI = Program(
    name="jubako-oci",
    packages=["jubako.runtime", "jubako.linux"],
    modules=["encodings.ascii", "json", "shutil", "subprocess", "termios", "traceback", "tty"],
    lazy=frozenset(),
    # criu is to be the call's own child, and what it restores that of the call's caller.
    cold=frozenset({"checkpoint", "restore"}),
    with_value=frozenset({"--root", "--log", "--log-format", "--criu", "--rootless"}),
    main=_jubako_oci,
    rehearse=rehearsal.go_through_bundle,
    hang_up=(signal.SIGKILL, signal.SIGKILL),
    by_front=True,
)
PROGRAMS = {program.name: program for program in (JUBAKO, JUBAKO_OCI)}
