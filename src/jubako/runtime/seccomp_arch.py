"""The architectures that a filter can tell apart, and their system calls' numbers.

The tables in data/syscalls/ are the kernel's own: scripts/syscalls.py makes them of its headers.

Spec: OCI runtime-spec, config-linux.md, "Seccomp"; linux/audit.h (AUDIT_ARCH_*).
"""

from __future__ import annotations

import functools
import os
import sys

import msgspec

from jubako.errors import InvalidArgument
from jubako.spec import decoding

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
X32_BIT = 0x40000000
_WIDE, _LITTLE = 0x80000000, 0x40000000

SOCKET_CALLS = (
    "socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown "
    "setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg"
).split()
_IPC_CALLS = {
    **dict(zip("semop semget semctl semtimedop".split(), range(1, 5), strict=True)),
    **dict(zip("msgsnd msgrcv msgget msgctl".split(), range(11, 15), strict=True)),
    **dict(zip("shmat shmdt shmget shmctl".split(), range(21, 25), strict=True)),
}


class Arch(msgspec.Struct, frozen=True):
    """`audit` is what the kernel calls it; arguments are compared as `bits` wide; `docker` is its name in the
    conditions of Docker's profiles."""

    name: str
    audit: int
    table: str
    bits: int
    docker: str = ""

    @property
    def little(self) -> bool:
        return bool(self.audit & _LITTLE)


def _of(name: str, audit: int, table: str = "", docker: str = "") -> Arch:
    # MIPS' N32 has 64-bit registers, but arguments of 32 bits; x32 as well, and x86_64's audit number.
    wide = audit & _WIDE and not name.endswith(("N32", "X32"))
    return Arch(f"SCMP_ARCH_{name}", audit, table or name.lower(), 64 if wide else 32, docker or name.lower())


ARCHES = {
    arch.name: arch
    for arch in (
        _of("X86", 0x40000003),
        _of("X86_64", 0xC000003E, docker="amd64"),
        _of("X32", 0xC000003E),
        _of("ARM", 0x40000028),
        _of("AARCH64", 0xC00000B7, docker="arm64"),
        _of("LOONGARCH64", 0xC0000102, docker="loong64"),
        _of("M68K", 0x00000004),
        _of("MIPS", 0x00000008),
        _of("MIPSEL", 0x40000008, "mips"),
        _of("MIPS64", 0x80000008),
        _of("MIPSEL64", 0xC0000008, "mips64"),
        _of("MIPS64N32", 0xA0000008),
        _of("MIPSEL64N32", 0xE0000008, "mips64n32"),
        _of("PARISC", 0x0000000F),
        _of("PARISC64", 0x8000000F),
        _of("PPC", 0x00000014),
        _of("PPC64", 0x80000015),
        _of("PPC64LE", 0xC0000015, "ppc64"),
        _of("RISCV64", 0xC00000F3),
        _of("S390", 0x00000016),
        _of("S390X", 0x80000016),
        _of("SH", 0x4000002A),
        _of("SHEB", 0x0000002A, "sh"),
    )
}
_MACHINES = {"i386": "X86", "i486": "X86", "i586": "X86", "i686": "X86", "sh4": "SH", "sh4a": "SH"}


def native(machine: str) -> Arch:
    """The architecture of `machine` (uname -m)."""
    name = _MACHINES.get(machine, machine.upper())
    if name.startswith("ARMV"):
        name = "ARM"
    elif name in ("MIPS", "MIPS64") and sys.byteorder == "little":
        name = name.replace("MIPS", "MIPSEL")
    if f"SCMP_ARCH_{name}" not in ARCHES:
        raise InvalidArgument(f"seccomp filters for {machine} are not supported")
    return ARCHES[f"SCMP_ARCH_{name}"]


def named(name: str) -> Arch:
    if name not in ARCHES:
        raise InvalidArgument(f"string {name} is not a valid arch for seccomp")
    return ARCHES[name]


@functools.cache
def numbers(table: str) -> dict[str, int]:
    with open(os.path.join(DATA, "syscalls", f"{table}.json"), "rb") as file:
        return decoding.decode(file.read(), dict[str, int])


def multiplexed(arch: Arch, name: str) -> tuple[int, int] | None:
    """(number of the call that stands for many, which of them it is by its first argument), where `name` is such a one.

    Where there is a call of its own as well, that came later, and programs use both.
    """
    table = numbers(arch.table)
    if name in SOCKET_CALLS and "socketcall" in table:
        return table["socketcall"], SOCKET_CALLS.index(name) + 1
    if name in _IPC_CALLS and "ipc" in table:
        return table["ipc"], _IPC_CALLS[name]
    return None
