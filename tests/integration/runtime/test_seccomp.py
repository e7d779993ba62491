"""Filters of a config.json, inside containers: what they do, beside runc where it is installed, and who is asked."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jubako.runtime import labels, seccomp_arch
from jubako.runtime.labels import Modules

from .agent import Agent
from .oci import Oci

pytestmark = pytest.mark.root

X86_64, X86, X32 = (seccomp_arch.numbers(name) for name in ("x86_64", "x86", "x32"))
SIGSYS = 31


def rule(*names: str, action: str = "SCMP_ACT_ERRNO", **more: Any) -> dict[str, Any]:
    return {"names": list(names), "action": action, **more}


def argument(index: int, op: str, value: int, second: int = 0) -> dict[str, Any]:
    return {"index": index, "op": f"SCMP_CMP_{op}", "value": value, "valueTwo": second}


def profile(*rules: dict[str, Any], default: str = "SCMP_ACT_ALLOW", **more: Any) -> dict[str, Any]:
    return {"defaultAction": default, "syscalls": list(rules), **more}


def configure(
    oci: Oci, seccomp: dict[str, Any] | None, *args: str, linux: dict[str, Any] | None = None, **process: Any
) -> None:
    oci.configure(*args, **process)
    path = oci.bundle / "config.json"
    config = json.loads(path.read_text())
    config["process"].setdefault("cwd", "/")  # runc wants it
    config["linux"].update(linux or {})
    if seccomp:
        config["linux"]["seccomp"] = seccomp
    path.write_text(json.dumps(config))


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if os.uname().machine != "x86_64" or not shutil.which("gcc"):
        pytest.skip("needs gcc, and x86_64's calls")
    program = tmp_path_factory.mktemp("probe") / "probe"
    source = Path(__file__).with_name("probe.c")
    subprocess.run(["gcc", "-O1", "-static", "-o", str(program), str(source)], check=True)
    return program


def results(
    oci: Oci, probe: Path, seccomp: dict[str, Any], calls: list[str], runtime: str = "", **process: Any
) -> list[int]:
    """What came of the calls: an errno, 0, a signal as its negative, or 200 and more for a trap."""
    shutil.copy(probe, oci.base / "probe")
    configure(oci, seccomp, "/tmp/probe", *calls, **process)
    path = oci.bundle / "config.json"
    config = json.loads(path.read_text())
    config["mounts"].append({"destination": "/tmp", "source": str(oci.base), "options": ["rbind", "ro"]})
    config["root"]["path"] = str((oci.bundle / "rootfs").resolve())
    config["linux"]["resources"] = {}
    config["linux"]["cgroupsPath"] = f"/jubako/test-{os.getpid()}-one"
    path.write_text(json.dumps(config))
    if runtime:
        command = [runtime, "--root", str(oci.base / "other"), "run", "-b", str(oci.bundle), f"probe-{os.getpid()}"]
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False
        )
    else:
        done = oci("run", "-b", str(oci.bundle), "one")
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def call(table: dict[str, int], name: str, *arguments: int) -> str:
    return ":".join(map(str, [32 if table is X86 else 64, table[name], *arguments]))


DENYING = profile(
    rule("mkdir", errnoRet=77),
    rule("rmdir"),
    rule("getpgrp", action="SCMP_ACT_TRAP"),
    rule("getpgid", action="SCMP_ACT_KILL"),
    rule("getsid", action="SCMP_ACT_KILL_THREAD"),
    rule("getuid", action="SCMP_ACT_KILL_PROCESS"),
    rule("getgid", action="SCMP_ACT_TRACE", errnoRet=5),
    rule("geteuid", action="SCMP_ACT_LOG"),
    rule("alarm", action="SCMP_ACT_ERRNO", errnoRet=33, args=[argument(0, "NE", 0)]),
    rule("close", args=[argument(0, "GT", 70), argument(0, "EQ", 50)]),
    rule("dup", errnoRet=3, args=[argument(0, "MASKED_EQ", 0xF0, 0x40)]),
    rule("lseek", errnoRet=4, args=[argument(0, "GE", 60), argument(1, "LT", 1 << 33)]),
    rule("umask", errnoRet=5, args=[argument(0, "LE", 7)]),
    rule("no_such_call", "nor_this"),
    architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
)
DENIED = [
    *(call(table, name) for table in (X86_64, X86) for name in ("mkdir", "rmdir", "getpgrp", "getpgid", "getsid")),
    *(call(table, name) for table in (X86_64, X86, X32) for name in ("getuid", "getgid", "geteuid")),
    *(call(X86_64, "alarm", value) for value in (0, 1, 1 << 32)),
    *(call(table, "close", value) for table in (X86_64, X86) for value in (49, 50, 51, 70, 71)),
    *(call(X86_64, "dup", value) for value in (0x3F, 0x40, 0x4F, 0x50, 0x140)),
    *(call(X86_64, "lseek", fd, offset) for fd in (59, 60) for offset in (0, 1 << 33, (1 << 33) - 1)),
    *(call(X86_64, "umask", value) for value in (7, 8)),
    call(X86, "umask", 7),
]

# What the program needs, and runc: of its own, once the filter is there, ours needs execve and no more.
NEEDED = """
    access arch_prctl brk capget capset chdir close close_range clone clone3 epoll_create1 epoll_ctl epoll_pwait
    eventfd2 execve exit_group faccessat2 fchdir fchown fcntl fork fstat fstatfs futex getcwd getdents64 getpid
    getppid getrandom gettid ioctl lstat madvise mmap mprotect munmap nanosleep newfstatat openat pipe2 prctl pread64
    prlimit64 read readlink readlinkat recvfrom recvmsg rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_yield
    sendmsg sendto set_robust_list set_tid_address setgid setgroups setresgid setresuid setsid setuid sigaltstack stat
    statfs tgkill uname wait4 write
""".split()
ALLOWING = profile(
    rule(*NEEDED, action="SCMP_ACT_ALLOW"),
    rule("socket", action="SCMP_ACT_ALLOW", args=[argument(0, "EQ", 1)]),
    rule("socket", action="SCMP_ACT_ALLOW", args=[argument(0, "EQ", 2), argument(1, "EQ", 1)]),
    rule("socket", errnoRet=42, args=[argument(0, "EQ", 16)]),
    rule("personality", action="SCMP_ACT_ALLOW", args=[argument(0, "EQ", 0xFFFFFFFF)]),
    default="SCMP_ACT_ERRNO",
    defaultErrnoRet=11,
    architectures=["SCMP_ARCH_X86_64"],  # runc 1.1 returns ENOSYS only for architectures that are named
)
ALLOWED = [
    call(X86_64, "getppid"),
    call(X86_64, "getuid"),
    *(
        call(X86_64, "socket", family, kind)
        for family, kind in ((1, 1), (1, 2), (2, 1), (2, 2), (16, 3), (10, 1), (1 << 32, 1))
    ),
    *(call(X86_64, "personality", value) for value in (0xFFFFFFFF, 0, (1 << 64) - 1)),
    "64:434",  # above all that are named, if the newest of them are not known: pidfd_open
    "64:700",
    "64:4000000",
    call(X86, "getppid"),  # another architecture
    call(X32, "getuid"),
]


def test_what_a_denying_profile_does(oci: Oci, probe: Path) -> None:
    found = dict(zip(DENIED, results(oci, probe, DENYING, DENIED), strict=True))
    for table in (X86_64, X86):
        assert [found[call(table, name)] for name in ("mkdir", "rmdir", "getpgid", "getsid", "getuid")] == [
            77, errno.EPERM, -SIGSYS, -SIGSYS, -SIGSYS,
        ]  # fmt: skip
        assert found[call(table, "getpgrp")] >= 200
        assert [found[call(table, "close", value)] for value in (49, 50, 51, 70, 71)] == [9, 1, 9, 9, 1]
        assert found[call(table, "getgid")] == errno.ENOSYS  # there is no tracer
        assert found[call(table, "geteuid")] == 0
    assert [found[call(X86_64, "alarm", value)] for value in (0, 1, 1 << 32)] == [0, 33, 33]
    assert [found[call(X86_64, "dup", value)] for value in (0x3F, 0x40, 0x4F, 0x50, 0x140)] == [9, 3, 3, 9, 3]
    assert [found[call(X86_64, "lseek", 60, offset)] for offset in (0, 1 << 33, (1 << 33) - 1)] == [4, 9, 4]
    assert found[call(X86_64, "lseek", 59, 0)] == 9


def test_what_an_allowing_profile_does(oci: Oci, probe: Path) -> None:
    found = dict(zip(ALLOWED, results(oci, probe, ALLOWING, ALLOWED), strict=True))
    assert [found[call(X86_64, name)] for name in ("getppid", "getuid")] == [0, 11]
    assert [found[call(X86_64, "socket", *pair)] for pair in ((1, 1), (2, 1), (2, 2), (16, 3))] == [0, 0, 11, 42]
    assert found["64:700"] == errno.ENOSYS
    assert found[call(X86, "getppid")] == -SIGSYS


@pytest.mark.parametrize("seccomp", ["denying", "allowing"])
@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_every_call_does_as_under_runc(oci: Oci, probe: Path, seccomp: str, no_new_privileges: bool) -> None:
    if not shutil.which("runc"):
        pytest.skip("needs runc")
    asked, calls = (DENYING, DENIED) if seccomp == "denying" else (ALLOWING, ALLOWED)
    process = {"noNewPrivileges": no_new_privileges}
    assert results(oci, probe, asked, calls, **process) == results(oci, probe, asked, calls, runtime="runc", **process)


def test_a_filter_need_not_allow_what_the_runtime_does(oci: Oci, probe: Path) -> None:
    """runc asks for much more; the program itself, a static one, asks for the rest."""
    start = "execve brk arch_prctl set_tid_address set_robust_list rseq prlimit64 readlinkat getrandom mprotect mmap"
    probing = "fstat newfstatat clone wait4 rt_sigaction rt_sigprocmask write exit_group"
    names = [*start.split(), *probing.split()]
    asked = profile(rule(*names, action="SCMP_ACT_ALLOW"), default="SCMP_ACT_ERRNO")
    calls = [call(X86_64, "getppid")]
    assert results(oci, probe, asked, calls, noNewPrivileges=True) == [errno.EPERM]


def test_exec_has_the_containers_filter(oci: Oci) -> None:
    configure(oci, profile(rule("mkdir", "mkdirat", errnoRet=77)), "sleep", "100")
    assert oci("run", "-d", "-b", str(oci.bundle), "one").returncode == 0
    for options in ([], ["-d"]):
        done = oci("exec", *options, "one", "sh", "-c", "grep Seccomp: /proc/self/status; mkdir /tmp/x; echo $? >&2")
        assert done.returncode == 0
        if not options:
            assert done.stdout == "Seccomp:\t2\n"
            assert done.stderr.splitlines() == [
                "mkdir: can't create directory '/tmp/x': File descriptor in bad state",
                "1",
            ]


def test_flags_decide_about_speculation(oci: Oci) -> None:
    def speculation(flags: list[str] | None) -> str:
        more = {} if flags is None else {"flags": flags}
        configure(oci, profile(rule("mkdir"), **more), "grep", "Speculation_Store_Bypass", "/proc/self/status")
        done = oci("run", "-b", str(oci.bundle), "one")
        assert done.returncode == 0, done.stderr
        return done.stdout

    every = [f"SECCOMP_FILTER_FLAG_{name}" for name in ("TSYNC", "LOG", "SPEC_ALLOW")]
    assert speculation(None) == speculation(every)
    # What the absence of SPEC_ALLOW does depends on the processor and on spec_store_bypass_disable=.
    assert speculation([]).startswith("Speculation_Store_Bypass:")


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    made = Agent(tmp_path / "agent.sock", lambda number, _: 77 if number == X86_64["mkdir"] else None)
    yield made
    made.close()


def asking(agent: Agent, *names: str, **more: Any) -> dict[str, Any]:
    fields = {"listenerPath": str(agent.path), "listenerMetadata": "about it", **more}
    return profile(rule("mkdir", *names, action="SCMP_ACT_NOTIFY"), **fields)


REFUSED = "mkdir: can't create directory '/tmp/x': File descriptor in bad state\n"
# What the executor itself calls once the filter is there.
ITS_OWN = (
    "read close sendmsg sendto dup2 close_range clone wait4 prctl capset setgroups setresuid setresgid execve".split()
)


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_an_agent_answers_for_a_container(oci: Oci, agent: Agent, no_new_privileges: bool) -> None:
    script = "mkdir /tmp/x; echo /proc/[0-9]*"
    configure(oci, asking(agent, *ITS_OWN), "sh", "-c", script, noNewPrivileges=no_new_privileges)
    pid_file = oci.base / "pid"
    done = oci("run", "--pid-file", str(pid_file), "-b", str(oci.bundle), "one")
    assert (done.returncode, done.stderr) == (0, REFUSED)
    assert done.stdout == "/proc/1\n"  # nothing of ours was left
    (state,) = agent.states
    pid = int(pid_file.read_text())
    assert {name: state[name] for name in ("fds", "pid", "metadata")} == {
        "fds": ["seccompFd"],
        "pid": pid,
        "metadata": "about it",
    }
    assert state["state"] == {
        "ociVersion": state["ociVersion"],
        "id": "one",
        "status": "created",
        "pid": pid,
        "bundle": str(oci.bundle),
        "annotations": {},
    }
    assert (pid, X86_64["execve"]) in agent.calls


def test_an_agent_answers_for_a_container_that_was_created_before(oci: Oci, agent: Agent) -> None:
    configure(oci, asking(agent), "sh", "-c", "mkdir /tmp/x; sleep 100")
    oci.create("one")
    assert agent.states == []
    assert oci("start", "one").returncode == 0
    assert [state["pid"] for state in agent.states] == [json.loads(oci("state", "one").stdout)["pid"]]


@pytest.mark.parametrize("options", [[], ["-d"]])
def test_an_agent_answers_for_exec(oci: Oci, agent: Agent, options: list[str]) -> None:
    configure(oci, asking(agent, *ITS_OWN), "sleep", "100")
    assert oci("run", "-d", "-b", str(oci.bundle), "one").returncode == 0
    pid_file = oci.base / "pid"
    script = "mkdir /tmp/x; echo $? > /dev/null; sleep 0.1"
    done = oci("exec", *options, "--pid-file", str(pid_file), "one", "sh", "-c", script)
    assert done.returncode == 0, done.stderr
    first, second = agent.states
    assert second["pid"] == int(pid_file.read_text()) != first["pid"]
    assert second["state"]["pid"] == first["pid"]
    assert second["state"]["status"] == "running"
    assert (second["pid"], X86_64["execve"]) in agent.calls


@pytest.mark.parametrize("flag", ["WAIT_KILLABLE_RECV", "TSYNC"])
def test_flags_go_with_a_listener(oci: Oci, agent: Agent, flag: str) -> None:
    configure(oci, asking(agent, flags=[f"SECCOMP_FILTER_FLAG_{flag}"]), "mkdir", "/tmp/x")
    done = oci("run", "-b", str(oci.bundle), "one")
    assert (done.returncode, done.stderr) == (1, REFUSED)


def test_an_agent_that_is_not_there_is_named_and_nothing_is_left(oci: Oci, tmp_path: Path) -> None:
    path = tmp_path / "nobody.sock"
    configure(oci, profile(rule("mkdir", action="SCMP_ACT_NOTIFY"), listenerPath=str(path)), "true")
    done = oci("create", "-b", str(oci.bundle), "one")
    assert done.returncode == 1
    assert f"failed to connect with seccomp agent at listenerPath {path}: No such file or directory" in done.stderr
    assert "container does not exist" in oci("state", "one").stderr


def test_an_agent_that_is_gone_at_the_start_is_named(oci: Oci, tmp_path: Path) -> None:
    agent = Agent(tmp_path / "agent.sock", lambda *_: None)
    configure(oci, asking(agent), "sleep", "100")
    oci.create("one")
    agent.close()
    done = oci("start", "one")
    assert done.returncode == 1
    assert f"failed to load the seccomp filter {agent.path}: broken pipe" in done.stderr.lower()


without_labels = pytest.mark.skipif(labels.modules() != Modules(False, False), reason="this kernel gives labels")


@without_labels
@pytest.mark.parametrize(
    ("process", "linux", "said"),
    [
        ({"apparmorProfile": "confined"}, {}, "process.apparmorProfile is confined, but AppArmor is disabled"),
        ({"selinuxLabel": "a:b:c:s0"}, {}, "process.selinuxLabel is a:b:c:s0, but selinux is disabled"),
        ({}, {"mountLabel": "a:b:c:s0"}, "linux.mountLabel is a:b:c:s0, but selinux is disabled"),
    ],
)
def test_a_label_that_can_not_be_given_is_refused(
    oci: Oci, process: dict[str, Any], linux: dict[str, Any], said: str
) -> None:
    configure(oci, None, "true", linux=linux, **process)
    done = oci("create", "-b", str(oci.bundle), "one")
    assert done.returncode == 1
    assert said in done.stderr


@without_labels
def test_exec_can_ask_for_labels_of_its_own(oci: Oci) -> None:
    assert oci("run", "-d", "-b", str(oci.bundle), "one").returncode == 0
    assert "process.apparmorProfile is p" in oci("exec", "--apparmor", "p", "one", "true").stderr
    assert "process.selinuxLabel is l" in oci("exec", "--process-label", "l", "one", "true").stderr


@pytest.mark.skipif(not labels.modules().apparmor, reason="this kernel has no AppArmor")
def test_apparmor_is_asked_for_the_profile(oci: Oci) -> None:
    configure(oci, None, "cat", "/proc/self/attr/current", apparmorProfile="unconfined")
    done = oci("run", "-b", str(oci.bundle), "one")
    assert (done.returncode, done.stdout) == (0, "unconfined\n"), done.stderr
    configure(oci, None, "true", apparmorProfile="not-loaded")
    done = oci("run", "-b", str(oci.bundle), "one")
    assert done.returncode == 1
    assert "security module for exec not-loaded: no such file or directory" in done.stderr
