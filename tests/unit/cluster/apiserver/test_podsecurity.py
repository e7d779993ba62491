"""PodSecurity: each control of the Pod Security Standards, and what admission makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.apiserver.conftest import Cluster, Play, deployment, named, pod

from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.apiserver.podsecurity.levels import LATEST, Level, Standard, policy_of
from jubako.cluster.apiserver.podsecurity.pod import pod_of
from jubako.cluster.apiserver.podsecurity.standards import violations
from jubako.cluster.types.document import Object, child

PREFIX = "pod-security.kubernetes.io/"
GOOD: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def made(container: dict[str, Any] | None = None, annotations: dict[str, str] | None = None, **spec: Any) -> Object:
    """A pod that restricted allows, but for what is given."""
    more = dict(container or {})
    context = {**GOOD, **more.pop("securityContext", {})}
    containers = [{"name": "a", "securityContext": context, **more}]
    return {"metadata": {"annotations": annotations or {}}, "spec": {"containers": containers, **spec}}


def context(**more: Any) -> Object:
    return made({"securityContext": more})


def told(document: Object, level: Level, minor: int = LATEST) -> list[str]:
    return [str(each) for each in violations(Standard(level, minor), pod_of(document))]


BASELINE: list[tuple[Object, str]] = [
    (made(hostNetwork=True, hostPID=True), "host namespaces (hostNetwork=true, hostPID=true)"),
    (context(privileged=True), 'privileged (container "a" must not set securityContext.privileged=true)'),
    (
        made({"ports": [{"hostPort": 90}, {"hostPort": 80}, {"containerPort": 1}]}),
        'hostPort (container "a" uses hostPorts 80, 90)',
    ),
    (
        made({"lifecycle": {"preStop": {"httpGet": {"host": "h"}}}, "livenessProbe": {"tcpSocket": {"host": "g"}}}),
        'probe or lifecycle host (container "a" uses probe or lifecycle hosts "g", "h")',
    ),
    (context(procMount="Unmasked"), 'procMount (container "a" must not set securityContext.procMount to "Unmasked")'),
    (
        made(securityContext={"seLinuxOptions": {"type": "spc_t", "user": "u", "role": "r"}}),
        'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; '
        "role may not be set)",
    ),
    (
        made(securityContext={"sysctls": [{"name": "kernel.msgmax"}, {"name": "net.ipv4.tcp_rmem"}]}),
        "forbidden sysctls (kernel.msgmax)",
    ),
    (
        made(securityContext={"windowsOptions": {"hostProcess": True}}),
        "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
    ),
    (
        context(appArmorProfile={"type": "Unconfined"}),
        'forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined")',
    ),
    (
        made(annotations={"container.apparmor.security.beta.kubernetes.io/a": "unconfined"}),
        "forbidden AppArmor profile (annotation must not set AppArmor profile type to "
        '"container.apparmor.security.beta.kubernetes.io/a="unconfined"")',
    ),
]
BASELINE_ALONE: list[tuple[Object, str]] = [
    (
        context(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN", "CHOWN", "NET_RAW"]}),
        'non-default capabilities (container "a" must not include "NET_RAW", "SYS_ADMIN" in '
        "securityContext.capabilities.add)",
    ),
    (made(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), 'hostPath volumes (volume "v")'),
    (
        context(seccompProfile={"type": "Unconfined"}),
        'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
    ),
]
RESTRICTED: list[tuple[Object, str]] = [
    (
        context(allowPrivilegeEscalation=True),
        'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)',
    ),
    (
        context(capabilities={"add": ["CHOWN", "NET_BIND_SERVICE"]}),
        'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; container "a" '
        'must not include "CHOWN" in securityContext.capabilities.add)',
    ),
    (
        made(volumes=[{"name": "v", "hostPath": {"path": "/"}}, {"name": "w", "nfs": {}}, {"name": "x", "image": {}}]),
        'restricted volume types (volumes "v", "w" use restricted volume types "hostPath", "nfs")',
    ),
    (
        context(runAsNonRoot=None),
        'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
    ),
    (
        context(runAsNonRoot=False),
        'runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)',
    ),
    (context(runAsUser=0), 'runAsUser=0 (container "a" must not set runAsUser=0)'),
    (
        context(seccompProfile=None),
        'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or '
        '"Localhost")',
    ),
]


@pytest.mark.parametrize(("document", "expected"), BASELINE)
def test_a_control_of_baseline_counts_for_restricted_too(document: Object, expected: str) -> None:
    assert (told(document, "baseline"), told(document, "restricted")) == ([expected], [expected])
    assert told(document, "privileged") == []


@pytest.mark.parametrize(("document", "expected"), BASELINE_ALONE)
def test_a_control_that_restricted_has_a_stricter_one_of(document: Object, expected: str) -> None:
    assert told(document, "baseline") == [expected]
    assert len(told(document, "restricted")) == 1


@pytest.mark.parametrize(("document", "expected"), RESTRICTED)
def test_a_control_of_restricted(document: Object, expected: str) -> None:
    assert told(document, "restricted") == [expected]


def test_what_a_container_does_not_say_its_pod_may_say_for_it() -> None:
    whole = context(runAsNonRoot=None, seccompProfile=None)
    child(whole, "spec")["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "Localhost"}}
    assert told(whole, "restricted") == []
    child(whole, "spec")["ephemeralContainers"] = [{"name": "e"}]
    assert [each.split(" (")[0] for each in told(whole, "restricted")] == [
        "allowPrivilegeEscalation != false", "unrestricted capabilities",
    ]  # fmt: skip


VERSIONS: list[tuple[Object, Level, int, int]] = [
    (made(securityContext={"sysctls": [{"name": "net.ipv4.ip_local_reserved_ports"}]}), "baseline", 26, 27),
    (made(securityContext={"sysctls": [{"name": "net.ipv4.tcp_fin_timeout"}]}), "baseline", 28, 29),
    (made(securityContext={"sysctls": [{"name": "net.ipv4.tcp_wmem"}]}), "baseline", 31, 32),
    (context(seLinuxOptions={"type": "container_engine_t"}), "baseline", 30, 31),
    ({**made(annotations={"seccomp.security.alpha.kubernetes.io/pod": "unconfined"})}, "baseline", 18, 19),
    (
        context(procMount="Unmasked") | {"spec": {**context(procMount="Unmasked")["spec"], "hostUsers": False}},
        "baseline",
        34,
        35,
    ),  # type: ignore[dict-item]
    (made({"securityContext": {"runAsUser": 0, "runAsNonRoot": False}}, hostUsers=False), "restricted", 34, 35),
    (made({"securityContext": {"allowPrivilegeEscalation": True}}, os={"name": "windows"}), "restricted", 24, 25),
]


@pytest.mark.parametrize(("document", "level", "last", "first"), VERSIONS)
def test_newer_versions_allow_more(document: Object, level: Level, last: int, first: int) -> None:
    assert told(document, level, last)
    assert told(document, level, first) == told(document, level) == []


def test_older_versions_ask_for_less() -> None:
    probe = made({"livenessProbe": {"httpGet": {"host": "h"}}})
    assert (len(told(probe, "baseline", 33)), len(told(probe, "baseline", 34))) == (0, 1)
    bare: Object = {"spec": {"containers": [{"name": "a"}]}}
    names = {
        minor: {each.split(" ")[0] for each in told(bare, "restricted", minor)} for minor in (7, 8, 18, 19, 21, 22)
    }
    assert names[7] == {"runAsNonRoot"}
    assert names[8] == names[18] == {"runAsNonRoot", "allowPrivilegeEscalation"}
    assert names[19] == names[21] == names[8] | {"seccompProfile"}
    assert names[22] == names[19] | {"unrestricted"}


def test_labels_that_can_not_be_read_enforce_the_strictest() -> None:
    policy, wrong = policy_of({
        "labels": {f"{PREFIX}enforce": "Baseline", f"{PREFIX}warn": "x", f"{PREFIX}audit-version": "v1.09"},
    })  # fmt: skip
    assert (str(policy.enforce), policy.warn.level) == ("restricted:latest", "privileged")
    assert [str(each) for each in wrong] == [
        f'metadata.labels[{PREFIX}enforce]: Invalid value: "Baseline": must be one of privileged, baseline, restricted',
        f'metadata.labels[{PREFIX}audit-version]: Invalid value: "v1.09": must be "latest" or "v1.x"',
        f'metadata.labels[{PREFIX}warn]: Invalid value: "x": must be one of privileged, baseline, restricted',
    ]
    assert str(
        policy_of({"labels": {f"{PREFIX}enforce": "baseline", f"{PREFIX}enforce-version": "v1.9"}})[0].enforce
    ) == ("baseline:v1.9")


async def spaced(cluster: Cluster, **labels: str) -> None:
    """Make the namespace n with labels."""
    given: Object = {f"{PREFIX}{mode.replace('_', '-')}": value for mode, value in labels.items()}
    await cluster.create("/api/v1/namespaces", named("n", labels=given))
    await cluster.create("/api/v1/namespaces/n/serviceaccounts", named("default"))


PODS = "/api/v1/namespaces/n/pods"


def test_a_pod_is_refused_and_what_makes_such_pods_is_warned_of(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await spaced(cluster, enforce="restricted", warn="baseline", audit="baseline", audit_version="v1.30")
        with pytest.raises(Failure) as refused:
            await cluster.create(PODS, pod(hostIPC=True))
        assert refused.value.code == 403
        assert refused.value.message.startswith(
            'pods "p" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostIPC=true), '
            'allowPrivilegeEscalation != false (container "c" must set'
        )
        request = cluster.request("POST", "/apis/apps/v1/namespaces/n/deployments")
        document = deployment()
        child(child(child(document, "spec"), "template"), "spec")["hostPID"] = True
        await cluster.api.writer.create(request, {"kind": "Deployment", "apiVersion": "apps/v1", **document})
        assert request.notes.warnings == ['would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)']
        assert request.notes.annotations == {
            f"{PREFIX}audit-violations": 'would violate PodSecurity "baseline:v1.30": host namespaces (hostPID=true)'
        }

    play(scene)


def test_what_was_there_before_goes_on_until_its_image_changes(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await spaced(cluster)
        for name in ("q", "p"):
            await cluster.create(PODS, pod(name))

        def enforced(old: Object) -> Object:
            return {**old, "metadata": {**child(old, "metadata"), "labels": {f"{PREFIX}enforce": "restricted"}}}

        request = cluster.request("PUT", "/api/v1/namespaces/n")
        await cluster.api.writer.update(request, enforced)
        assert request.notes.warnings == [
            'existing pods in namespace "n" violate the new PodSecurity enforce level "restricted:latest"',
            "p (and 1 other pod): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, "
            "seccompProfile",
        ]

        def labelled(old: Object) -> Object:
            return {**old, "metadata": {**child(old, "metadata"), "labels": {"a": "b"}}}

        def another(old: Object) -> Object:
            spec = child(old, "spec")
            return {**old, "spec": {**spec, "containers": [{**spec["containers"][0], "image": "x"}]}}  # type: ignore[index,dict-item,call-overload]

        await cluster.update(f"{PODS}/p", labelled)
        with pytest.raises(Failure, match='pods "p" is forbidden: violates PodSecurity'):
            await cluster.update(f"{PODS}/p", another)

    play(scene)


def test_a_namespace_with_a_label_that_says_nothing_is_invalid(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        with pytest.raises(Failure, match=r'Namespace "n" is invalid: metadata.labels\[pod-security'):
            await spaced(cluster, enforce="strict")

    play(scene)
