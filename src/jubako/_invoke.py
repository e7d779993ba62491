"""Run a command line's main() as a process's only work, and say how it ended."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

# Imports and short commands make many objects and no garbage; at Python's 700, collecting is a twelfth of a cold call.
FEW_COLLECTIONS = 30_000

Main = Callable[[list[str]], int]


def invoke(main: Main, arguments: list[str]) -> int:
    """Return the exit code, or minus the signal that an interpreter of its own would have died by."""
    gc.set_threshold(FEW_COLLECTIONS)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _Interrupts())
    try:
        status = main(arguments)
    except KeyboardInterrupt:
        status = -signal.SIGINT
    except SystemExit as exit_:
        status = _code_of(exit_)
    except BrokenPipeError:
        status = -signal.SIGPIPE
    except BaseException:  # the outermost frame of a process
        sys.excepthook(*sys.exc_info())
        status = 1
    return _wind_up(status)


class _Interrupts:
    """Lets a command end in its own way when it is interrupted, and ends it where it stands at the third time.

    What it leaves then, a later command collects, as after SIGKILL.
    """

    def __init__(self) -> None:
        self._left = 3

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._left -= 1
        if not self._left:
            die(-number)
        signal.default_int_handler(number, frame)


def die(status: int) -> NoReturn:
    """End this process with what invoke() returned, without the interpreter's 2 to 4 ms of taking itself down."""
    if status >= 0:
        os._exit(status & 0xFF)
    signal.signal(-status, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [-status])
    os.kill(os.getpid(), -status)
    os._exit(128 - status)


def _code_of(exit_: SystemExit) -> int:
    if exit_.code is None:
        return 0
    if isinstance(exit_.code, int):
        return exit_.code & 0xFF
    print(exit_.code, file=sys.stderr)  # noqa: T201 - what Python does with SystemExit("text")
    return 1


def _wind_up(status: int) -> int:
    """Do what the interpreter does at its end: wait for threads, run what atexit holds, flush."""
    if threading := sys.modules.get("threading"):
        threading._shutdown()
    if atexit := sys.modules.get("atexit"):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            status = -signal.SIGPIPE if status == 0 else status
        except (OSError, ValueError):
            status = status or 120  # as Python's own end does
    return status
