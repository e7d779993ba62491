"""Messages of one command: to --log FILE or standard error, as text or JSON, in the form that runc's callers parse.

podman and containerd read the last "error" of a JSON log for what to tell their user.
"""

from __future__ import annotations

import os
import re
import sys
import time

import msgspec

from jubako.errors import InvalidArgument

_PLAIN = r"[A-Za-z0-9._/@^+-]+"  # compiled by those that need it


class Log:
    """`path` "" is standard error. What is more than an error of the command itself may be lost, never in its way."""

    def __init__(self, path: str = "", kind: str = "text", *, verbose: bool = False) -> None:
        if kind not in ("text", "json", ""):
            raise InvalidArgument(f"invalid log-format: {kind}")
        self._path, self._json, self._verbose = path, kind == "json", verbose

    def error(self, message: str) -> None:
        """The command's failure; a person reads it on standard error, wherever the log is."""
        if self._path or self._json:
            self._write("error", message)
        if not self._json or self._path:
            sys.stderr.write(f"{message}\n" if self._path else f"jubako-oci: {message}\n")

    def warning(self, message: str) -> None:
        self._write("warning", message)

    def debug(self, message: str) -> None:
        if self._verbose:
            self._write("debug", message)

    def _write(self, level: str, message: str) -> None:
        line = self._line(level, message).encode()
        if not self._path:
            sys.stderr.buffer.write(line)
            sys.stderr.flush()
            return
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            sys.stderr.write(f"{self._path}: {error.strerror}\n")
            return
        try:
            os.write(fd, line)
        finally:
            os.close(fd)

    def _line(self, level: str, message: str) -> str:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        message = message.encode(errors="replace").decode()  # a path need not be text
        if self._json:
            return msgspec.json.encode({"level": level, "msg": message, "time": now}).decode() + "\n"
        shown = message if re.fullmatch(_PLAIN, message) else msgspec.json.encode(message).decode()
        return f'time="{now}" level={level} msg={shown}\n'
