"""A RUN's container: the step's snapshot as its root, its output line by line; and a shell where one has failed.

`/etc/resolv.conf` and `/etc/hosts` are bind mounts, so that no layer holds them. The container dies with its build,
cancelled or killed; what a killed one leaves, the next one collects (rundir).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from jubako.build.conditions import Conditions
from jubako.build.graph.execute import CommandFailed, Job, RunSpec
from jubako.build.graph.filesystem import Task
from jubako.build.output import Output
from jubako.build.rundir import cgroup_name, run_directory
from jubako.build.runmounts import RunMounts
from jubako.build.runnetwork import RunNetwork
from jubako.build.runspec import own_mounts, specification
from jubako.build.stubs import Stubs
from jubako.errors import NotFound, PermissionDenied
from jubako.linux import cgroup
from jubako.network import Networks
from jubako.runtime import defaults, executor, seccomp
from jubako.runtime.executor import Handle, Launch
from jubako.runtime.users import Identity, resolve
from jubako.snapshot import mounted
from jubako.spec.oci_runtime import Spec

if TYPE_CHECKING:
    from jubako.linux.cgroup import CgroupHandle
    from jubako.runtime.attach import Attached
    from jubako.runtime.launch import Filter

_SIGKILL = 9
_SHELL = "/bin/sh"


class _Prepared(NamedTuple):
    """A container that can be started, in any way that its launch can still be told."""

    launch: Launch
    network: RunNetwork
    stubs: Stubs


class BuildContainer:
    """Runs commands for the steps of one build. Safe for several threads."""

    def __init__(self, networks: Networks, root: Path, run_root: Path, conditions: Conditions) -> None:
        self._conditions = conditions
        self._networks = networks
        self._root = root
        self._run_root = run_root

    def run(self, job: Job, task: Task) -> None:
        """Raises CommandFailed, Cancelled, or what kept the command from starting."""
        with ExitStack() as stack:
            prepared = stack.enter_context(self._prepared(job, task))
            reader, writer = os.pipe2(os.O_CLOEXEC)
            stack.callback(os.close, reader)
            prepared.launch.stdio = "inherit"
            prepared.launch.inherit_fds = (stack.enter_context(_null()), writer, writer)
            try:
                handle = executor.create(prepared.launch)
            finally:
                os.close(writer)
            output = Output(reader, task)
            with task.on_cancel(lambda: handle.signal(_SIGKILL)):
                _start(handle, prepared.network, job.spec, task)
                ended = output.follow(handle)
        task.check()
        if ended.code:
            raise CommandFailed(job.spec.arguments, ended.code, oom=ended.oom, output=output.last_lines())
        _clean(job, prepared.stubs)

    def shell(self, job: Job, task: Task, sit: Callable[[Attached], object]) -> None:
        """Run a shell in place of the command, with a terminal that `sit` sits at until it ends."""
        asked = msgspec.structs.replace(job.spec, arguments=[_SHELL], script=None)
        with self._prepared(job._replace(spec=asked), task) as prepared:
            launch = prepared.launch
            assert launch.spec.process is not None
            launch.spec.process.terminal = True
            launch.stdin = launch.attach = True
            handle = executor.create(launch)
            _start(handle, prepared.network, asked, task)
            assert handle.attached is not None
            try:
                sit(handle.attached)
            finally:
                handle.abandon()

    @contextmanager
    def _prepared(self, job: Job, task: Task) -> Iterator[_Prepared]:
        """What the container stands on, for as long as it runs."""
        container_id, spec = os.urandom(32).hex(), job.spec
        name = cgroup_name(container_id, self._conditions.cgroup_parent)
        with ExitStack() as stack:
            run_dir = stack.enter_context(run_directory(self._run_root, container_id, name))
            network = RunNetwork(stack, self._networks, container_id, run_dir, spec)
            extra = RunMounts(stack, job.bench, run_dir, self._root, self._conditions, task)
            own = own_mounts(run_dir, spec, network.hosts, network.servers)
            mounts = [*own, *extra.make(spec.mounts, job.sources)]
            with mounted(job.bench.snapshotter.view_mounts(job.snapshot.layers)) as root_fd:
                identity = resolve(root_fd, spec.user)
                compiled = specification(spec, identity, _environment(job, identity, extra), mounts)
                self._inject(compiled, spec)
                stubs = Stubs(root_fd, [mount.destination for mount in compiled.mounts])
            group = _group(name, compiled, stack)
            launch = Launch(
                spec=compiled,
                # What was mounted volatile is never mounted again (Documentation/filesystems/overlayfs.rst).
                rootfs=job.bench.snapshotter.mounts(job.snapshot, volatile=not self._conditions.debug),
                run_dir=run_dir,
                cgroup=group,
                seccomp=None if spec.security == "insecure" else self._filter(),
                listen=False,
                die_with_creator=True,
            )
            yield _Prepared(launch, network, stubs)

    def _filter(self) -> Filter:
        return seccomp.of_profile(self._root / "cache" / "seccomp", defaults.CAPABILITIES)

    def _inject(self, compiled: Spec, spec: RunSpec) -> None:
        if spec.devices:
            from jubako.runtime.cdi import Devices
            from jubako.runtime.cdi_edits import inject

            devices = Devices(self._conditions.device_directories)
            inject(compiled, [found for name in spec.devices for found in devices.find(name)])


def _start(handle: Handle, network: RunNetwork, spec: RunSpec, task: Task) -> None:
    """Connect the network and let the program begin; when it can not, nothing is left of it."""
    try:
        network.connect(handle)
        handle.start()
    except (NotFound, PermissionDenied) as error:
        handle.abandon()
        task.check()
        code = 127 if isinstance(error, NotFound) else 126
        raise CommandFailed(spec.arguments, code, reason=error.message) from error
    except BaseException:
        handle.abandon()
        raise


def _group(name: str, compiled: Spec, stack: ExitStack) -> CgroupHandle:
    """The container's cgroup."""
    group = cgroup.at("").create(name, compiled.linux.resources if compiled.linux else None)
    stack.callback(group.remove)
    return group


def _environment(job: Job, identity: Identity, extra: RunMounts) -> Mapping[str, str]:
    """The later word counts: secrets come after what the image says, the agent before it."""
    agent = {"SSH_AUTH_SOCK": extra.agent} if extra.agent else {}
    return {**job.hidden_env, "HOME": identity.home, **agent, **job.spec.env, **extra.env}


def _clean(job: Job, stubs: Stubs) -> None:
    fd = os.open(job.bench.snapshotter.upper(job.snapshot.key), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        stubs.remove(fd)
    finally:
        os.close(fd)


@contextmanager
def _null() -> Iterator[int]:
    fd = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
