"""A pod's hosts file: its own name, and what hostAliases says; on the host's network what the host has.

Spec: "Adding entries to Pod /etc/hosts with HostAliases"; k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from jubako.cluster.objects import Object, flag, name, objects, text, words

PATH = "/etc/hosts"
_MANAGED = "# Kubernetes-managed hosts file"
_STANDARD = """\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""


def render(pod: Object, address: str, domain: str, on_host: str = "") -> str:
    """Return the text; `domain` is where the pod's name is, `on_host` what the host's own file says."""
    if flag(pod, "spec", "hostNetwork"):
        return f"{_MANAGED} (host network).\n{on_host}{_aliases(pod)}"
    host = text(pod, "spec", "hostname") or name(pod)[:63]
    own = f"{host}.{domain}\t{host}" if domain else host
    return f"{_MANAGED}.\n{_STANDARD}{address}\t{own}\n{_aliases(pod)}"


def write(path: Path, pod: Object, address: str, domain: str) -> None:
    """Write it in place, where it is another than it was: running containers have the file itself."""
    host = ""
    with suppress(OSError):
        host = Path(PATH).read_text(errors="surrogateescape")
    wanted = render(pod, address, domain, host).encode(errors="surrogateescape")
    with suppress(FileNotFoundError):
        if path.read_bytes() == wanted:
            return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    path.write_bytes(wanted)
    path.chmod(0o644)


def _aliases(pod: Object) -> str:
    found = objects(pod, "spec", "hostAliases")
    lines = ["\t".join([text(each, "ip"), *words(each, "hostnames")]) + "\n" for each in found]
    return "".join(["\n# Entries added by HostAliases.\n", *lines]) if lines else ""
