"""Base images without a registry: from a distribution's packages, or from the host's static busybox.

Every child process runs in mount and pid namespaces of its own, so that an interrupted bootstrap leaves no mount and no
process; its files are in a layer draft, which collection takes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from jubako.engine import files
from jubako.engine.drivers import Drivers
from jubako.errors import FailedPrecondition, InvalidArgument, Unavailable
from jubako.image import platform, reference
from jubako.image.catalog import Image
from jubako.image.compose import write_image
from jubako.image.layer import pack_blob
from jubako.spec import clock
from jubako.spec.oci_image import ContainerConfig, History, ImageConfig, RootFS

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SLIM = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*")
_MIRRORS = {"debian": "http://deb.debian.org/debian", "ubuntu": "http://archive.ubuntu.com/ubuntu"}
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")
Filler = Callable[[Path], None]


def bootstrap(
    drivers: Drivers, name: str, *, include: Sequence[str] = (), mirror: str | None = None, tag: str | None = None
) -> Image:
    """Make a base image called `name` (`debian:bookworm-slim`, `ubuntu:noble`, `busybox`) and return it.

    `include` names packages to add, `tag` another name for the result. Raises InvalidArgument for a distribution that
    is not known, FailedPrecondition where the host lacks the tool, Unavailable when the packages cannot be had.
    """
    parsed = reference.parse(name)
    distribution = parsed.path.removeprefix("library/")
    label = tag or name
    if distribution == "busybox":
        return _commit(drivers, label, _busybox, "busybox-static from the host", ["sh"])
    if distribution not in _MIRRORS:
        raise InvalidArgument(
            f"cannot bootstrap {name}: known are busybox, {', '.join(f'{d}:SUITE' for d in _MIRRORS)}"
        )
    suite = parsed.tag or ""
    if suite in ("", "latest"):
        raise InvalidArgument(f"cannot bootstrap {name}: name the suite, such as debian:bookworm-slim")
    unfit = [package for package in include if not _PACKAGE.fullmatch(package)]
    if unfit:
        raise InvalidArgument(f"invalid package name: {unfit[0]!r}")

    def fill(directory: Path) -> None:
        _distribution(directory, distribution, suite, include, mirror)

    packages = f" with {', '.join(include)}" if include else ""
    return _commit(drivers, label, fill, f"{distribution} {suite}{packages} from packages", ["bash"])


def _commit(drivers: Drivers, name: str, fill: Filler, comment: str, command: list[str]) -> Image:
    store = drivers.store
    with store.leases.hold("bootstrap") as lease, drivers.snapshots.new_layer() as draft:
        fill(draft.path)
        layer, diff_id = pack_blob(draft.fd, store.blobs)
        lease.add(layer.digest)
        draft.commit(diff_id)
        lease.add(diff_id)
        host = platform.host()
        config = ImageConfig(
            created=clock.stamp(),
            architecture=host.architecture,
            os=host.os,
            variant=host.variant,
            config=ContainerConfig(env=[_PATH], cmd=command),
            rootfs=RootFS(diff_ids=[diff_id]),
            history=[History(created=clock.stamp(), created_by="jubako image bootstrap", comment=comment)],
        )
        target = write_image(store, config, [layer])
        lease.add(target.digest)
        drivers.images.put(name, target)
    return drivers.images.resolve(name)


def _busybox(directory: Path) -> None:
    binary = next((path for path in ("/bin/busybox", "/usr/bin/busybox") if Path(path).exists()), None)
    if not binary:
        raise FailedPrecondition("busybox is not installed", hint="apt-get install busybox-static")
    if b"INTERP" in _run(["readelf", "-lW", binary]) if shutil.which("readelf") else False:
        raise FailedPrecondition(f"{binary} is not static", hint="apt-get install busybox-static")
    for name, mode in {
        "bin": 0o755,
        "dev": 0o755,
        "etc": 0o755,
        "home": 0o755,
        "proc": 0o555,
        "root": 0o700,
        "sys": 0o555,
        "tmp": 0o1777,
        "usr/bin": 0o755,
        "var/tmp": 0o1777,
        "run": 0o755,
    }.items():
        (directory / name).mkdir(parents=True, exist_ok=True)
        (directory / name).chmod(mode)
    shutil.copyfile(binary, directory / "bin/busybox")
    (directory / "bin/busybox").chmod(0o755)
    for applet in _run([binary, "--list"]).decode().split():
        if applet != "busybox":
            os.link(directory / "bin/busybox", directory / "bin" / applet)
    (directory / "usr/bin/env").symlink_to("/bin/env")
    for name in files.NAMES:  # mounted over in each container: there, nothing has to be made for that
        (directory / "etc" / name).touch()
    (directory / "etc/passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
        "www-data:x:33:33:www-data:/var/www:/bin/false\n"
        "nobody:x:65534:65534:nobody:/home:/bin/false\n"
    )
    (directory / "etc/group").write_text("root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:\n")


def _distribution(directory: Path, distribution: str, suite: str, include: Sequence[str], mirror: str | None) -> None:
    codename, _, flavour = suite.partition("-")
    if flavour not in ("", "slim"):
        raise InvalidArgument(f"unknown flavour {flavour!r} of {distribution}: only -slim is known")
    source = mirror or _host_mirror(distribution) or _MIRRORS[distribution]
    if shutil.which("mmdebstrap"):
        command = ["mmdebstrap", "--mode=root", "--format=directory", "--variant=minbase"]
        command += [f"--dpkgopt=path-exclude={pattern}" for pattern in _SLIM if flavour]
        command += [f"--include={','.join(include)}"] if include else []
        command += [codename, str(directory), source]
    elif shutil.which("debootstrap"):
        command = ["debootstrap", "--variant=minbase"]
        command += [f"--include={','.join(include)}"] if include else []
        command += [codename, str(directory), source]
    else:
        raise FailedPrecondition("neither mmdebstrap nor debootstrap is installed", hint="apt-get install mmdebstrap")
    # With namespaces of its own, a killed bootstrap takes its mounts and processes with it.
    _run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", *command])
    for leftover in ("var/cache/apt/pkgcache.bin", "var/cache/apt/srcpkgcache.bin", "etc/hostname", "etc/resolv.conf"):
        (directory / leftover).unlink(missing_ok=True)


def _host_mirror(distribution: str) -> str | None:
    """The first mirror that the host's own apt uses for this distribution: it is reachable from here."""
    candidates = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob(f"{distribution}*"))]
    for path in candidates:
        if not path.exists():
            continue
        for line in path.read_text().splitlines():
            match = re.search(r"^(?:URIs:|deb)\s.*?(https?://\S+)", line)
            if match and f"/{distribution}" in match[1] and "security" not in match[1]:
                return match[1]
    return None


def _run(command: list[str]) -> bytes:
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        tool = command[0] if command[0] != "unshare" else command[7]
        raise Unavailable(f"{tool} failed: {_cause(done.stdout + done.stderr) or f'exit status {done.returncode}'}")
    return done.stdout


def _cause(written: bytes) -> str:
    """apt's first error, from which the others follow; the last lines where it tells none."""
    lines = written.decode(errors="replace").strip().splitlines()
    errors = [line.removeprefix("E: ") for line in lines if line.startswith("E: ")]
    return errors[0] if errors else " / ".join(lines[-3:])
