"""Classic BPF, interpreted, and libseccomp's own programs to compare ours with."""

from __future__ import annotations

import ctypes
import ctypes.util
import errno
import os
import struct
from collections.abc import Iterable, Sequence

from jubako.runtime.seccomp_arch import Arch
from jubako.runtime.seccomp_rules import Rule

ALLOW, KILL_PROCESS, KILL_THREAD = 0x7FFF0000, 0x80000000, 0
X86_64, X86, AARCH64 = 0xC000003E, 0x40000003, 0xC00000B7
ENOSYS = 0x00050000 | errno.ENOSYS


def error(number: int) -> int:
    return 0x00050000 | number


def interpret(program: bytes, arch: int, number: int, *arguments: int) -> int:
    """What the program returns; it is little-endian, as the machine."""
    data = struct.pack("=IIQ6Q", number, arch, 0, *arguments, *[0] * (6 - len(arguments)))
    code = list(struct.iter_unpack("=HBBI", program))
    at, register = 0, 0
    while True:
        operation, jump_true, jump_false, k = code[at]
        at += 1
        match operation:
            case 0x20:
                register = struct.unpack_from("=I", data, k)[0]
            case 0x54:
                register &= k
            case 0x05:
                at += k
            case 0x15:
                at += jump_true if register == k else jump_false
            case 0x25:
                at += jump_true if register > k else jump_false
            case 0x35:
                at += jump_true if register >= k else jump_false
            case 0x06:
                return int(k)
            case _:
                raise AssertionError(operation)


class _Comparison(ctypes.Structure):
    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    ]


_OPERATORS = {"NE": 1, "LT": 2, "LE": 3, "EQ": 4, "GE": 5, "GT": 6, "MASKED_EQ": 7}
_X32 = 0x4000003E


class Refused(Exception):
    """libseccomp takes a rule for a contradiction."""


class Libseccomp:
    def __init__(self) -> None:
        """Raises OSError where it is not installed."""
        self._library = library = ctypes.CDLL("libseccomp.so.2")
        library.seccomp_init.restype = ctypes.c_void_p
        library.seccomp_init.argtypes = [ctypes.c_uint32]
        library.seccomp_release.argtypes = [ctypes.c_void_p]
        library.seccomp_arch_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
        library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
        library.seccomp_rule_add_array.argtypes = [
            ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p,
        ]  # fmt: skip
        library.seccomp_syscall_resolve_name_arch.argtypes = [ctypes.c_uint32, ctypes.c_char_p]

    def knows(self, arch: Arch) -> bool:
        return self.number(arch, "read") > -1

    def number(self, arch: Arch, name: str) -> int:
        """Negative for what it does not know, or knows only from other architectures."""
        return int(self._library.seccomp_syscall_resolve_name_arch(self._token(arch), name.encode()))

    def program(self, default: int, arches: Iterable[Arch], rules: Sequence[Rule]) -> bytes:
        """As runc makes it: rules that say what the default says, or name what is unknown, are left out."""
        context = self._library.seccomp_init(default)
        try:
            for arch in arches:
                assert self._library.seccomp_arch_add(context, self._token(arch)) in (0, -errno.EEXIST)
            for rule in rules:
                number = self._library.seccomp_syscall_resolve_name(rule.name.encode())
                if rule.action != default and number != -1:
                    self._add(context, number, rule)
            return self._export(context)
        finally:
            self._library.seccomp_release(context)

    def _token(self, arch: Arch) -> int:
        return _X32 if arch.name == "SCMP_ARCH_X32" else arch.audit

    def _add(self, context: int, number: int, rule: Rule) -> None:
        comparisons = [(one.index, _OPERATORS[one.op], one.value, one.second) for one in rule.conditions]
        array = (_Comparison * len(comparisons))(*[_Comparison(*one) for one in comparisons])
        if self._library.seccomp_rule_add_array(context, rule.action, number, len(comparisons), array):
            raise Refused

    def _export(self, context: int) -> bytes:
        fd = os.memfd_create("filter")
        try:
            assert self._library.seccomp_export_bpf(context, fd) == 0
            return os.pread(fd, 1 << 20, 0)
        finally:
            os.close(fd)
