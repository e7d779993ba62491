"""Builds the C programs, and installs the front as the commands themselves.

pyproject.toml says everything else. Two build steps are ours:

build_native   compiles the executor and the front, static and stripped, into jubako/_bin/.
build_scripts  puts the front into bin/ as `jubako` and `jubako-oci`: an installer copies a script that does not
               begin with `#!python` byte for byte, so the command is the ELF file, with no Python wrapper before it.
               The third script, `jubako-python`, does begin so: the installer writes the interpreter's path into its
               first line, and there the front finds its Python where none stands beside it.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Command, Distribution, setup  # before distutils, which it provides
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build import build

from distutils.command.build_scripts import build_scripts  # isort: skip

TOP = Path(__file__).resolve().parent
EXECUTOR = TOP / "executor"
FRONT = "jubako-front"
COMMANDS = ("jubako", "jubako-oci")


def compiler() -> list[str]:
    """Return $CC, or musl-gcc where it is installed, or cc.

    A static program of musl is a tenth in size and starts 0.5 ms sooner: glibc asks the processor for its caches first,
    by an instruction that a virtual machine traps.
    """
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    if (musl := shutil.which("musl-gcc")) and (headers := kernel_headers()):
        return [musl, *headers]
    for name in ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return [found]
    raise SystemExit("jubako: a C compiler is needed to build; on Debian or Ubuntu: apt install gcc libc6-dev make")


def kernel_headers() -> list[str]:
    """Return options for the kernel's headers, which stand among glibc's where musl-gcc does not look; [] if none."""
    common = Path("/usr/include")
    directories = [common, common / f"{platform.machine()}-linux-gnu"]
    if not any((path / "asm" / "types.h").exists() for path in directories):
        return []
    return [word for path in directories if path.is_dir() for word in ("-idirafter", str(path))]


def build_id() -> str:
    """Return a hash of all that is installed: a keeper serves only the code that it was built with."""
    digest = hashlib.sha256()
    sources = [*TOP.glob("src/jubako/**/*.py"), *EXECUTOR.glob("**/*.[ch]"), Path(__file__)]
    for path in sorted(sources):
        digest.update(f"{path.relative_to(TOP)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


class BuildNative(Command):
    """Compile into build_lib, or in an editable install into the source tree."""

    description = "compile the executor and the front"
    user_options: list[tuple[str, str | None, str]] = []
    editable_mode = False

    def initialize_options(self) -> None:
        self.build_lib: str | None = None
        self.build_temp: str | None = None

    def finalize_options(self) -> None:
        self.set_undefined_options("build", ("build_lib", "build_lib"), ("build_temp", "build_temp"))

    @property
    def out(self) -> Path:
        package = TOP / "src" if self.editable_mode else Path(str(self.build_lib)).absolute()
        return package / "jubako" / "_bin"

    def run(self) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        work = Path(str(self.build_temp)).absolute() / "native"
        version = self.distribution.get_version()
        flags = f'-DJUBAKO_VERSION=\\"{version}\\" -DJUBAKO_BUILD=\\"{build_id()}\\"'
        self.make("front", work / "front", f"DEFINES={flags}")
        self.install(work / "front" / FRONT)
        self.make(".", work / "executor")
        self.install(work / "executor" / "executor")

    def make(self, directory: str, work: Path, *variables: str) -> None:
        work.mkdir(parents=True, exist_ok=True)
        command = ["make", "-s", "-C", str(EXECUTOR / directory), f"OUT={work}", f"CC={shlex.join(compiler())}"]
        subprocess.run([*command, *variables], check=True)

    def install(self, program: Path) -> None:
        # A running program can not be overwritten (ETXTBSY), so the new file takes the old one's name.
        fresh = self.out / f".{program.name}.new"
        shutil.copy2(program, fresh)
        fresh.chmod(0o755)
        fresh.replace(self.out / program.name)

    def get_outputs(self) -> list[str]:
        return [] if self.editable_mode else [str(path) for path in sorted(self.out.iterdir())]

    def get_output_mapping(self) -> dict[str, str]:
        return {}

    def get_source_files(self) -> list[str]:
        found = [path for pattern in ("**/*.[ch]", "**/Makefile", "**/*.md") for path in EXECUTOR.glob(pattern)]
        return [str(path.relative_to(TOP)) for path in sorted(found)]


class BuildScripts(build_scripts):
    """Write the front under its command names, and the script that names the interpreter."""

    def run(self) -> None:
        self.run_command("build_native")
        native = self.get_finalized_command("build_native")
        target = Path(self.build_dir)
        target.mkdir(parents=True, exist_ok=True)
        for name in COMMANDS:
            shutil.copy2(native.out / FRONT, target / name)
        for script in self.scripts:
            shutil.copy2(TOP / script, target / Path(script).name)
        for path in target.iterdir():
            path.chmod(0o755)


class Build(build):
    sub_commands = [*build.sub_commands[:1], ("build_native", None), *build.sub_commands[1:]]

    def run(self) -> None:
        # What an earlier build left there, a module that is gone since for one, would end in the wheel.
        shutil.rmtree(str(self.build_lib), ignore_errors=True)
        super().run()


class NativeDistribution(Distribution):
    def has_ext_modules(self) -> bool:
        return True


class PlatformWheel(bdist_wheel):
    """The programs are static and no extension module is ours: any Python 3, one platform."""

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


if sys.platform != "linux":
    raise SystemExit("jubako: containers need Linux")

setup(
    distclass=NativeDistribution,
    scripts=["executor/front/jubako-python"],
    cmdclass={
        "bdist_wheel": PlatformWheel,
        "build": Build,
        "build_native": BuildNative,
        "build_scripts": BuildScripts,
    },
)
