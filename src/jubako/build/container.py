"""A RUN's container: Docker's defaults, the step's snapshot as its root, its output line by line.

`/etc/resolv.conf` and `/etc/hosts` are bind mounts, so that no layer holds them. The container dies with its build,
cancelled or killed; what a killed one leaves, the next one collects (rundir).
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from jubako.build.files.failure import explained
from jubako.build.graph.bench import Bench
from jubako.build.graph.execute import CommandFailed, RunSpec
from jubako.build.graph.filesystem import Filesystem, Task
from jubako.build.rundir import cgroup_name, run_directory
from jubako.build.runmounts import RunMounts
from jubako.build.stubs import Stubs
from jubako.errors import NotFound, PermissionDenied
from jubako.linux import cgroup
from jubako.network import Networks, hosts, resolv
from jubako.runtime import defaults, executor, seccomp
from jubako.runtime.executor import Exit, Handle, Launch
from jubako.runtime.users import Identity, resolve
from jubako.snapshot import Snapshot, mounted
from jubako.spec.oci_runtime import Capabilities, Linux, Mount, Namespace, Process, Resources, Root, Spec, User

_HOSTNAME = "build"
_NAMESPACES = ("mount", "uts", "ipc", "pid", "cgroup")
_CHUNK = 1 << 16
_SIGKILL = 9


class BuildContainer:
    """Runs commands for the steps of one build. Safe for several threads."""

    def __init__(self, networks: Networks, root: Path, run_root: Path, secrets: Mapping[str, bytes]) -> None:
        self._secrets = secrets
        self._networks = networks
        self._root = root
        self._run_root = run_root

    def __call__(
        self,
        bench: Bench,
        snapshot: Snapshot,
        spec: RunSpec,
        sources: Sequence[Filesystem],
        hidden_env: Mapping[str, str],
        task: Task,
    ) -> None:
        container_id = os.urandom(32).hex()
        with ExitStack() as stack:
            run_dir = stack.enter_context(run_directory(self._run_root, container_id))
            address = self._reserve(stack, container_id, spec.network)
            extra = RunMounts(stack, bench, run_dir, self._root, self._secrets, task)
            mounts = [*_mounts(run_dir, spec, address), *extra.make(spec.mounts, sources)]
            with mounted(bench.snapshotter.view_mounts(snapshot.layers)) as root_fd:
                identity = resolve(root_fd, spec.user)
                stubs = Stubs(root_fd, [mount.destination for mount in mounts])
            group = cgroup.manager().create(cgroup_name(container_id), Resources(devices=list(defaults.DEVICE_RULES)))
            stack.callback(group.remove)
            reader, writer = os.pipe2(os.O_CLOEXEC)
            stack.callback(os.close, reader)
            launch = Launch(
                spec=_specification(spec, identity, {**hidden_env, **extra.env}, mounts),
                rootfs=bench.snapshotter.mounts(snapshot, volatile=True),
                run_dir=run_dir,
                cgroup=group,
                seccomp=seccomp.of_profile(self._root / "cache" / "seccomp", defaults.CAPABILITIES),
                stdio="inherit",
                inherit_fds=(stack.enter_context(_null()), writer, writer),
                listen=False,
                die_with_creator=True,
            )
            try:
                handle = executor.create(launch)
            finally:
                os.close(writer)
            ended = self._run(handle, container_id, spec, reader, task)
        task.check()
        if ended.code:
            raise CommandFailed(spec.arguments, ended.code, oom=ended.oom)
        self._clean(bench, snapshot, stubs)

    def _reserve(self, stack: ExitStack, container_id: str, network: str) -> str:
        """Claim a place on the network; returns its address, or "" where there is none."""
        if network != "bridge":
            return ""
        stack.callback(self._networks.detach, container_id)
        return self._networks.reserve(container_id, f"build-{container_id[:12]}", network=network).ip

    def _run(self, handle: Handle, container_id: str, spec: RunSpec, reader: int, task: Task) -> Exit:
        with task.on_cancel(lambda: handle.signal(_SIGKILL)):
            try:
                if endpoint := self._networks.endpoint(container_id):
                    netns = handle.netns_fd()
                    try:
                        handle.keep(self._networks.attach(endpoint, netns))
                    finally:
                        os.close(netns)
                handle.start()
            except (NotFound, PermissionDenied) as error:
                handle.abandon()
                task.check()
                code = 127 if isinstance(error, NotFound) else 126
                raise CommandFailed(spec.arguments, code, reason=error.message) from error
            except BaseException:
                handle.abandon()
                raise
            return _follow(handle, reader, task)

    def _clean(self, bench: Bench, snapshot: Snapshot, stubs: Stubs) -> None:
        fd = os.open(bench.snapshotter.upper(snapshot.key), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            stubs.remove(fd)
        finally:
            os.close(fd)


def _follow(handle: Handle, reader: int, task: Task) -> Exit:
    """Hand the output on until the command has ended; what it wrote before that is all read."""
    os.set_blocking(reader, False)
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    poll.register(handle.fileno(), select.POLLIN)
    try:
        while not any(fd == handle.fileno() for fd, _ in poll.poll()):
            if not _drain(reader, task):
                poll.unregister(reader)
        ended = handle.wait()
        _drain(reader, task)
    except BaseException:
        handle.abandon()
        raise
    handle.acknowledge()
    return ended


def _drain(reader: int, task: Task) -> bool:
    """Log what is there; False at the end of the stream."""
    while True:
        try:
            data = os.read(reader, _CHUNK)
        except BlockingIOError:
            return True
        if not data:
            return False
        task.log(data)


def _mounts(run_dir: Path, spec: RunSpec, address: str) -> list[Mount]:
    files = {
        "hosts": hosts.render([([_HOSTNAME], address)]),
        "resolv.conf": resolv.render(),
    }
    mounts = defaults.mounts()
    with explained("write"):
        for name, text in files.items():
            (run_dir / name).write_text(text)
            mounts.append(_bind(run_dir / name, f"/etc/{name}"))
        if spec.script is not None:
            script = run_dir / "script"
            script.write_text(spec.script)
            script.chmod(0o755)
            mounts.append(_bind(script, spec.arguments[0]))
    return mounts


def _bind(source: Path, destination: str) -> Mount:
    return Mount(destination=destination, type="bind", source=str(source), options=["rbind", "rprivate"])


def _specification(spec: RunSpec, identity: Identity, hidden_env: Mapping[str, str], mounts: list[Mount]) -> Spec:
    names = list(defaults.CAPABILITIES)
    held = names if identity.uid == 0 else []
    env = {**hidden_env, "HOME": identity.home, **spec.env}
    # Without its primary group among the others a process could shed it and be "other" to files (CVE-2022-36109).
    groups = list(dict.fromkeys([identity.gid, *identity.groups]))
    namespaces = [*_NAMESPACES, *(["network"] if spec.network != "host" else [])]
    return Spec(
        hostname=_HOSTNAME,
        root=Root(path="rootfs"),
        process=Process(
            user=User(uid=identity.uid, gid=identity.gid, additional_gids=groups),
            args=spec.arguments,
            env=[f"{name}={value}" for name, value in env.items()],
            cwd=spec.workdir,
            capabilities=Capabilities(bounding=names, effective=held, permitted=held),
        ),
        mounts=mounts,
        linux=Linux(
            namespaces=[Namespace(type=kind) for kind in namespaces],
            resources=Resources(devices=list(defaults.DEVICE_RULES)),
            masked_paths=list(defaults.MASKED_PATHS),
            readonly_paths=list(defaults.READONLY_PATHS),
        ),
    )


@contextmanager
def _null() -> Iterator[int]:
    fd = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
