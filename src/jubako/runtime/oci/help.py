"""What `--help` prints, made of the tables of options, so that nothing of them can be missing."""

from __future__ import annotations

from jubako.runtime.oci.arguments import COMMANDS, GLOBAL, SHORT

_SUMMARIES = {
    "checkpoint": "save a running container with criu(8), and delete it",
    "create": "make a container from a bundle, up to where its program can start",
    "delete": "remove a stopped container and all that is left of it",
    "events": "show a container's use of resources, and its out-of-memory events, as JSON",
    "exec": "run one more process in a container",
    "features": "show what this runtime can do, as JSON",
    "kill": "send a signal (default: SIGTERM) to a container's first process",
    "list": "list the containers of the root directory",
    "pause": "freeze all processes of a container",
    "ps": "show the processes of a container",
    "restore": "make a container of what checkpoint saved, where it was",
    "resume": "let the processes of a paused container go on",
    "run": "create a container, start it, and wait for its end",
    "spec": "write a config.json to begin with",
    "start": "start the program of a created container",
    "state": "show the state of a container as JSON",
    "update": "change the limits of a container while it runs",
}

_WORDS = {
    "exec": "<container-id> <command> [argument ...]",
    "features": "",
    "kill": "<container-id> [signal]",
    "list": "",
    "ps": "<container-id> [option of ps ...]",
    "spec": "",
}

_MEANINGS = {
    "additional-gids": "one more group of the process; may be repeated",
    "all": "signal every process of the container, not the first alone",
    "apparmor": "AppArmor profile of the process",
    "auto-dedup": "let criu drop pages from earlier images that later ones replace",
    "blkio-weight": "weight of block input and output",
    "bundle": "directory with config.json and the root filesystem (default: the current one)",
    "cap": "one more capability of the process; may be repeated",
    "cgroup": "group beneath the container's own to run in, as [controller,...:]path; may be repeated",
    "console-socket": "unix socket that receives the master of the terminal",
    "cpu-burst": "microseconds that may be used beyond the quota, saved up before",
    "cpu-idle": "1 makes the group run only when nothing else wants to",
    "cpu-period": "length of the period of the quota, in microseconds",
    "cpu-quota": "processor time within a period, in microseconds",
    "cpu-rt-period": "length of the period of real-time scheduling, in microseconds",
    "cpu-rt-runtime": "real-time processor time within its period, in microseconds",
    "cpu-share": "weight of processor time",
    "cpuset-cpus": "processors to run on, such as 0-3,7",
    "cpuset-mems": "memory nodes to use, such as 0,1",
    "criu": "ignored: criu is taken from PATH",
    "cwd": "working directory in the container",
    "debug": "write messages of level debug, too",
    "detach": "return when the program runs, without waiting for it",
    "empty-ns": "network: make that namespace anew without its devices (always done)",
    "env": "NAME=value for the process; may be repeated",
    "ext-unix-sk": "allow unix sockets that are connected with something outside",
    "file-locks": "save and restore locks of files",
    "force": "kill it first if it runs; a container that does not exist is no error",
    "format": "table or json",
    "help": "show this help",
    "ignore-paused": "do it in a paused container, too, which then waits to be resumed",
    "image-path": "directory of the checkpoint (default: checkpoint in the current one)",
    "interval": "time between two lines (default: 5s)",
    "keep": "do not delete the container when it has ended",
    "kernel-memory": "accepted for compatibility: kernels no longer have this limit",
    "kernel-memory-tcp": "accepted for compatibility: kernels no longer have this limit",
    "l3-cache-schema": "refused: Intel RDT is not supported",
    "lazy-pages": "have memory follow when it is used, with userfaultfd(2)",
    "leave-running": "let the container go on afterwards",
    "log": "file for messages (default: standard error)",
    "log-format": "text or json (default: text)",
    "lsm-mount-context": "refused: mounts keep their label",
    "lsm-profile": "security profile of the restored processes, as TYPE:NAME",
    "manage-cgroups-mode": "how criu restores groups within the container's own: soft, full or strict",
    "mem-bw-schema": "refused: Intel RDT is not supported",
    "memory": "limit of memory, in bytes",
    "memory-reservation": "memory to keep under pressure, in bytes",
    "memory-swap": "limit of memory and swap together, in bytes; -1 for none",
    "no-new-keyring": "share the caller's session keyring",
    "no-new-privs": "set no_new_privs for the process",
    "no-pivot": "do not use pivot_root(2), for a root filesystem on a ramdisk",
    "no-subreaper": "accepted for compatibility: none is used",
    "page-server": "ADDRESS:PORT of a criu page server that takes the memory",
    "parent-path": "checkpoint of an earlier --pre-dump, relative to --image-path: save only what has changed since",
    "pid-file": "file to write the process id to",
    "pidfd-socket": "unix socket that gets a pidfd of the process",
    "pids-limit": "how many processes there may be",
    "pre-dump": "save memory alone, and let the container go on",
    "preserve-fds": "how many file descriptors after standard error to pass on",
    "process": "file with a process object of the specification, instead of the options",
    "process-label": "SELinux label of the process",
    "quiet": "ids alone",
    "resources": "file with a resources object of the specification; - is standard input",
    "root": "directory of the containers' state (default: /run/jubako-oci; of a user beneath $XDG_RUNTIME_DIR)",
    "rootless": "for `spec`: of an ordinary user's container; else accepted for compatibility, it is detected",
    "shell-job": "allow a terminal that is not the container's own",
    "stats": "show the use of resources once",
    "status-fd": "file descriptor that gets a byte when the server of --lazy-pages is ready",
    "systemd-cgroup": "have systemd make the groups; cgroupsPath is then slice:prefix:name",
    "tcp-established": "save and restore established TCP connections",
    "tty": "allocate a terminal",
    "user": "numeric user, and group, as uid[:gid]",
    "version": "show the version",
    "work-path": "directory for criu's log and temporary files (default: that of the checkpoint)",
}


def text(command: str) -> str:
    """The help of a command, or the overview for ""."""
    return _command(command) if command else _overview()


def _command(name: str) -> str:
    words = _WORDS.get(name, "<container-id>")
    options = "[option ...] " if COMMANDS[name] else ""
    shown = f"NAME:\n   jubako-oci {name} - {_SUMMARIES[name]}\n\nUSAGE:\n   jubako-oci {name} {options}{words}"
    return shown.rstrip() + "\n" + (f"\nOPTIONS:\n{_options(name, COMMANDS[name])}" if COMMANDS[name] else "")


def _overview() -> str:
    commands = "".join(f"   {name:<10}  {summary}\n" for name, summary in _SUMMARIES.items())
    return (
        "NAME:\n   jubako-oci - run containers from OCI bundles\n\n"
        "USAGE:\n   jubako-oci [global option ...] command [option ...] [argument ...]\n\n"
        f"COMMANDS:\n{commands}   {'help, h':<10}  show this overview, or the help of one command\n\n"
        f"GLOBAL OPTIONS:\n{_options('', GLOBAL)}"
    )


def _options(command: str, table: dict[str, str]) -> str:
    rows = [(_spelled(command, name, kind), _MEANINGS[name]) for name, kind in table.items()]
    width = max(len(spelled) for spelled, _ in rows)
    return "".join(f"   {spelled.ljust(width)}  {meaning}\n" for spelled, meaning in rows)


def _spelled(command: str, name: str, kind: str) -> str:
    shorts = [short for short, long in SHORT.items() if long == name and short not in COMMANDS.get(command, {})]
    if name == "format":
        shorts = ["f"]
    ways = [f"--{name}", *(f"-{short}" for short in shorts)]
    return ", ".join(way if kind == "flag" else f"{way} value" for way in ways)
