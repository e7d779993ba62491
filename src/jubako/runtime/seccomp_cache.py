"""A directory of compiled filters. What can not be kept costs time only; what is not surely ours is not read."""

from __future__ import annotations

import os
import stat

_FILES_MAX = 256


def runtime_directory() -> str:
    """Where a runtime without a state directory of its own keeps filters until the machine is switched off."""
    base = os.environ.get("XDG_RUNTIME_DIR") or ("/run" if os.geteuid() == 0 else "")
    return os.path.join(base, "jubako-oci-seccomp") if base else ""


def read(directory: str, name: str) -> bytes | None:
    try:
        dir_fd = _open(directory)
    except OSError:
        return None
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dir_fd)
        with open(fd, "rb") as file:
            data = file.read()
    except OSError:
        return None
    finally:
        os.close(dir_fd)
    return data if data and len(data) % 8 == 0 else None


def write(directory: str, name: str, data: bytes) -> None:
    temporary = f"{name}.{os.getpid()}"
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        dir_fd = _open(directory)
    except OSError:
        return
    try:
        if len(os.listdir(dir_fd)) < _FILES_MAX:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600, dir_fd=dir_fd)
            with open(fd, "wb") as file:
                file.write(data)
            os.rename(temporary, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except OSError:
        return
    finally:
        os.close(dir_fd)


def _open(directory: str) -> int:
    """Raises PermissionError for a directory that another user has, or may write to."""
    if not directory:
        raise FileNotFoundError
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    status = os.fstat(fd)
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        os.close(fd)
        raise PermissionError(directory)
    return fd
