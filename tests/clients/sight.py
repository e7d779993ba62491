"""What a container sees of itself, as a shell script prints it, and on common ground for two runtimes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

REPORT = r"""
section() { echo "== $1"; }
section mounts; while read -r _ _ _ rest; do echo "$rest"; done < /proc/self/mountinfo
section status; grep -E '^(Umask|Uid|Gid|Groups|NSpgid|NSsid|Sig(Blk|Ign|Cgt)|Cap|NoNew|Seccomp|.*_allowed_list)' \
    /proc/self/status
section environment; tr '\0' '\n' < /proc/self/environ
section limits; cat /proc/self/limits
section namespaces; for n in /proc/self/ns/*; do echo "${n##*/} $(readlink $n)"; done
section devices; ls -lnA /dev /dev/pts | sed 's/ [A-Z][a-z][a-z] [ 0-9:]* / /; /^d/s/ [0-9]* \([^ ]*\)$/ \1/'
section sysctls; for s in kernel/hostname kernel/domainname kernel/shmmax net/ipv4/ip_unprivileged_port_start \
    net/ipv4/ping_group_range net/ipv4/ip_forward; do echo "$s $(cat /proc/sys/$s)"; done
section ids; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; id
section process; pwd; umask; cd /proc/self
cat oom_score_adj personality timerslack_ns coredump_filter attr/current 2>&1
cut -d' ' -f5-8,18,19 stat; tty; cd /
section files; for f in /proc/self/fd/*; do [ -e $f ] && echo "${f##*/} $(readlink $f | sed 's/:.*//')"; done
section rules; sort /sys/fs/cgroup/devices/devices.list 2>/dev/null
section groups; grep -E ':(memory|pids|devices|cpu|blkio):' /proc/self/cgroup | sed 's/.*:\(.*\):.*\//\1 /'
section writable; for p in / /sys /proc/sys/kernel /dev /dev/shm /tmp; do
    touch $p/x 2>/dev/null && echo $p && rm $p/x; done
section loopback; ifconfig lo | grep -c UP
"""

_MASKED = re.compile(r"/(proc|sys)/\S*")


def _mount(line: str) -> str:
    """One line of mountinfo. What differs between runtimes for a reason is left out:

    the groups and their tmpfs (ours are beneath jubako/, only in hierarchies that are used, and read-only as asked);
    what covers a masked path (an empty tmpfs or /dev/null, ours read-only); peer groups (runc's mounts are slaves of
    the host's by default, ours private); the superblock's ro, which mount(2) sets besides the mount's own; the layers,
    which are another in every container.
    """
    place, _, kind = line.partition(" - ")
    root, point, options, *_ = place.split()
    if point.startswith("/sys/fs/cgroup"):
        return ""
    if _MASKED.fullmatch(point) and (root == "/null" or kind.startswith("tmpfs ")):
        return f"{point} masked"
    kind = re.sub(r"(?<= )r[ow](,|$)", "", kind).partition(" lowerdir=")[0]
    return f"{root} {point} {options} {kind}"


def _namespace(line: str) -> str:
    name, _, inode = line.partition(" ")
    kind = name.removesuffix("_for_children")
    return f"{name} {'the host' if inode == os.readlink(f'/proc/self/ns/{kind}') else 'its own'}"


def _rule(line: str) -> str:
    """runc up to 1.1 lets every container have /dev/net/tun; /dev/console, which the specification names, is ours."""
    return "" if line in ("c 10:200 rwm", "c 5:1 rwm") else line


_FORMS: dict[str, Callable[[str], str]] = {"mounts": _mount, "namespaces": _namespace, "rules": _rule}
_UNORDERED = ("environment", "mounts", "rules")
"""podman takes them from maps, whose order is another in every run."""


def common(text: str, *, ordered: bool) -> dict[str, list[str]]:
    """The sections of a report without what is another in every container."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "ID", text.replace("\r", ""))
    text = re.sub(r"\b[0-9a-f]{12}\b", "SHORT", text)
    found: dict[str, list[str]] = {}
    for part in text.split("== ")[1:]:
        name, *lines = part.splitlines()
        lines = [line for line in map(_FORMS.get(name, str), lines) if line]
        found[name] = lines if ordered or name not in _UNORDERED else sorted(lines)
    return found


def differences(one: str, other: str, *, ordered: bool) -> dict[str, tuple[list[str], list[str]]]:
    """Sections that differ, with the lines that only one has; {} for reports that are equal."""
    left, right = common(one, ordered=ordered), common(other, ordered=ordered)
    assert left.keys() == right.keys() > {"loopback"}, (one[-500:], other[-500:])
    return {
        name: ([x for x in left[name] if x not in right[name]], [x for x in right[name] if x not in left[name]])
        for name in left
        if left[name] != right[name]
    }


def seen_by_exec(peer: Callable[..., str]) -> list[str]:
    """User, variable and directory of a process in the container `one`, as it was told to have them."""
    told = ("-u", "5:6", "-e", "A=b", "-w", "/tmp")
    return peer("exec", *told, "one", "sh", "-c", "id -u; echo $A; pwd").split()
