"""A pod and its containers -> the engine's options. Spec: core/v1 PodSpec, Container, SecurityContext."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from jubako.cluster.node import resources
from jubako.cluster.node.environment import expanded
from jubako.cluster.types.document import Object, array, at, integer, mapping, objects, text
from jubako.engine import CreateOptions
from jubako.engine.pods.record import PodOptions
from jubako.errors import InvalidArgument
from jubako.linux import proc

UID_LABEL, CLUSTER_LABEL = "io.kubernetes.pod.uid", "dev.jubako.cluster"
MESSAGE_POLICY, FALLBACK_TO_LOGS = "io.kubernetes.container.terminationMessagePolicy", "FallbackToLogsOnError"
_CAP_SYS_RESOURCE = 24
_LONGEST_NAME = 64


class Dns(msgspec.Struct, frozen=True, kw_only=True):
    """What resolv.conf of a pod has, and the domain of its own name, where it has one."""

    domain: str = ""
    servers: Sequence[str] = ()
    searches: Sequence[str] = ()
    options: Sequence[str] = ()


def labels(cluster: str, pod: Object) -> dict[str, str]:
    """Return what tells whose a sandbox or container of the engine is."""
    metadata = mapping(pod["metadata"])
    return {
        CLUSTER_LABEL: cluster,
        UID_LABEL: text(metadata.get("uid")),
        "io.kubernetes.pod.name": text(metadata.get("name")),
        "io.kubernetes.pod.namespace": text(metadata.get("namespace")),
    }


def sandbox_name(cluster: str, pod: Object) -> str:
    """Return the name of the engine's pod, by which it is found."""
    metadata = mapping(pod["metadata"])
    return "_".join(
        (cluster, *(text(metadata.get(field)) for field in ("namespace", "name")), text(metadata.get("uid"))[:8])
    )


def sandbox(cluster: str, pod: Object, dns: Dns) -> PodOptions:
    """Return the options of the engine's pod."""
    spec, metadata = mapping(pod.get("spec")), mapping(pod["metadata"])
    on_host = spec.get("hostNetwork") is True
    shared = ["net", "ipc", "uts", *(["pid"] if spec.get("shareProcessNamespace") else [])]
    host = [kind for kind, field in (("ipc", "hostIPC"), ("pid", "hostPID")) if spec.get(field)]
    if on_host:
        host.append("uts")
    name = text(spec.get("hostname")) or text(metadata.get("name"))[:63]
    is_full = spec.get("setHostnameAsFQDN") is True and dns.domain != ""
    if is_full:
        _check_length(f"{name}.{dns.domain}")
    return PodOptions(
        name=sandbox_name(cluster, pod),
        labels=labels(cluster, pod),
        hostname="" if on_host else f"{name}.{dns.domain}" if is_full else name,
        own_domain="" if is_full else dns.domain,
        network="host" if on_host else "bridge",
        share=[kind for kind in shared if kind not in host],
        host=host,
        sysctls={
            text(each.get("name")): text(each.get("value")) for each in objects(at(spec, "securityContext", "sysctls"))
        },
        publish=_published(spec) if not on_host else [],
        dns=list(dns.servers),
        dns_search=list(dns.searches),
        dns_options=list(dns.options),
        **resources.of_pod(pod),
    )


def _check_length(name: str) -> None:
    """uts(7): what the kernel takes as a host's name. Raises InvalidArgument."""
    if len(name) > _LONGEST_NAME:
        why = f"({_LONGEST_NAME} characters is the max, {len(name)} characters requested)"
        told = f"failed to construct FQDN from pod hostname and cluster domain, FQDN {name} is too long {why}"
        raise InvalidArgument(told)


def _published(spec: Object) -> list[str]:
    found = []
    for container in objects(spec.get("containers")):
        for port in objects(container.get("ports")):
            if number := integer(port.get("hostPort")):
                address = f"{text(port.get('hostIP'))}:" if port.get("hostIP") else ""
                protocol = (text(port.get("protocol")) or "TCP").lower()
                found.append(f"{address}{number}:{integer(port.get('containerPort'))}/{protocol}")
    return found


def container(
    cluster: str,
    pod: Object,
    each: Object,
    sandbox_id: str,
    env: Mapping[str, str],
    mounts: Sequence[str],
    attempt: int,
    profiles: Path,
    beside: str = "",
) -> CreateOptions:
    """Return the options of one attempt of a container, which sees the processes of the one that it is `beside`.

    `profiles` has those of seccomp that pods name.
    """
    spec = mapping(pod.get("spec"))
    own, whole = mapping(each.get("securityContext")), mapping(spec.get("securityContext"))
    command, arguments = _words(each.get("command"), env), _words(each.get("args"), env)
    return CreateOptions(
        image=text(each.get("image")),
        pull="never",
        pod=sandbox_id,
        member=text(each.get("name")),
        attempt=attempt,
        pid=f"container:{beside}" if beside else "",
        labels=labels(cluster, pod),
        annotations={MESSAGE_POLICY: text(each.get("terminationMessagePolicy")) or "File"},
        termination_message_path=text(each.get("terminationMessagePath")) or "/dev/termination-log",
        entrypoint=command,
        command=arguments if arguments is not None or command is None else [],
        env=[f"{name}={value}" for name, value in env.items()],
        workdir=text(each.get("workingDir")),
        user=_user(own, whole),
        group_add=[str(group) for group in _groups(whole)],
        log_driver="k8s-file",
        tty=each.get("tty") is True,
        open_stdin=each.get("stdin") is True,
        mounts=list(mounts),
        read_only=own.get("readOnlyRootFilesystem") is True,
        privileged=own.get("privileged") is True,
        cap_add=_capabilities(own, "add"),
        cap_drop=_capabilities(own, "drop"),
        security_opt=_security(own, whole, profiles),
        oom_score_adj=_possible(resources.oom_score_adj(each, text(at(pod, "status", "qosClass")))),
        **resources.of_container(each),
    )


def _possible(oom_score_adj: int) -> int:
    """Without CAP_SYS_RESOURCE nobody can make the kernel spare a process more than itself is spared: proc(5)."""
    if proc.permitted_capabilities() >> _CAP_SYS_RESOURCE & 1:
        return oom_score_adj
    return max(oom_score_adj, int(Path("/proc/self/oom_score_adj").read_text()))


def _words(value: object, env: Mapping[str, str]) -> list[str] | None:
    return [expanded(str(word), env) for word in value] if isinstance(value, list) else None


def _user(own: Object, whole: Object) -> str:
    user = own.get("runAsUser", whole.get("runAsUser"))
    group = own.get("runAsGroup", whole.get("runAsGroup"))
    if user is None:
        return f"0:{group}" if group is not None else ""
    return f"{user}:{group}" if group is not None else str(user)


def _groups(whole: Object) -> list[int]:
    extra = [integer(each) for each in array(whole.get("supplementalGroups"))]
    return [*extra, integer(whole["fsGroup"])] if whole.get("fsGroup") is not None else extra


def _capabilities(own: Object, verb: str) -> list[str]:
    return [text(each) for each in array(at(own, "capabilities", verb))]


def _security(own: Object, whole: Object, profiles: Path) -> list[str]:
    options = []
    if own.get("allowPrivilegeEscalation") is False:
        options.append("no-new-privileges")
    if own.get("procMount") == "Unmasked":
        options.append("systempaths=unconfined")
    profile = mapping(own.get("seccompProfile")) or mapping(whole.get("seccompProfile"))
    if profile.get("type") == "Unconfined":
        options.append("seccomp=unconfined")
    elif profile.get("type") == "Localhost":
        options.append(f"seccomp={profiles / text(profile.get('localhostProfile'))}")
    return options
