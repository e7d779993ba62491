"""How each failure is worded and which exit code it has: the command line's one table of errors.

125 is a wrong option, and any failure of the engine under `run`; 126 and 127 are a command in the container that can
not be executed or is not there; 1 is everything else. Messages are Docker's, where it would add `Error response from
daemon: ` we write `Error: `, since there is no daemon.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from jubako.cli.call import Call
from jubako.cli.options import UnknownCommand, UsageError, WrongOperands
from jubako.errors import JubakoError, NotFound, PermissionDenied

BROKEN_PIPE = 128 + signal.SIGPIPE
INTERRUPTED = 128 + signal.SIGINT


class Exit(Exception):
    """Leave with this exit code after this message, which is printed as it stands."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def report(call: Call, error: BaseException) -> int:
    """Print the message for `error` and return the exit code."""
    match error:
        case UsageError():
            message, code = usage_message(call, error), error.code
        case Exit():
            message, code = error.message, error.code
        case SystemExit():
            return error.code if isinstance(error.code, int) else 1
        case KeyboardInterrupt():
            return INTERRUPTED
        case BrokenPipeError():
            return BROKEN_PIPE
        case _:
            message, code = describe(error), 1
            if call.debug:
                message = _traceback() + message
            message, code = _for_run(call, error, message) if runs(call) else (f"Error: {message}", code)
    _print(call, message)
    return code


def runs(call: Call) -> bool:
    return call.path in ("run", "container run")


def describe(error: BaseException) -> str:
    """The failure in words, without a prefix."""
    match error:
        case JubakoError():
            return f"{error.message}\n{error.hint}" if error.hint else error.message
        case OSError(strerror=str() as reason):
            names = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, (str, bytes))]
            return f"{' '.join(names)}: {_lower_first(reason)}" if names else _lower_first(reason)
        case UnicodeEncodeError():
            from jubako.spec.decoding import not_utf8

            return not_utf8(error)
    return f"internal error: {type(error).__name__}: {error} (jubako --debug shows where)"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _for_run(call: Call, error: BaseException, message: str) -> tuple[str, int]:
    return f"jubako: {message}\n\nRun 'jubako {call.path} --help' for more information", start_code(error)


def start_code(error: BaseException) -> int:
    """126 or 127 where the container's own command is at fault, else 125."""
    if isinstance(error, NotFound) and error.what == "executable":
        return 127
    if isinstance(error, PermissionDenied) and error.message.startswith("exec: "):
        return 126
    return 125


def usage_message(call: Call, error: UsageError) -> str:
    """The message, the usage line and where to read on, laid out as Docker does."""
    path = f"jubako {call.path}".rstrip()
    see = f"'{path} --help' for more information"
    usage = call.usage_lines(path) if call.usage_lines else f"{path} [OPTIONS] COMMAND [ARG...]"
    match error:
        case UnknownCommand():
            usage = f"Usage:  {path}\n\n" if call.path else ""
            return f"jubako: {error.message}\n\n{usage}Run {see}"
        case WrongOperands():
            # Docker says See where there is only a least number.
            least_only = " at least " in error.message and " at most " not in error.message
            verb = "See" if least_only else "Run"
            return f"jubako: {error.message}\n\nUsage:  {usage}\n\n{verb} {see}"
    return f"{error.message}\n\nUsage:  {usage}\n\nRun {see}"


def _traceback() -> str:
    import traceback

    return traceback.format_exc()


def _print(call: Call, message: str) -> None:
    if message:
        # Perhaps nobody reads our errors any more; the exit code still tells.
        with suppress(OSError):
            call.error(message)
