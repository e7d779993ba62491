"""The mounts of `RUN --mount`, made ready: binds as overlays of layers, caches as locked directories, secrets, agents.

Layout:       ROOT/cache/mounts/<hash>[-<n>]/{lock,id,data}    the hash is of the id, and of what the cache began with;
                                                               `n` only where a private cache was in use
Concurrency:  a cache's lock is held shared or, for sharing=locked and private, exclusively, while its command runs.
Safety:       a bind's source is found in layers, which never change, component by component without following links;
              a cache is bound as a whole (CVE-2024-23651 swapped a component of a path within one).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import posixpath
import stat
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from jubako.build.cachemounts import is_at
from jubako.build.conditions import Conditions
from jubako.build.graph.bench import Bench
from jubako.build.graph.filesystem import Filesystem, Task
from jubako.build.graph.mounts import MountSpec
from jubako.build.layerview import find_in_layers
from jubako.errors import NotFound
from jubako.spec.oci_runtime import Mount

_WAIT_S = 0.05
_SECRETS = "/run/secrets/"
_AGENTS = "/run/buildkit/ssh_agent."


class RunMounts:
    """Makes the mounts of one command; what they hold is let go of with `stack`."""

    def __init__(
        self, stack: ExitStack, bench: Bench, run_dir: Path, root: Path, conditions: Conditions, task: Task
    ) -> None:
        self._stack = stack
        self._bench = bench
        self._run_dir = run_dir
        self._caches = root / "cache" / "mounts"
        self._conditions = conditions
        self._task = task
        self._sockets = 0
        self.env: dict[str, str] = {}
        """Secrets as variables."""
        self.agent = ""
        """Where the first agent's socket is."""

    def make(self, specs: Sequence[MountSpec], sources: Sequence[Filesystem]) -> list[Mount]:
        """The mounts in order. NotFound for a source or a required secret that is not there."""
        mounts: list[Mount] = []
        files = iter(sources)
        for spec in specs:
            match spec.kind:
                case "bind":
                    mounts.append(self._bind(spec, next(files)))
                case "cache":
                    mounts.append(self._cache(spec, next(files) if spec.source else None))
                case "tmpfs":
                    mounts.append(_tmpfs(spec))
                case "ssh":
                    mounts += self._agent(spec)
                case _:
                    mounts += self._secret(spec)
        return mounts

    def _bind(self, spec: MountSpec, source: Filesystem) -> Mount:
        found = find_in_layers(self._bench, source, spec.source)
        if not found.is_directory:
            return _plain_bind(found.paths[0], spec.target, readonly=True)
        options = [f"lowerdir+={path}" for path in found.paths]
        if not spec.readonly:
            workspace = self._stack.enter_context(self._bench.store.ingest.workspace())
            for name in ("upper", "work"):
                (workspace.path / name).mkdir()
            os.chown(workspace.path / "upper", found.status.st_uid, found.status.st_gid)
            (workspace.path / "upper").chmod(stat.S_IMODE(found.status.st_mode))
            options += [f"upperdir={workspace.path}/upper", f"workdir={workspace.path}/work", "volatile"]
        elif len(found.paths) == 1:
            # Without an upper, overlayfs wants two.
            empty = self._run_dir / "empty"
            empty.mkdir(exist_ok=True)
            options.append(f"lowerdir+={empty}")
        fixed = [
            option
            for option in self._bench.snapshotter.view_mounts(source.diff_ids)[0].options
            if option != "ro" and not option.startswith("lowerdir+=")
        ]
        access = ["ro"] if spec.readonly else []
        return Mount(destination=spec.target, type="overlay", source="overlay", options=[*options, *fixed, *access])

    def _cache(self, spec: MountSpec, source: Filesystem | None) -> Mount:
        began_with = f"\0{spec.source}\0{' '.join(source.diff_ids)}" if source else ""
        name = hashlib.sha256((spec.id + began_with).encode()).hexdigest()
        number = 0
        while True:
            path = self._caches / (f"{name}-{number}" if number else name)
            if self._lock(path, spec.sharing):
                break
            number += 1
        data = path / "data"
        if not data.is_dir():
            (path / "id").write_text(spec.id)
            if source is None:
                _make_data(data, spec)
            else:
                self._seed(data, spec.source, source)
        return _plain_bind(data, spec.target, readonly=spec.readonly)

    def _seed(self, data: Path, path: str, source: Filesystem) -> None:
        """As _make_data, with content; what a kill leaves of it is collected."""
        from jubako.build.cacheseed import seed

        with self._bench.store.ingest.workspace() as workspace:
            draft = workspace.path / "data"
            draft.mkdir()
            seed(self._bench, source, path, draft)
            with suppress(OSError):  # another command was first
                draft.rename(data)

    def _lock(self, path: Path, sharing: str) -> bool:
        """Lock a cache for as long as the command runs; False when it is a private one that somebody uses."""
        how = fcntl.LOCK_SH if sharing == "shared" else fcntl.LOCK_EX
        while True:
            with ExitStack() as attempt:
                fd = _opened_lock(path)
                attempt.callback(os.close, fd)
                try:
                    fcntl.flock(fd, how | fcntl.LOCK_NB)
                    # Whoever prunes moves the whole directory away.
                    if is_at(fd, path / "lock"):
                        os.utime(fd)
                        self._stack.push(attempt.pop_all())
                        return True
                except BlockingIOError:
                    if sharing == "private":
                        return False
            self._task.check()
            time.sleep(_WAIT_S)

    def _secret(self, spec: MountSpec) -> list[Mount]:
        data = self._conditions.secrets.get(spec.id)
        if data is None:
            if spec.required:
                raise NotFound("secret", spec.id, message=f"secret {spec.id}: not found")
            return []
        if spec.env:
            self.env[spec.env] = data.decode("utf-8", "surrogateescape")
            if not spec.target:
                return []
        path = self._run_dir / f"secret-{os.urandom(8).hex()}"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, data)
            os.fchown(fd, spec.uid, spec.gid)
            os.fchmod(fd, 0o400 if spec.mode is None else spec.mode)
        finally:
            os.close(fd)
        return [_plain_bind(path, spec.target or _SECRETS + posixpath.basename(spec.id), readonly=True)]

    def _agent(self, spec: MountSpec) -> list[Mount]:
        """The n-th socket is at a place of its own; the first one is where SSH_AUTH_SOCK points."""
        target = spec.target or f"{_AGENTS}{self._sockets}"
        self._sockets += 1
        agent = self._conditions.agents.get(spec.id)
        if agent is None:
            if spec.required:
                message = f"ssh agent {spec.id}: not found"
                raise NotFound("ssh agent", spec.id, message=message, hint=f"give it with --ssh {spec.id}")
            return []
        from jubako.build.ssh.forward import forwarded

        path = self._run_dir / f"agent-{self._sockets}"
        mode = 0o600 if spec.mode is None else spec.mode
        self._stack.enter_context(forwarded(agent, path, uid=spec.uid, gid=spec.gid, mode=mode))
        self.agent = self.agent or target
        return [_plain_bind(path, target, readonly=False)]


def _opened_lock(path: Path) -> int:
    while True:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileNotFoundError):
            return os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _make_data(data: Path, spec: MountSpec) -> None:
    """Make it complete under another name first: two commands that share the cache may both be here."""
    draft = data.with_name(f"new-{os.urandom(8).hex()}")
    draft.mkdir()
    os.chown(draft, spec.uid, spec.gid)
    draft.chmod(0o755 if spec.mode is None else spec.mode)
    try:
        draft.rename(data)
    except OSError:
        draft.rmdir()


def _tmpfs(spec: MountSpec) -> Mount:
    options = [*([f"size={spec.size}"] if spec.size else []), *(["ro"] if spec.readonly else [])]
    return Mount(destination=spec.target, type="tmpfs", source="tmpfs", options=["nosuid", "nodev", *options])


def _plain_bind(source: Path, target: str, *, readonly: bool) -> Mount:
    options = ["rbind", "rprivate", "ro" if readonly else "rw"]
    return Mount(destination=target, type="bind", source=str(source), options=options)
