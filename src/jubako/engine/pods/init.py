"""Process 1 of a pod that shares its pid namespace: a namespace of that kind has to have one.

It is the executor's own (executor/reap.c), in a container of an empty root and without any capability, with a monitor
beside it. This is the one case in which a pod needs a process: when it is gone so are all processes of the pod's
containers, and the pod is one that has ended.
"""

from __future__ import annotations

from pathlib import Path

from jubako.engine import process
from jubako.engine.drivers import Drivers
from jubako.engine.pods.record import PID, PodRecord
from jubako.linux import cgroup, pinned
from jubako.runtime import executor, program, seccomp
from jubako.runtime.launch import Launch
from jubako.spec.oci_runtime import Capabilities, Linux, Mount, Namespace, Process, Root, Spec, User

_NOBODY = 65534
_DIRECTORY = "init"


def start(drivers: Drivers, record: PodRecord, run_dir: Path) -> None:
    """Make it in the pod's group, and pin its pid namespace; whoever takes the pod down kills it with the group."""
    own_dir = run_dir / _DIRECTORY
    root = own_dir / "root"
    root.mkdir(parents=True, exist_ok=True, mode=0o755)
    (root / "init").touch(mode=0o755)
    launch = Launch(
        spec=_spec(root),
        run_dir=own_dir,
        cgroup=cgroup.at("").create(f"{record.cgroup}/{_DIRECTORY}"),
        seccomp=seccomp.of_profile(drivers.root / "cache" / "seccomp", [], None),
        stdio="null",
        listen=False,
    )
    handle = executor.create(launch)
    try:
        pinned.pin(f"/proc/{handle.pid}/ns/{PID}", run_dir / PID)
        handle.check()  # it was still that process's namespace
        handle.start()
    except BaseException:
        handle.abandon()
        raise
    handle.detach()


def is_alive(run_dir: Path) -> bool:
    """Whether the pid namespace can be joined."""
    return process.is_running(run_dir / _DIRECTORY)


def _spec(root: Path) -> Spec:
    kinds = ("mount", "pid", "network", "ipc", "uts", "cgroup")
    options = ["bind", "ro", "rprivate", "nosuid", "nodev"]
    return Spec(
        root=Root(path=str(root), readonly=True),
        mounts=[Mount(destination="/init", type="bind", source=program.path(), options=options)],
        process=Process(
            args=["/init"],
            user=User(uid=_NOBODY, gid=_NOBODY),
            capabilities=Capabilities(),
            no_new_privileges=True,
        ),
        linux=Linux(namespaces=[Namespace(type=kind) for kind in kinds]),
    )
