"""kubectl and volumes: what a pod mounts is what a user of Kubernetes expects there, and changes when that does."""

from __future__ import annotations

import json
import os
import time

import pytest
from tests.clients.kube_case import apply, becomes, container, events, read, run, waiting
from tests.clients.kubectl import Kubectl
from tests.clients.test_kubectl import kubectl

__all__ = ["kubectl"]
pytestmark = [pytest.mark.clients, pytest.mark.root]


def test_projections_are_renewed_while_a_pod_runs_and_parts_of_them_are_not(kubectl: Kubectl) -> None:
    apply(kubectl, "ConfigMap", "conf", data={"a": "1"})
    apply(kubectl, "Secret", "word", stringData={"s": "x"})
    mounts = [
        {"name": "c", "mountPath": "/c"},
        {"name": "s", "mountPath": "/s"},
        {"name": "d", "mountPath": "/d"},
        {"name": "c", "mountPath": "/part", "subPath": "a"},
    ]
    labels = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
    volumes = [
        {"name": "c", "configMap": {"name": "conf"}},
        {"name": "s", "projected": {"sources": [{"secret": {"name": "word"}}], "defaultMode": 0o400}},
        {"name": "d", "downwardAPI": {"items": labels}},
    ]
    run(kubectl, "renewed", container(volumeMounts=mounts), volumes=volumes)

    def files() -> str:
        return kubectl("exec", "renewed", "--", "sh", "-c", "cat /c/a /s/s /d/labels /part; ls /c")

    assert files() == '1xapp="renewed"1a\n'
    kubectl("patch", "cm", "conf", "-p", '{"data":{"a":"2","b":""}}')
    kubectl("patch", "secret", "word", "-p", '{"stringData":{"s":"y"}}')
    kubectl("label", "pod", "renewed", "app=other", "--overwrite")
    becomes(files, '2yapp="other"1a\nb\n')
    assert kubectl("exec", "renewed", "--", "sh", "-c", "stat -Lc %a /s/s; touch /c/x 2>&1 || true").split("\n")[
        :2
    ] == [
        "400",
        "touch: /c/x: Read-only file system",
    ]
    kubectl("delete", "pod/renewed", "cm/conf", "secret/word")


def test_what_is_immutable_stays_for_a_pod_that_has_it(kubectl: Kubectl) -> None:
    apply(kubectl, "ConfigMap", "fixed", data={"a": "1"}, immutable=True)
    apply(kubectl, "ConfigMap", "loose", data={"a": "1"})
    mounts = [{"name": "f", "mountPath": "/f"}, {"name": "l", "mountPath": "/l"}]
    volumes = [{"name": name[0], "configMap": {"name": name}} for name in ("fixed", "loose")]
    run(kubectl, "holder", container(volumeMounts=mounts), volumes=volumes)
    for name in ("fixed", "loose"):
        kubectl("delete", "cm", name)
        apply(kubectl, "ConfigMap", name, data={"a": "2"}, immutable=name == "fixed")
    becomes(lambda: kubectl("exec", "holder", "--", "cat", "/l/a"), "2")
    assert kubectl("exec", "holder", "--", "cat", "/f/a") == "1"
    kubectl("delete", "pod/holder", "cm/fixed", "cm/loose")


def test_a_pod_waits_for_what_it_is_made_of_and_begins_when_it_is_there(kubectl: Kubectl) -> None:
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "late", "key": "a"}}}]
    run(kubectl, "early", container(env=env), ready=False)
    becomes(lambda: waiting(kubectl, "early"), ("CreateContainerConfigError", 'configmap "late" not found'))
    assert 'Error: configmap "late" not found' in kubectl("describe", "pod", "early")
    apply(kubectl, "ConfigMap", "late", data={"b": "1"})
    where = "couldn't find key a in ConfigMap default/late"
    becomes(lambda: waiting(kubectl, "early"), ("CreateContainerConfigError", where))
    kubectl("patch", "cm", "late", "-p", '{"data":{"a":"1"}}')
    kubectl("wait", "--for=condition=Ready", "pod/early", "--timeout=20s")
    kubectl("delete", "pod/early", "cm/late")


def test_a_volume_whose_source_is_missing_says_so(kubectl: Kubectl) -> None:
    volumes = [{"name": "v", "secret": {"secretName": "absent"}}]
    run(kubectl, "lacking", volumes=volumes, ready=False)
    said = 'MountVolume.SetUp failed for volume "v" : secret "absent" not found'
    becomes(lambda: said in kubectl("describe", "pod", "lacking"), True)
    assert waiting(kubectl, "lacking")[0] == "ContainerCreating"
    apply(kubectl, "Secret", "absent", stringData={"s": "x"})
    kubectl("wait", "--for=condition=Ready", "pod/lacking", "--timeout=20s")
    kubectl("delete", "pod/lacking", "secret/absent")


def test_sub_paths_are_made_and_named_by_variables(kubectl: Kubectl) -> None:
    env = [{"name": "WHO", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    mounts = [
        {"name": "v", "mountPath": "/whole"},
        {"name": "v", "mountPath": "/logs", "subPathExpr": "logs/$(WHO)"},
        {"name": "v", "mountPath": "/comma", "subPath": "a,b"},
    ]
    run(kubectl, "parted", container(env=env, volumeMounts=mounts), volumes=[{"name": "v", "emptyDir": {}}])
    kubectl("exec", "parted", "--", "sh", "-c", "echo x > /logs/f; echo y > /comma/g")
    said = kubectl("exec", "parted", "--", "sh", "-c", "cat /whole/logs/parted/f '/whole/a,b/g'; stat -c %a /logs")
    assert said == "x\ny\n777\n"
    kubectl("delete", "pod/parted")


def test_a_variable_that_is_not_there_names_no_sub_path(kubectl: Kubectl) -> None:
    mounts = [{"name": "v", "mountPath": "/logs", "subPathExpr": "$(WHO)"}]
    run(kubectl, "nameless", container(volumeMounts=mounts), volumes=[{"name": "v", "emptyDir": {}}], ready=False)
    becomes(lambda: waiting(kubectl, "nameless"), ("CreateContainerConfigError", 'missing value for "WHO"'))
    kubectl("delete", "pod/nameless")


@pytest.mark.parametrize("link", ["/etc", "../../../../../../../etc"])
def test_cve_2017_1002101_a_link_in_a_volume_leads_nowhere_else(kubectl: Kubectl, link: str) -> None:
    """The first container makes a link in a volume that the second one mounts a part of."""
    making = {**container("making", volumeMounts=[{"name": "v", "mountPath": "/v"}])}
    making["command"] = ["sh", "-c", f"ln -s {link} /v/link"]
    mounts = [{"name": "v", "mountPath": "/there", "subPath": "link"}]
    volumes = [{"name": "v", "emptyDir": {}}]
    run(kubectl, "escaping", container(volumeMounts=mounts), initContainers=[making], volumes=volumes, ready=False)
    said = 'failed to prepare subPath for volumeMount "v" of container "main"'
    becomes(lambda: waiting(kubectl, "escaping"), ("CreateContainerConfigError", said))
    kubectl("delete", "pod/escaping")


def test_cve_2021_25741_a_link_that_is_swapped_in_meanwhile_leads_nowhere_else(kubectl: Kubectl) -> None:
    """One container swaps a directory for a link as fast as it can, while the other is started again and again."""
    swap = "mkdir -p /v/d; ln -s /etc /v/l; while :; do "
    swap += "mv -T /v/d /v/x; mv -T /v/l /v/d; mv -T /v/d /v/l; mv -T /v/x /v/d; done"
    swapping = container("swapping", swap, volumeMounts=[{"name": "v", "mountPath": "/v"}])
    looking = container("looking", volumeMounts=[{"name": "v", "mountPath": "/there", "subPath": "d"}])
    looking["command"] = ["sh", "-c", "test ! -e /there/shadow || echo escaped; exit 0"]
    run(kubectl, "swapped", swapping, looking, volumes=[{"name": "v", "emptyDir": {}}], ready=False)
    for _ in range(6):
        time.sleep(1)
        assert "escaped" not in kubectl.run("logs", "swapped", "-c", "looking").stdout
    kubectl("delete", "pod/swapped", "--grace-period=0", "--force")


def test_fs_group_may_write_and_read(kubectl: Kubectl) -> None:
    apply(kubectl, "Secret", "grouped", stringData={"s": "x"})
    mounts = [{"name": "e", "mountPath": "/e"}, {"name": "s", "mountPath": "/s"}]
    volumes = [{"name": "e", "emptyDir": {}}, {"name": "s", "secret": {"secretName": "grouped", "defaultMode": 0o400}}]
    security = {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 2000, "supplementalGroups": [3000]}
    run(kubectl, "group", container(volumeMounts=mounts), volumes=volumes, securityContext=security)
    token = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    said = kubectl(
        "exec",
        "group",
        "--",
        "sh",
        "-c",
        f"id -G; touch /e/f; stat -c '%a %g' /e /e/f; cat /s/s; stat -Lc ' %a %u %g' /s/s {token}",
    )
    assert said == "1000 2000 3000\n2777 2000\n644 2000\nx 440 0 2000\n 640 1000 2000\n"
    kubectl("delete", "pod/group", "secret/grouped")


def claim(kubectl: Kubectl, name: str, **more: object) -> None:
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **more}
    apply(kubectl, "PersistentVolumeClaim", name, spec=asked)


def test_a_claim_waits_for_its_first_consumer_and_its_data_goes_with_it(kubectl: Kubectl) -> None:
    claim(kubectl, "data")
    assert read(kubectl, "pvc", "data")["spec"]["storageClassName"] == "standard"
    said = "waiting for first consumer to be created before binding"
    becomes(lambda: said in kubectl("describe", "pvc", "data"), True)
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    run(kubectl, "user", container(volumeMounts=[{"name": "v", "mountPath": "/v"}]), volumes=volumes)
    kubectl("exec", "user", "--", "sh", "-c", "echo kept > /v/f")
    volume = read(kubectl, "pvc", "data")["spec"]["volumeName"]
    directory = read(kubectl, "pv", volume)["spec"]["hostPath"]["path"]
    kubectl("delete", "pvc", "data", "--wait=false")
    assert read(kubectl, "pvc", "data")["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert "Terminating" in kubectl("get", "pvc", "data")
    assert kubectl("exec", "user", "--", "cat", "/v/f") == "kept\n"
    kubectl("delete", "pod", "user")
    kubectl("wait", "--for=delete", f"pv/{volume}", "--timeout=20s")
    assert not os.path.exists(directory)


def test_a_retained_volume_keeps_its_data(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.mktemp("kept")
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "jubako.io/local"}
    more = {"metadata": {"name": "kept"}, "parameters": {"path": str(base)}, "reclaimPolicy": "Retain"}
    kubectl("apply", "-f", "-", input=json.dumps({**kind, **more}))
    claim(kubectl, "kept", storageClassName="kept")
    kubectl("wait", "--for=jsonpath={.status.phase}=Bound", "pvc/kept", "--timeout=20s")
    volume = read(kubectl, "pvc", "kept")["spec"]["volumeName"]
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "kept"}}]
    run(kubectl, "keeper", container(volumeMounts=[{"name": "v", "mountPath": "/v"}]), volumes=volumes)
    kubectl("exec", "keeper", "--", "touch", "/v/f")
    kubectl("delete", "pod/keeper", "pvc/kept")
    becomes(lambda: read(kubectl, "pv", volume)["status"]["phase"], "Released")
    assert [path.name for path in base.glob("*/*")] == ["f"]
    kubectl("patch", "pv", volume, "-p", '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}')
    kubectl("wait", "--for=delete", f"pv/{volume}", "--timeout=20s")
    assert list(base.iterdir()) == []
    kubectl("delete", "sc", "kept")


def test_the_claims_of_a_stateful_set_follow_its_retention_policy(kubectl: Kubectl) -> None:
    selector = {"matchLabels": {"app": "db"}}
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    pod = {
        "containers": [container(volumeMounts=[{"name": "d", "mountPath": "/d"}])],
        "terminationGracePeriodSeconds": 2,
    }
    spec = {
        "serviceName": "db",
        "replicas": 2,
        "selector": selector,
        "template": {"metadata": {"labels": {"app": "db"}}, "spec": pod},
        "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": asked}],
        "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete", "whenDeleted": "Retain"},
    }
    document = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec}
    kubectl("apply", "-f", "-", input=json.dumps(document))
    kubectl("rollout", "status", "sts/db", "--timeout=50s")
    kubectl("exec", "db-0", "--", "sh", "-c", "echo 0 > /d/f")
    kubectl("scale", "sts", "db", "--replicas=1")
    kubectl("wait", "--for=delete", "pvc/d-db-1", "--timeout=30s")
    kubectl("delete", "pod", "db-0")
    kubectl("rollout", "status", "sts/db", "--timeout=30s")
    assert kubectl("exec", "db-0", "--", "cat", "/d/f") == "0\n"
    kubectl("delete", "sts", "db")
    assert "d-db-0" in kubectl("get", "pvc", "-o", "name")
    kubectl("wait", "--for=delete", "pod/db-0", "--timeout=20s")
    kubectl("delete", "pvc", "d-db-0")


def test_an_ephemeral_volume_comes_and_goes_with_its_pod(kubectl: Kubectl) -> None:
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    template = {"metadata": {"labels": {"of": "it"}}, "spec": asked}
    volumes = [{"name": "v", "ephemeral": {"volumeClaimTemplate": template}}]
    run(kubectl, "brief", container(volumeMounts=[{"name": "v", "mountPath": "/v"}]), volumes=volumes)
    kubectl("exec", "brief", "--", "touch", "/v/f")
    found = read(kubectl, "pvc", "brief-v")
    assert found["metadata"]["labels"] == {"of": "it"}
    assert found["metadata"]["ownerReferences"][0]["name"] == "brief"
    kubectl("delete", "pod", "brief")
    kubectl("wait", "--for=delete", "pvc/brief-v", "--timeout=20s")


def test_a_claim_of_a_class_that_does_not_expand_is_not_made_larger(kubectl: Kubectl) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    apply(kubectl, "PersistentVolumeClaim", "fixed", spec=spec)
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "fixed"}}]
    run(kubectl, "holding", container(volumeMounts=[{"name": "v", "mountPath": "/v"}]), volumes=volumes)
    more = kubectl.refused("patch", "pvc", "fixed", "-p", '{"spec":{"resources":{"requests":{"storage":"2Mi"}}}}')
    assert 'persistentvolumeclaims "fixed" is forbidden: only dynamically provisioned pvc can be resized' in more
    kubectl("delete", "pod/holding", "pvc/fixed")


def test_an_image_is_a_volume_that_is_read_and_not_executed(kubectl: Kubectl) -> None:
    mounts = [{"name": "i", "mountPath": "/whole"}, {"name": "i", "mountPath": "/part", "subPath": "bin"}]
    volumes = [{"name": "i", "image": {"reference": "busybox:1"}}]
    run(kubectl, "imaged", container(volumeMounts=mounts), volumes=volumes)
    assert kubectl.one(".spec.volumes[0].image.pullPolicy", "pod", "imaged") == "IfNotPresent"
    script = "test -e /whole/bin/sh && test -e /part/sh && echo there; touch /whole/x; /part/sh -c true"
    done = kubectl.run("exec", "imaged", "--", "sh", "-c", script)
    assert done.stdout == "there\n"
    assert "touch: /whole/x: Read-only file system" in done.stderr
    assert "/part/sh: Permission denied" in done.stderr
    if not kubectl.is_old:
        found = kubectl("describe", "pod", "imaged").partition("Volumes:")[2].split()
        assert found[:2] == ["i:", "Type:"]
        assert "Reference:" in found
    kubectl("delete", "pod", "imaged")


def test_an_image_volume_that_is_not_there_is_told_as_an_image_that_is_not(kubectl: Kubectl) -> None:
    missing, never = "127.0.0.1:1/none:x", {"reference": "none:x", "pullPolicy": "Never"}
    volumes = [
        {"name": "a", "image": {"reference": missing}},
        {"name": "b", "image": never},
        {"name": "c", "image": never},
    ]
    containers = [container(name, volumeMounts=[{"name": name, "mountPath": "/v"}]) for name in ("a", "b")]
    run(kubectl, "unpulled", *containers, ready=False, volumes=volumes)
    becomes(lambda: waiting(kubectl, "unpulled", "a")[0], "ImagePullBackOff")
    assert waiting(kubectl, "unpulled", "a")[1].startswith(f'Back-off pulling image "{missing}": ErrImagePull: ')
    why = 'Container image "none:x" is not present with pull policy of Never'
    assert waiting(kubectl, "unpulled", "b") == ("ErrImageNeverPull", why)
    told = events(kubectl, "unpulled")
    assert ("BackOff", f'Back-off pulling image "{missing}"') in told
    assert ("ErrImageNeverPull", why) in told
    kubectl("delete", "pod", "unpulled")
