"""The Python API: `jubako.run`, `jubako.build` and `jubako.Engine`.

    import jubako

    print(jubako.run("busybox", ["echo", "hello"]).stdout)

    with jubako.Engine() as engine:
        image = engine.build(".", tags=["app:1"])
        engine.containers.create(jubako.CreateOptions(image="app:1", publish=["8080:80"]))

The command line is made of these same calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGKILL
from typing import TYPE_CHECKING, Any

import msgspec

from jubako.engine import CreateOptions
from jubako.engine import Engine as _Engine
from jubako.errors import InvalidArgument, JubakoError

if TYPE_CHECKING:
    from jubako.build import BuildResult
    from jubako.build.cacheprune import PrunePolicy
    from jubako.build.cacheusage import CacheRecord
    from jubako.build.history import History
    from jubako.engine.system import Pruned
    from jubako.runtime.attach import Attached
    from jubako.runtime.handle import Handle

__all__ = ["Completed", "ContainerError", "CreateOptions", "Engine", "build", "enter_user_namespace", "run"]


class Completed(msgspec.Struct, frozen=True):
    """A container that ran to its end. `stdout` and `stderr` are what it wrote, as bytes."""

    id: str
    exit_code: int
    stdout: bytes
    stderr: bytes

    def check(self) -> Completed:
        """Return self when the exit code is 0; raises ContainerError otherwise."""
        if self.exit_code:
            raise ContainerError(self)
        return self


class ContainerError(JubakoError):
    """A container's command ended with another exit code than 0; `completed` has its output."""

    def __init__(self, completed: Completed) -> None:
        tail = completed.stderr.decode(errors="replace").strip().splitlines()[-1:]
        super().__init__(f"the command exited with {completed.exit_code}{': ' + tail[0] if tail else ''}")
        self.completed = completed


class Engine(_Engine):
    """The engine and the builder on one state directory."""

    def run(self, options: CreateOptions, *, stdin: bytes | None = None) -> Completed:
        """Create a container, run it to its end and return what it wrote.

        Raises NotFound for an unknown image or command, and what kept it from starting; then nothing is left. Nor is
        anything after another exception, such as KeyboardInterrupt: the container is killed and removed.
        """
        if stdin is not None:
            memoryview(stdin)  # raises TypeError for what is no bytes, while nothing waits for them
            options = msgspec.structs.replace(options, open_stdin=True, attach_stdin=True)
        record = self.containers.create(options)
        with self._gone_on_failure(record.id):
            handle = self.containers.start(record.id, attach=True, fresh=True)
            assert handle is not None
            assert handle.attached is not None
            with _fed(handle, handle.attached, stdin):
                stdout, stderr = _read_all(handle.attached)
            ended = handle.wait()
        self.containers.finish(record.id, handle, ended)
        return Completed(record.id, ended.code, stdout, stderr)

    @contextmanager
    def _gone_on_failure(self, container_id: str) -> Iterator[None]:
        try:
            yield
        except BaseException:
            with suppress(JubakoError):
                self.containers.remove(container_id, force=True, volumes=True)
            raise

    def build(self, context: str | Path, **options: Any) -> BuildResult:
        """Build an image from a context; see jubako.build.build for the options."""
        from jubako.build import BuildDrivers
        from jubako.build import build as build_image

        drivers = self.drivers
        parts = BuildDrivers(
            drivers.store, drivers.images, drivers.snapshots, drivers.networks, drivers.root, drivers.run_root
        )
        options.setdefault("pull", lambda text, platform=None: self.images.pull(text, platform=platform))
        options.setdefault("push_image", self.images.push)
        options.setdefault("collect", self.system.collect)
        return build_image(parts, context, **options)

    @property
    def history(self) -> History:
        """The records of past builds."""
        from jubako.build.history import History

        return History(self.drivers.store, self.drivers.root)

    def build_cache(self) -> list[CacheRecord]:
        """What the build cache holds, cache mounts too, most recently used first."""
        from jubako.build import BuildCache
        from jubako.build.cachemounts import CacheMounts
        from jubako.build.cacheusage import usage

        drivers = self.drivers
        cache, mounts = BuildCache(drivers.store), CacheMounts(drivers.root)
        return usage(cache, mounts, drivers.snapshots.layer_path, self._image_layers())

    def _image_layers(self) -> set[str]:
        return {layer for image in self.images.list() for layer in image.diff_ids}

    def prune_builds(self, *, all: bool = False, policy: PrunePolicy | None = None) -> tuple[list[str], int]:
        """Forget cached build steps (without `all`, those that no image shares) and what killed builds left running.

        A `policy` says more exactly what goes. Returns the IDs of the steps, and the bytes freed.
        """
        from jubako.build import BuildCache, reap
        from jubako.build.cachemounts import CacheMounts
        from jubako.build.cacheprune import PrunePolicy, choose, remove
        from jubako.build.cacheusage import MOUNT
        from jubako.build.gcpolicy import Disk

        drivers = self.drivers
        reap(drivers.networks, drivers.run_root)
        free_bytes = Disk.of(drivers.root).free_bytes
        taken = choose(self.build_cache(), policy or PrunePolicy(all=all), free_bytes=free_bytes)
        remove(taken, BuildCache(drivers.store), CacheMounts(drivers.root))
        freed_bytes = sum(record.size_bytes for record in taken if record.type == MOUNT)
        return [record.id for record in taken], freed_bytes + self.system.collect()

    def prune(self, *, all: bool = False, volumes: bool = False) -> tuple[Pruned, list[str]]:
        """`docker system prune`: system.prune, then what is left of builds; returns what both took."""
        pruned = self.system.prune(all=all, volumes=volumes)
        steps, freed_bytes = self.prune_builds(all=all)
        return msgspec.structs.replace(pruned, freed_bytes=pruned.freed_bytes + freed_bytes), steps


def _read_all(attached: Attached) -> tuple[bytes, bytes]:
    from jubako.runtime.attach import STDERR, STDOUT

    written: dict[int, list[bytes]] = {STDOUT: [], STDERR: []}
    while (frame := attached.read()) is not None:
        if frame.kind in written:
            written[frame.kind].append(frame.data)
    return b"".join(written[STDOUT]), b"".join(written[STDERR])


@contextmanager
def _fed(handle: Handle, attached: Attached, data: bytes | None) -> Iterator[None]:
    """Write `data` to the container's stdin and close it, while the caller reads what comes out.

    When that fails the container is killed: it might never read the rest, and never end.
    """
    from threading import Thread

    def feed() -> None:
        with suppress(OSError):  # It ended without reading all.
            attached.write(data or b"")
            attached.close_stdin()

    thread = Thread(target=feed, name="stdin")
    try:
        if data is not None:
            thread.start()
        yield
    except BaseException:
        handle.signal(SIGKILL)
        raise
    finally:
        if data is not None:
            thread.join()


def run(
    image: str,
    command: Sequence[str] = (),
    *,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    check: bool = False,
    root: str | Path | None = None,
    run_root: str | Path | None = None,
    **options: Any,
) -> Completed:
    """Run a command in a new container of `image`, remove the container, and return exit code and output.

    `options` are the fields of CreateOptions. With `check` a failing command raises ContainerError.
    """
    if isinstance(command, str):
        raise InvalidArgument("command is a text, not a list of words", hint='a shell splits it: ["sh", "-c", command]')
    variables = [f"{name}={value}" for name, value in (env or {}).items()]
    wanted = CreateOptions(image=image, command=list(command) or None, env=variables, auto_remove=True, **options)
    with Engine(root, run_root) as engine:
        completed = engine.run(wanted, stdin=stdin)
    return completed.check() if check else completed


def build(
    context: str | Path = ".", *, root: str | Path | None = None, run_root: str | Path | None = None, **options: Any
) -> BuildResult:
    """Build an image from the Dockerfile in `context`; `tags`, `target`, `build_args` … as `jubako build` has them."""
    with Engine(root, run_root) as engine:
        return engine.build(context, **options)


def enter_user_namespace(run_root: str | Path | None = None) -> None:
    """Make this process, for the rest of its life, root of a user namespace, in which an ordinary user can build.

    It is that of the user's other commands and containers with the same `run_root`.

    The command line does it by itself. Nothing happens to a process that is root already. Raises FailedPrecondition,
    also for a process that has threads: call it first.
    """
    from jubako.engine import paths
    from jubako.runtime import rootless

    rootless.enter(paths.resolve(None, run_root)[1])
