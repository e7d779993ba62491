"""Inputs for the rows: root filesystems, archives and build contexts; and readings from /proc."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path


def busybox_rootfs(path: Path) -> Path:
    """A directory with the host's static busybox as /bin/busybox and /bin/true."""
    for name in ("bin", "proc", "dev", "sys", "tmp"):
        (path / name).mkdir(parents=True, exist_ok=True)
    (path / "bin/busybox").write_bytes(Path("/bin/busybox").read_bytes())
    (path / "bin/busybox").chmod(0o755)
    (path / "bin/true").symlink_to("busybox")
    return path


def image_of_many_files(work: Path, count: int) -> Path:
    """A docker-archive `many:1` with one gzip layer of `count` small files in directories of a hundred."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for number in range(count):
            if number % 100 == 0:
                directory = tarfile.TarInfo(f"data/{number // 100:04d}")
                directory.type, directory.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(directory)
            entry = tarfile.TarInfo(f"data/{number // 100:04d}/file-{number:06d}.txt")
            body = (f"file {number}\n" * (1 + number % 400)).encode()
            entry.size, entry.mode, entry.mtime = len(body), 0o644, 1_700_000_000
            tar.addfile(entry, io.BytesIO(body))
    layer = work / "layer.tar.gz"
    layer.write_bytes(gzip.compress(plain.getvalue(), 6))
    path = work / "many.tar"
    image_of(path, "many:1", [(layer, hashlib.sha256(plain.getvalue()).hexdigest())])
    return path


def image_of(path: Path, name: str, layers: list[tuple[Path, str]]) -> None:
    """Write a docker-archive of an image with these layers, each a file and the hash of its plain bytes."""
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/bin/true"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}" for _, diff_id in layers]},
            "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "benchmark"}] * len(layers),
        }
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": [layer.name for layer, _ in layers]}]
    with tarfile.open(path, "w") as tar:
        for layer, _ in layers:
            tar.add(layer, arcname=layer.name)
            layer.unlink()
        for member, body in ((config_name, config), ("manifest.json", json.dumps(manifest).encode())):
            entry = tarfile.TarInfo(member)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))


def twenty_steps(path: Path) -> Path:
    """A build context whose Dockerfile has twenty steps, half of them RUN."""
    path.mkdir(parents=True)
    (path / "file").write_text("content\n")
    steps = ["FROM busybox"]
    for number in range(10):
        steps += [f"COPY file /file-{number}", f"RUN echo {number} > /out-{number}"]
    (path / "Dockerfile").write_text("\n".join(steps) + "\n")
    return path


def parent_of(pid: int) -> int:
    """The parent process (proc(5), stat)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def pss_kib(pid: int) -> int:
    """Proportional set size, KiB (proc(5), smaps_rollup)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
