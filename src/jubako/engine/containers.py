"""`engine.containers`: every verb on containers, as methods over the engine's functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from jubako.engine import create, lifecycle, mounts, ordinary, process, start
from jubako.engine.drivers import Drivers
from jubako.engine.events import emit_container
from jubako.engine.options import CreateOptions, check_types
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.errors import FailedPrecondition, NotFound

if TYPE_CHECKING:
    from jubako.engine.exec import ExecOptions
    from jubako.engine.logs import Line
    from jubako.engine.stats import Sample
    from jubako.image.progress import Progress
    from jubako.runtime.attach import Attached
    from jubako.runtime.executor import Exit, Handle
    from jubako.runtime.health import Health


# Inside the classes, `list` is a method.
_Changes = list[tuple[str, str]]
_IDs = list[str]


class EngineContainers:
    """Names, full IDs and unambiguous prefixes all work wherever a container is asked for."""

    def __init__(self, drivers: Drivers) -> None:
        self._drivers = drivers

    def create(self, options: CreateOptions, *, progress: Progress | None = None) -> ContainerRecord:
        """Record a new container; the image is pulled first where `options.pull` says so."""
        check_types(options)
        options = ordinary.adapted(options)
        from jubako.engine.images import EngineImages

        images = EngineImages(self._drivers)
        images.ensure_mounted(mounts.images(options.mounts))
        image = images.ensure(options.image, pull=options.pull, platform=options.platform, progress=progress)
        return create.create(self._drivers, options, image)

    def start(self, text: str, *, attach: bool = False, fresh: bool = False) -> Handle | None:
        """Start a container. With `attach` the caller gets the handle (streams, wait) and then calls `finish`.

        One that can not start stays, with the reason in its record, unless it is --rm or `fresh`: the ID of one that
        was made just for this.
        Starting one that runs does nothing and returns None.
        """
        container_id = text if fresh else self._to_start(text)
        record = None
        try:
            with self._pod_of(container_id), self._drivers.locked(container_id):
                record = self._drivers.containers.get(container_id)
                if record.phase == RUNNING:
                    return None
                handle = start.start(self._drivers, record, attach=attach)
        except BaseException:
            if record and (fresh or record.options.auto_remove) and record.phase != RUNNING:
                with suppress(NotFound):
                    self.remove(container_id, volumes=True)
            raise
        if attach:
            return handle
        handle.detach()
        return None

    def _pod_of(self, container_id: str) -> AbstractContextManager[None]:
        """The pod of a container is ready, and stays that while it is started in it."""
        pod_id = self._drivers.containers.get(container_id).options.pod
        if not pod_id:
            return nullcontext()
        from jubako.engine.pods import starting

        return starting.ready_pod(self._drivers, pod_id)

    def _to_start(self, text: str) -> str:
        """The ID of the container `text`; one that has ended unnoticed, or is ending, is finished first."""
        record = lifecycle.get(self._drivers, text)
        if record.phase == RUNNING and not process.is_running(self._drivers.run_dir(record.id)):
            lifecycle.finish(self._drivers, record.id)
        return record.id

    def finish(self, container_id: str, handle: Handle, ended: Exit) -> None:
        """Clean up after a container whose handle this caller holds, in place of the executor's cleanup command."""
        record = lifecycle.finish(self._drivers, container_id, known=ended)
        if record is None or not record.wants_restart:
            handle.acknowledge()
        else:
            handle.detach()

    def cleanup(self, container_id: str) -> None:
        """What the executor's cleanup command does: note the end, and start again where the restart policy says so."""
        from jubako.engine import restarting

        restarting.cleanup(self._drivers, container_id, self.start)

    def get(self, text: str) -> ContainerRecord:
        """The record, true at this moment."""
        return lifecycle.get(self._drivers, text)

    def list(self, *, all: bool = False, filters: Mapping[str, Sequence[str]] | None = None) -> list[ContainerRecord]:
        """As `docker ps`: newest first, running ones unless `all`."""
        from jubako.engine import listing

        return listing.containers(self._drivers, all=all, filters=filters)

    def summary(self, record: ContainerRecord) -> dict[str, Any]:
        """One row of `docker ps`."""
        from jubako.engine import listing

        return listing.row(self._drivers, record)

    def inspect(self, text: str) -> dict[str, Any]:
        """The document of `GET /containers/{id}/json`."""
        from jubako.engine import inspect

        return inspect.container(self._drivers, self.get(text))

    def stop(self, text: str, timeout_s: float | None = None, *, signal: str | None = None) -> None:
        """Send the stop signal, and SIGKILL where the container has not ended after `timeout_s` (-1: wait for ever).

        Without them the container's own are taken. Nothing happens to one that does not run.
        """
        from jubako.engine import stopping

        stopping.stop(self._drivers, text, timeout_s, signal)

    def kill(self, text: str, signal: str = "KILL") -> None:
        """Send a signal to the first process; after KILL, return when the container has ended.

        Raises FailedPrecondition when it does not run.
        """
        from jubako.engine import stopping

        stopping.kill(self._drivers, text, signal)

    def restart(self, text: str, timeout_s: float | None = None, *, signal: str | None = None) -> None:
        """Stop, then start."""
        record = self.get(text)
        self.stop(record.id, timeout_s, signal=signal)
        self.start(record.id)
        with self._drivers.store.records.transaction():
            emit_container(self._drivers, record, "restart")

    def pause(self, text: str) -> None:
        """Freeze every process; raises FailedPrecondition when it does not run, or is paused."""
        from jubako.engine import stopping

        stopping.pause(self._drivers, text)

    def unpause(self, text: str) -> None:
        """Let a paused container go on; raises FailedPrecondition for any other."""
        from jubako.engine import stopping

        stopping.unpause(self._drivers, text)

    def wait(self, text: str) -> int:
        """Block until it does not run; returns the exit code."""
        from jubako.engine import stopping

        return stopping.wait(self._drivers, text)

    def health(self, text: str, probe: str = "health") -> Health | None:
        """What came of the health check, or of another probe of the container's; None where there is none."""
        from jubako.engine import health

        return health.of(self._drivers, self.get(text), probe)

    def notice(self, container_id: str) -> None:
        """What the executor's notice command does: tell of a changed health, and act on it as was asked for."""
        from jubako.engine import health

        match health.notice(self._drivers, container_id):
            case "kill":
                self.kill(container_id)
            case "restart":
                self.restart(container_id)
            case "stop":
                self.stop(container_id)

    def pidfd(self, text: str) -> int | None:
        """An fd that is readable once the first process has ended; None where it has. The caller closes it."""
        return process.open_pidfd(self._drivers.run_dir(self.get(text).id))

    def termination_message(self, text: str) -> str:
        """What the program wrote to its `termination_message_path` before it ended; 4 KiB of it at most."""
        from jubako.engine import files

        return files.termination_message(self._drivers.state_dir(self.get(text).id))

    def rename(self, text: str, name: str) -> None:
        """Give another name; raises AlreadyExists for a taken one."""
        from jubako.engine import changing

        changing.rename(self._drivers, text, name)

    def remove(self, text: str, *, force: bool = False, volumes: bool = False) -> None:
        """Remove a container; a running one only with `force`, which kills it first."""
        from jubako.engine import stopping

        stopping.remove(self._drivers, text, force=force, volumes=volumes)

    def attach(self, text: str) -> Attached:
        """Connect to the streams of a running container."""
        from jubako.runtime import attach

        record = self.get(text)
        if record.phase != RUNNING:
            raise FailedPrecondition("You cannot attach to a stopped container, start it first")
        if record.paused:
            raise FailedPrecondition("You cannot attach to a paused container, unpause it first")
        return attach.connect(self._drivers.run_dir(record.id))

    def exec(self, text: str, options: ExecOptions) -> Handle:
        """Start one more process in a running container."""
        from jubako.engine.exec import exec_

        return exec_(self._drivers, text, options)

    def logs(
        self,
        text: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        since_ns: int | None = None,
        until_ns: int | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Iterator[Line]:
        """What the container wrote, oldest first; with `follow` until it ends, or `stopped` says that it is enough."""
        from jubako.engine import logs

        record = self.get(text)
        return logs.of(
            self._drivers, record, follow=follow, stopped=stopped, tail=tail, since_ns=since_ns, until_ns=until_ns
        )

    def log_details(self, text: str) -> str:
        """`key=value,…` of the labels and variables that the log options `labels` and `env` name."""
        from jubako.engine import logs

        return logs.details(self.get(text))

    def stats(self, text: str) -> Sample:
        """One reading of the counters; all are 0 when it does not run."""
        from jubako.engine import stats

        return stats.sample(self._drivers, text)

    def top(self, text: str, ps_args: str = "-ef") -> dict[str, Any]:
        """The processes as the host's `ps` shows them: {"Titles": […], "Processes": [[…]]}."""
        from jubako.engine import stats

        return stats.top(self._drivers, text, ps_args)

    def changes(self, text: str) -> _Changes:
        """What differs from the image, as `docker diff`: ("A", "C" or "D", path), by path."""
        from jubako.engine import copy

        return copy.changes(self._drivers, text)

    def copy_to(self, text: str, path: str, stream: BinaryIO) -> None:
        """Extract a tar stream into the directory `path`; raises PermissionDenied where the root is read-only."""
        from jubako.engine import copy

        copy.copy_to(self._drivers, text, path, stream)

    def copy_from(self, text: str, path: str, out: BinaryIO) -> None:
        """Write `path` to `out` as a tar stream, in which it has the path's last component as its name."""
        from jubako.engine import copy

        copy.copy_from(self._drivers, text, path, out)

    def export(self, text: str, out: BinaryIO) -> None:
        """Write the whole root of a container, without what is mounted in it, to `out` as a tar."""
        from jubako.engine import imaging

        imaging.export(self._drivers, text, out)

    def stat_path(self, text: str, path: str) -> dict[str, Any]:
        """Docker's path stat: name, size (bytes), mode (Go's bits), mtime, linkTarget; raises NotFound."""
        from jubako.engine import copy

        return copy.stat_path(self._drivers, text, path)

    def update(self, text: str, changes: Mapping[str, Any]) -> None:
        """Change limits (memory, nano_cpus, pids_limit, cpu_shares …) and the restart policy, also while it runs."""
        from jubako.engine import changing

        changing.update(self._drivers, text, changes)

    def prune(self, accept: Callable[[ContainerRecord], bool] = lambda record: True) -> _IDs:
        """Remove what does not run and `accept` takes. Returns IDs."""
        from jubako.engine.system import prune_containers

        return prune_containers(self._drivers, accept)
