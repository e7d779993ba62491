"""kubectl and pods that do not run, or run within bounds: reasons, messages and events, word for word."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.clients.kube_case import apply, becomes, container, events, read, run, state, waiting
from tests.clients.kubectl import Kubectl
from tests.clients.test_kubectl import kubectl

from jubako.linux.proc import permitted_capabilities

__all__ = ["kubectl"]
pytestmark = [pytest.mark.clients, pytest.mark.root]


def uid(kubectl: Kubectl, pod: str) -> str:
    found: str = read(kubectl, "pod", pod)["metadata"]["uid"]
    return found


def test_who_may_not_be_root_is_not(kubectl: Kubectl) -> None:
    run(kubectl, "rootless", ready=False, securityContext={"runAsNonRoot": True})
    where = f'(pod: "rootless_default({uid(kubectl, "rootless")})", container: main)'
    said = f"container has runAsNonRoot and image will run as root {where}"
    becomes(lambda: waiting(kubectl, "rootless"), ("CreateContainerConfigError", said))
    assert ("Failed", f"Error: {said}") in events(kubectl, "rootless")
    assert kubectl("get", "pod", "rootless", "--no-headers").split()[2] == "CreateContainerConfigError"
    kubectl("delete", "pod", "rootless")


def test_a_full_name_that_is_too_long_for_the_kernel(kubectl: Kubectl) -> None:
    run(kubectl, "n" * 50, ready=False, subdomain="sub", setHostnameAsFQDN=True)
    full = f"{'n' * 50}.sub.default.svc.cluster.local"
    why = f"FQDN {full} is too long (64 characters is the max, {len(full)} characters requested)"
    said = f"Failed to create pod sandbox: failed to construct FQDN from pod hostname and cluster domain, {why}"
    becomes(lambda: ("FailedCreatePodSandBox", said) in events(kubectl, "n" * 50), True)
    kubectl("delete", "pod", "n" * 50)


def test_a_container_whose_image_changes_is_made_anew(kubectl: Kubectl) -> None:
    run(kubectl, "changed")
    kubectl("set", "image", "pod/changed", "main=busybox:1")
    becomes(lambda: read(kubectl, "pod", "changed")["status"]["containerStatuses"][0]["restartCount"], 1)
    assert ("Killing", "Container main definition changed, will be restarted") in events(kubectl, "changed")
    kubectl("delete", "pod", "changed")


def test_a_name_that_no_image_has(kubectl: Kubectl) -> None:
    run(kubectl, "upper", {**container(), "image": "UPPER:x"}, ready=False)
    becomes(lambda: waiting(kubectl, "upper")[0], "InvalidImageName")
    said = dict(events(kubectl, "upper"))
    assert said["InspectFailed"].startswith('Failed to apply default image tag "UPPER:x": couldn\'t parse image name')
    assert said["Failed"] == "Error: InvalidImageName"
    kubectl("delete", "pod", "upper")


def test_an_image_that_can_not_be_pulled(kubectl: Kubectl) -> None:
    image = "127.0.0.1:1/none:x"
    never = {**container("never"), "image": "none:x", "imagePullPolicy": "Never"}
    run(kubectl, "imageless", {**container("main"), "image": image}, never, ready=False)
    becomes(lambda: waiting(kubectl, "imageless", "main")[0], "ErrImagePull")
    becomes(lambda: waiting(kubectl, "imageless", "main")[0], "ImagePullBackOff")
    assert waiting(kubectl, "imageless", "main")[1].startswith(f'Back-off pulling image "{image}": ErrImagePull: ')
    said = 'Container image "none:x" is not present with pull policy of Never'
    assert waiting(kubectl, "imageless", "never") == ("ErrImageNeverPull", said)
    told = events(kubectl, "imageless")
    assert {("ErrImageNeverPull", said), ("BackOff", f'Back-off pulling image "{image}"')} <= set(told)
    assert {"Error: ErrImagePull", "Error: ImagePullBackOff", "Error: ErrImageNeverPull"} <= {each[1] for each in told}
    kubectl("delete", "pod", "imageless")


def test_secrets_of_pods_that_are_not_there_are_named(kubectl: Kubectl) -> None:
    config = {"auths": {"127.0.0.1:1": {"auth": base64.b64encode(b"joe:pass").decode()}}}
    apply(
        kubectl,
        "Secret",
        "reg",
        type="kubernetes.io/dockerconfigjson",
        stringData={".dockerconfigjson": json.dumps(config)},
    )
    names = [{"name": "reg"}, {"name": "none"}]
    run(kubectl, "secretless", {**container(), "image": "127.0.0.1:1/x:y"}, ready=False, imagePullSecrets=names)
    said = "Unable to retrieve some image pull secrets (none); attempting to pull the image may not succeed."
    becomes(lambda: ("FailedToRetrieveImagePullSecret", said) in events(kubectl, "secretless"), True)
    kubectl("delete", "pod/secretless", "secret/reg")


@pytest.mark.parametrize(
    ("security", "reason", "why"),
    [
        (
            {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]},
            "SysctlForbidden",
            'forbidden sysctl: "kernel.msgmax" not allowlisted',
        ),
        (
            {"appArmorProfile": {"type": "RuntimeDefault"}},
            "AppArmor",
            "Cannot enforce AppArmor: AppArmor is not enabled on the host",
        ),
    ],
)
def test_a_pod_that_the_node_refuses(kubectl: Kubectl, security: dict[str, Any], reason: str, why: str) -> None:
    run(kubectl, "refused", ready=False, securityContext=security)
    becomes(lambda: read(kubectl, "pod", "refused")["status"]["phase"], "Failed")
    status = read(kubectl, "pod", "refused")["status"]
    assert (status["reason"], status["message"]) == (reason, f"Pod was rejected: {why}")
    assert (reason, why) in events(kubectl, "refused")
    kubectl("delete", "pod", "refused")


def test_a_pod_past_its_deadline(kubectl: Kubectl) -> None:
    run(kubectl, "late", activeDeadlineSeconds=2)
    becomes(lambda: read(kubectl, "pod", "late")["status"]["phase"], "Failed")
    status = read(kubectl, "pod", "late")["status"]
    said = "Pod was active on the node longer than the specified deadline"
    assert (status["reason"], status["message"]) == ("DeadlineExceeded", said)
    assert "terminated" in state(kubectl, "late")
    assert ("DeadlineExceeded", said) in events(kubectl, "late")
    becomes(lambda: conditions(kubectl, "late")["PodReadyToStartContainers"]["status"], "False")
    assert conditions(kubectl, "late")["Ready"]["reason"] == "PodFailed"
    kubectl("delete", "pod", "late")


def conditions(kubectl: Kubectl, pod: str) -> dict[str, dict[str, Any]]:
    return {each["type"]: each for each in read(kubectl, "pod", pod)["status"]["conditions"]}


def test_what_can_not_be_started_and_what_takes_too_much(kubectl: Kubectl) -> None:
    broken = {**container("broken"), "command": ["/no/such"]}
    greedy = container("greedy", resources={"limits": {"memory": "16Mi"}})
    greedy["command"] = ["sh", "-c", "x=a; while :; do x=$x$x; done"]
    run(kubectl, "ended", broken, greedy, ready=False, restartPolicy="Never")
    becomes(lambda: read(kubectl, "pod", "ended")["status"]["phase"], "Failed")
    found = state(kubectl, "ended", container="broken")["terminated"]
    assert (found["reason"], found["exitCode"], found["startedAt"]) == ("StartError", 128, "1970-01-01T00:00:00Z")
    found = state(kubectl, "ended", container="greedy")["terminated"]
    assert (found["reason"], found["exitCode"]) == ("OOMKilled", 137)
    kubectl("delete", "pod", "ended")


def test_what_can_not_be_started_is_tried_again_later_each_time(kubectl: Kubectl) -> None:
    run(kubectl, "broken", {**container(), "command": ["/no/such"]}, ready=False)
    becomes(lambda: waiting(kubectl, "broken")[0] in ("RunContainerError", "CrashLoopBackOff"), True)
    becomes(lambda: waiting(kubectl, "broken")[0], "CrashLoopBackOff")
    assert state(kubectl, "broken", "lastState")["terminated"]["reason"] == "StartError"
    assert read(kubectl, "pod", "broken")["status"]["containerStatuses"][0]["restartCount"] == 1
    kubectl("delete", "pod", "broken")


def test_a_security_context_whole(kubectl: Kubectl) -> None:
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    whole = {"runAsUser": 1000, "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "80"}]}
    free = container("free", securityContext={"privileged": True, "runAsUser": 0})
    run(kubectl, "secure", container(securityContext=security), free, securityContext=whole)
    script = "id -u; grep -E 'NoNewPrivs|CapBnd|^Seccomp:' /proc/1/status; touch /x; "
    script += "cat /proc/sys/net/ipv4/ip_unprivileged_port_start"
    found = kubectl("exec", "secure", "-c", "main", "--", "sh", "-c", f"{{ {script}; }} 2>&1")
    assert found.split("\n")[:-1] == [
        "1000",
        "CapBnd:\t0000000000000400",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
        "touch: /x: Read-only file system",
        "80",
    ]
    found = kubectl("exec", "secure", "-c", "free", "--", "sh", "-c", "id -u; grep ^Seccomp: /proc/1/status")
    assert found == "0\nSeccomp:\t0\n"
    kubectl("delete", "pod", "secure")


def test_a_seccomp_profile_that_is_not_there(kubectl: Kubectl) -> None:
    profile = {"type": "Localhost", "localhostProfile": "none.json"}
    run(kubectl, "profiled", container(securityContext={"seccompProfile": profile}), ready=False)
    becomes(lambda: "none.json" in str(events(kubectl, "profiled")), True)
    kubectl("delete", "pod", "profiled")


def test_namespaces_of_the_host_and_of_the_pod(kubectl: Kubectl) -> None:
    run(kubectl, "sharing", container("one"), container("two"), shareProcessNamespace=True)
    assert kubectl("exec", "sharing", "-c", "two", "--", "ps").count("sleep 1000") >= 2
    run(kubectl, "onhost", hostPID=True, hostNetwork=True)
    assert kubectl("exec", "onhost", "--", "readlink", "/proc/self/ns/net").strip() == os.readlink("/proc/self/ns/net")
    kubectl("delete", "pod", "sharing", "onhost")


def test_resources_reach_cgroups_and_the_class_the_kernel(kubectl: Kubectl) -> None:
    whole = {"cpu": "100m", "memory": "32Mi"}
    run(kubectl, "guaranteed", container(resources={"limits": whole}))
    assert read(kubectl, "pod", "guaranteed")["status"]["qosClass"] == "Guaranteed"
    # Without CAP_SYS_RESOURCE nobody is spared more than the cluster itself.
    own = Path("/proc/self/oom_score_adj").read_text()
    spared = "-997\n" if permitted_capabilities() >> 24 & 1 else own
    assert kubectl("exec", "guaranteed", "--", "cat", "/proc/1/oom_score_adj") == spared
    run(kubectl, "effort")
    assert kubectl("exec", "effort", "--", "cat", "/proc/1/oom_score_adj") == "1000\n"
    kubectl("delete", "pod", "guaranteed", "effort")


def test_variables_come_from_everywhere(kubectl: Kubectl) -> None:
    apply(kubectl, "ConfigMap", "vars", data={"A": "a", "b-c": "d"})
    apply(kubectl, "Secret", "words", stringData={"S": "s"})
    env = [
        {"name": "OWN", "value": "1"},
        {"name": "REF", "value": "$(OWN)-$(P_A)-$$(OWN)-$(NONE)"},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
        {"name": "S", "valueFrom": {"secretKeyRef": {"name": "words", "key": "S"}}},
        {"name": "O", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "S", "optional": True}}},
    ]
    sources = [{"prefix": "P_", "configMapRef": {"name": "vars"}}]
    main = container(env=env, envFrom=sources, resources={"limits": {"cpu": "250m"}})
    run(kubectl, "varied", main)
    found = dict(line.split("=", 1) for line in kubectl("exec", "varied", "--", "env").splitlines())
    node = read(kubectl, "nodes")["items"][0]["metadata"]["name"]
    ip = read(kubectl, "pod", "varied")["status"]["podIP"]
    wanted = {"REF": "1-a-$(OWN)-$(NONE)", "NODE": node, "IP": ip, "CPU": "250", "S": "s", "P_A": "a", "P_b-c": "d"}
    assert {key: found.get(key) for key in (*wanted, "O")} == {**wanted, "O": None}
    kubectl("delete", "pod/varied", "cm/vars", "secret/words")
