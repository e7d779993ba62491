"""The executor's own plan decoder, called from here: plan.c as a library."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

EXECUTOR = Path(__file__).resolve().parents[3] / "executor"


class _Operation(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("strings", ctypes.c_uint16),
        ("last_length", ctypes.c_uint32),
        ("integers", ctypes.POINTER(ctypes.c_int64)),
        ("string", ctypes.POINTER(ctypes.c_char_p)),
    )


class _Plan(ctypes.Structure):
    _fields_ = (
        ("operations_count", ctypes.c_size_t),
        ("strings_count", ctypes.c_size_t),
        ("operations", _Operation * 4096),
        ("strings", ctypes.c_void_p * 65536),
    )


class Decoder:
    def __init__(self, directory: Path) -> None:
        library = directory / "plan.so"
        sources = [str(EXECUTOR / "plan.c"), "-o", str(library)]
        subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-shared", "-fPIC", *sources], check=True)
        self._decode = ctypes.CDLL(str(library), use_errno=True).plan_decode

    def codes(self, plan: bytes) -> list[int]:
        """The codes of the operations in `plan`; raises OSError as the executor refuses it."""
        words = (ctypes.c_uint64 * (len(plan) // 8 + 1))()
        ctypes.memmove(words, plan, len(plan))
        decoded = _Plan()
        if self._decode(words, ctypes.c_size_t(len(plan)), ctypes.byref(decoded)) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return [operation.code for operation in decoded.operations[: decoded.operations_count]]
