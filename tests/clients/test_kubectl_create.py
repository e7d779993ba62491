"""kubectl create of each kind, by its generator and by a file, and what it says of what is there and what is not."""

from __future__ import annotations

import json

import pytest
from tests.clients.kubectl import Kubectl

pytestmark = [pytest.mark.clients, pytest.mark.root]
GENERATED = {
    "deployment.apps": "deployment it --image=busybox:1 --replicas=2 --port=80",
    "job.batch": "job it --image=busybox:1 -- true",
    "cronjob.batch": "cronjob it --image=busybox:1 --schedule=@yearly -- true",
    "ingress.networking.k8s.io": "ingress it --class=k --rule=a.example/b=it:80",
    "configmap": "configmap it --from-literal=a=b",
    "secret": "secret generic it --from-literal=a=b",
    "service": "service clusterip it --tcp=80:8080",
    "serviceaccount": "serviceaccount it",
    "role.rbac.authorization.k8s.io": "role it --verb=get,list --resource=pods,deployments.apps",
    "rolebinding.rbac.authorization.k8s.io": "rolebinding it --role=it --user=u --serviceaccount=default:it",
    "resourcequota": "quota it --hard=pods=3,requests.cpu=1",
    "poddisruptionbudget.policy": "poddisruptionbudget it --selector=app=it --min-available=50%",
}
CLUSTER_WIDE = {
    "namespace": "namespace {}",
    "clusterrole.rbac.authorization.k8s.io": "clusterrole {} --verb=get --non-resource-url=/healthz",
    "clusterrolebinding.rbac.authorization.k8s.io": "clusterrolebinding {} --clusterrole=view --group=g",
    "priorityclass.scheduling.k8s.io": "priorityclass {} --value=7",
}
SERVICES = ("nodeport it --tcp=80", "externalname it --external-name=example.com", "clusterip it --clusterip=None")


@pytest.mark.parametrize("kind", GENERATED)
def test_a_generator_makes_what_a_file_makes_again(kubectl: Kubectl, kind: str) -> None:
    command = GENERATED[kind].split()
    assert kubectl("create", *command) == f"{kind}/it created\n"
    assert "already exists" in kubectl.refused("create", *command)
    assert f"{kind}/it" in kubectl("get", kind, "-o", "name").split()
    document = kubectl.read(kind, "it")
    for made in ("uid", "resourceVersion", "creationTimestamp"):
        assert document["metadata"].pop(made)
    kubectl("delete", kind, "it", "--cascade=orphan")
    assert '"it" not found' in kubectl.refused("get", kind, "it")
    document["spec"] = {key: value for key, value in document.get("spec", {}).items() if not key.startswith("cluster")}
    if kind == "job.batch":
        del document["spec"]["selector"], document["spec"]["template"]["metadata"], document["metadata"]["labels"]
    text = json.dumps({key: value for key, value in document.items() if value or key != "spec"})
    assert kubectl("create", "-f", "-", input=text) == f"{kind}/it created\n"


@pytest.mark.parametrize("kind", CLUSTER_WIDE)
def test_what_belongs_to_no_namespace(kubectl: Kubectl, kind: str) -> None:
    name = f"{kubectl.namespace}-own"
    assert kubectl("create", *CLUSTER_WIDE[kind].format(name).split()) == f"{kind}/{name} created\n"
    assert kubectl("get", kind, name, "-o", "name") == f"{kind}/{name}\n"
    assert kubectl("delete", kind, name) == f'{kind} "{name}" deleted\n'


@pytest.mark.parametrize("arguments", SERVICES)
def test_each_type_of_service(kubectl: Kubectl, arguments: str) -> None:
    assert kubectl("create", "service", *arguments.split()) == "service/it created\n"
    row = kubectl("get", "service", "it", "--no-headers").split()
    kind, address, outside, ports = row[1:5]
    if "nodeport" in arguments:
        assert (kind, outside) == ("NodePort", "<none>")
        assert 30000 <= int(ports.removeprefix("80:").removesuffix("/TCP")) <= 32767
    elif "externalname" in arguments:
        assert (kind, address, outside, ports) == ("ExternalName", "<none>", "example.com", "<none>")
    else:
        assert (kind, address, ports) == ("ClusterIP", "None", "<none>")


def test_dry_runs_store_nothing(kubectl: Kubectl) -> None:
    for way, said in (("client", " (dry run)"), ("server", " (server dry run)")):
        told = kubectl("create", "configmap", "it", f"--dry-run={way}", "--from-literal=a=b")
        assert told == f"configmap/it created{said}\n"
        shown = json.loads(kubectl("create", "configmap", "it", f"--dry-run={way}", "--from-literal=a=b", "-o", "json"))
        assert shown["data"] == {"a": "b"}
        assert ("uid" in shown["metadata"]) == (way == "server")
    assert "not found" in kubectl.refused("get", "configmap", "it")


def test_many_documents_of_one_file_and_what_is_wrong_with_one(kubectl: Kubectl) -> None:
    good = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "good"}}
    bad = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "Bad_Name"}}
    unknown = {"apiVersion": "example.com/v1", "kind": "Toy", "metadata": {"name": "toy"}}
    for each, words in (
        (bad, "a lowercase RFC 1123 subdomain must consist of"),
        (unknown, 'no matches for kind "Toy"'),
    ):
        text = "\n".join(map(json.dumps, (good, each)))
        done = kubectl.run("apply", "-f", "-", input=text)
        assert done.returncode == 1
        assert words in done.stderr
    assert kubectl("get", "configmap", "good", "-o", "name") == "configmap/good\n"
