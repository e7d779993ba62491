"""The engine, for many threads: each has an Engine of its own.

What is seen of a pod is read here, and what was decided is done here. All of it blocks.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jubako.cluster.apiserver.streams import LogOptions
from jubako.cluster.node.seen import Attempt, Seen
from jubako.cluster.node.translate import CLUSTER_LABEL, FALLBACK_TO_LOGS, MESSAGE_POLICY, UID_LABEL, sandbox_name
from jubako.cluster.types.document import Object
from jubako.engine import CreateOptions, Engine
from jubako.engine.exec import ExecOptions
from jubako.engine.logs import Line
from jubako.engine.pods.record import READY, PodOptions
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.errors import FailedPrecondition, JubakoError, NotFound
from jubako.runtime.attach import Attached
from jubako.runtime.handle import Handle

if TYPE_CHECKING:
    from jubako.registry.client import Credentials

_NANO = 1e9
_FALLBACK_LINES, _FALLBACK_BYTES = 80, 2048


class Uncreated(Exception):
    """A container that could not even be recorded; the text says why."""


class NodeEngine:
    def __init__(self, root: Path, run_root: Path, cluster: str) -> None:
        self._root, self._run_root, self.cluster = root, run_root, cluster
        self._local = threading.local()
        self._words: dict[str, str] = {}

    @property
    def engine(self) -> Engine:
        """This thread's."""
        found = getattr(self._local, "engine", None)
        if not isinstance(found, Engine):
            found = self._local.engine = Engine(self._root, self._run_root)
        return found

    def lead(self, network: str) -> str:
        """Have addresses of services lead to this machine; returns where pods find it. Raises PermissionDenied,
        Unavailable."""
        return self.engine.networks.lead(network)

    def gateway(self) -> str:
        """Where pods would find this machine."""
        return self.engine.networks.get("bridge").gateway

    def lead_no_more(self, network: str) -> None:
        """Undo lead()."""
        self.engine.networks.lead_no_more(network)

    def sandboxes(self) -> dict[str, str]:
        """Return the sandboxes of this cluster by the uid of their pods."""
        found = self.engine.pods.list({"label": [f"{CLUSTER_LABEL}={self.cluster}"]})
        return {record.options.labels[UID_LABEL]: record.id for record in found}

    def look(self, pod: Object) -> Seen:
        """Return what there is of a pod of the cluster."""
        try:
            found = self.engine.pods.whole(sandbox_name(self.cluster, pod))
        except NotFound:
            return Seen()
        attempts: dict[str, list[Attempt]] = {}
        for record in reversed(found.containers):
            attempts.setdefault(record.options.member, []).append(_attempt(record, self._last_words(record)))
        return Seen(sandbox=found.pod.id, ready=found.pod.phase == READY, address=found.address, attempts=attempts)

    def _last_words(self, record: ContainerRecord) -> str:
        """What the program of an ended attempt wrote for that, or, if that was asked for, the end of its log."""
        if record.phase == RUNNING or not record.finished_ns:
            return ""
        known = self._words.get(record.id)
        if known is None:
            known = self.engine.containers.termination_message(record.id)
            if not known and record.exit_code and record.options.annotations.get(MESSAGE_POLICY) == FALLBACK_TO_LOGS:
                lines = self.engine.containers.logs(record.id, tail=_FALLBACK_LINES)
                known = "".join(line.log for line in lines)[-_FALLBACK_BYTES:]
            self._words[record.id] = known
        return known

    def make(self, options: PodOptions, sandbox: str) -> str:
        """Make the sandbox, or one that is there ready again; returns its id."""
        pod_id = sandbox or self.engine.pods.create(options).id
        self.engine.pods.start(pod_id)
        return pod_id

    def has_image(self, name: str) -> bool:
        try:
            self.engine.images.get(name)
        except NotFound:
            return False
        return True

    def user_of(self, image: str) -> str:
        """Return who an image runs as, "" where it does not say or is not here."""
        try:
            config = self.engine.images.get(image).config.config
        except NotFound:
            return ""
        return config.user if config else ""

    def pull(self, name: str, credentials: Credentials | None) -> None:
        self.engine.images.pull(name, credentials=credentials)

    def start(self, options: CreateOptions, keep: Iterable[str]) -> str:
        """Create and start one attempt; the attempts in `keep` stay, older ones go. Returns its id.

        Raises Uncreated; what kept one that was created from starting is in its record as well.
        """
        kept = set(keep)
        for record in self.engine.pods.attempts(options.pod, options.member):
            if record.id not in kept:
                self._words.pop(record.id, None)
                with suppress(NotFound):
                    self.engine.containers.remove(record.id, force=True, volumes=True)
        try:
            made = self.engine.containers.create(options)
        except JubakoError as error:
            raise Uncreated(error.message) from None
        self.engine.containers.start(made.id)
        return made.id

    def signal(self, attempt: str, kill: bool) -> None:
        """Send an attempt its stop signal, or end it; nothing happens to one that does not run."""
        with suppress(NotFound, FailedPrecondition):
            name = "KILL" if kill else self.engine.containers.get(attempt).stop_signal
            self.engine.containers.kill(attempt, name)

    def exec(self, attempt: str, options: ExecOptions) -> Handle:
        """Start one more process in a running attempt."""
        return self.engine.containers.exec(attempt, options)

    def attach(self, attempt: str) -> Attached:
        return self.engine.containers.attach(attempt)

    def log(self, attempt: str, options: LogOptions, stopped: Callable[[], bool]) -> Iterator[Line]:
        """Read the log of an attempt; with `follow` until it has ended, or nobody wants it any more."""
        tail = options.tail if options.tail >= 0 else None
        containers = self.engine.containers
        return containers.logs(attempt, follow=options.follow, tail=tail, since_ns=options.since_ns, stopped=stopped)

    def reach(self, sandbox: str, family: int) -> socket.socket:
        """Return a TCP socket in the network of a sandbox, which does not block."""
        made = self.engine.pods.reach(sandbox, family)
        made.setblocking(False)
        return made

    def take_down(self, sandbox: str) -> None:
        """Give back a sandbox whose containers have ended, and keep those."""
        with suppress(NotFound):
            self.engine.pods.stop(sandbox, 0)

    def remove(self, sandbox: str) -> None:
        with suppress(NotFound):
            for record in self.engine.pods.containers(sandbox):
                self._words.pop(record.id, None)
            self.engine.pods.remove(sandbox, force=True, timeout_s=0)


def _attempt(record: ContainerRecord, message: str) -> Attempt:
    return Attempt(
        id=record.id,
        number=record.options.attempt,
        wanted=record.options.image,
        image=record.image_name,
        image_id=record.image_id,
        running=record.phase == RUNNING,
        started=record.started_ns / _NANO,
        finished=(record.finished_ns or (record.created_ns if record.error else 0)) / _NANO,
        exit_code=record.exit_code,
        reason=record.reason,
        error=record.error,
        message=message,
    )
