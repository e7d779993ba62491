"""Write src/jubako/runtime/data/syscalls/<architecture>.json from the kernel's own headers.

The headers of all architectures are one Debian package, unpacked anywhere; s390 has left the kernel, so that its
table comes from an older one's:

    dpkg-deb -x linux-libc-dev_7.2.13-1_all.deb NEW; dpkg-deb -x linux-libc-dev-s390x-cross_6.1.4-1cross1_all.deb OLD
    python scripts/syscalls.py NEW/usr/lib/linux/uapi OLD/usr/s390x-linux-gnu/include
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "src" / "jubako" / "runtime" / "data" / "syscalls"

# Architecture: the kernel's directory, the header, what the preprocessor must know.
HEADERS = {
    "aarch64": ("arm64", "unistd_64.h", ()),
    "arm": ("arm", "unistd.h", ("__ARM_EABI__",)),
    "loongarch64": ("loongarch", "unistd_64.h", ()),
    "m68k": ("m68k", "unistd_32.h", ()),
    "mips": ("mips", "unistd_o32.h", ("__NR_Linux=4000",)),
    "mips64": ("mips", "unistd_n64.h", ("__NR_Linux=5000",)),
    "mips64n32": ("mips", "unistd_n32.h", ("__NR_Linux=6000",)),
    "parisc": ("parisc", "unistd_32.h", ()),
    "parisc64": ("parisc", "unistd_64.h", ()),
    "ppc": ("powerpc", "unistd_32.h", ()),
    "ppc64": ("powerpc", "unistd_64.h", ()),
    "riscv64": ("riscv", "unistd_64.h", ()),
    "s390": ("s390", "unistd_32.h", ()),
    "s390x": ("s390", "unistd_64.h", ()),
    "sh": ("sh", "unistd_32.h", ()),
    "x32": ("x86", "unistd_x32.h", ("__X32_SYSCALL_BIT=0x40000000",)),
    "x86": ("x86", "unistd_32.h", ()),
    "x86_64": ("x86", "unistd_64.h", ()),
}
_NOT_CALLS = {"Linux", "SYSCALL_BASE", "OABI_SYSCALL_BASE", "SYSCALL_MASK", "BASE", "syscalls"}


def preprocess(include: Path, options: list[str], text: str) -> str:
    command = ["cpp", "-nostdinc", "-undef", "-P", *options, f"-I{include}", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def table(include: Path, header: str, defined: tuple[str, ...]) -> dict[str, int]:
    """Name -> number; the preprocessor expands what is defined by other names."""
    options = [f"-D{one}" for one in defined]
    source = f"#include <asm/{header}>\n"
    names = set(re.findall(r"#define (__(?:ARM_)?NR_\w+)", preprocess(include, [*options, "-dM"], source)))
    wanted = sorted(name for name in names if name.split("NR_", 1)[1] not in _NOT_CALLS)
    expanded = preprocess(
        include, options, source + "".join(f"@{name.split('NR_', 1)[1]} = {name}\n" for name in wanted)
    )
    found = re.findall(r"@(\w+) = ([()+0-9xa-fA-F ]+)$", expanded, re.M)
    assert len(found) == len(wanted), header
    return {name: sum(int(part, 0) for part in re.findall(r"\w+", value)) for name, value in found}


def render(calls: dict[str, int]) -> str:
    ordered = sorted(calls.items(), key=lambda call: (call[1], call[0]))
    words = ", ".join(f"{json.dumps(name)}:~{number}" for name, number in ordered)
    return "{\n" + textwrap.fill(words, 120, break_long_words=False, break_on_hyphens=False).replace("~", " ") + "\n}\n"


def main(new: Path, old_s390: Path) -> None:
    TARGET.mkdir(exist_ok=True)
    for arch, (directory, header, defined) in HEADERS.items():
        include = old_s390 if arch == "s390" else new / directory
        (TARGET / f"{arch}.json").write_text(render(table(include, header, defined)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
