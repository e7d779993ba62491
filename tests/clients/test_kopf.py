"""An operator written with kopf: handlers, finalizers, annotations and events, also when it was killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.clients.kubectl import NEW, Kubectl, program

pytestmark = [pytest.mark.clients, pytest.mark.root]
NAMESPACE = "operated"
OPERATOR = """
import kopf

WATCHED = dict(labels={"operated": "yes"})

@kopf.on.startup()
def configure(settings, **_):
    settings.posting.enabled = True
    settings.persistence.finalizer = "example.com/operator"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix="example.com")
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix="example.com")

@kopf.on.create("v1", "configmaps", **WATCHED)
def created(body, patch, **_):
    patch.metadata.annotations["made"] = body["data"]["word"]
    kopf.info(body, reason="Greeted", message="was made with " + body["data"]["word"])

@kopf.on.update("v1", "configmaps", field="data.word", **WATCHED)
def changed(old, new, patch, **_):
    patch.metadata.annotations["changed"] = f"{old} to {new}"

@kopf.on.create("v1", "configmaps", id="slow", retries=3, backoff=0.2, **WATCHED)
def slow(retry, patch, **_):
    if retry < 1:
        raise kopf.TemporaryError("not yet", delay=0.2)
    patch.metadata.annotations["tried"] = str(retry + 1)

@kopf.on.delete("v1", "configmaps", **WATCHED)
async def deleted(name, namespace, logger, **_):
    import pathlib, os
    pathlib.Path(os.environ["FAREWELL"], name).touch()

@kopf.on.event("", "v1", "pods")
def seen(**_):
    pass
"""


class Operator:
    """`kopf run` in one namespace, without peers."""

    def __init__(self, kubeconfig: Path, base: Path) -> None:
        self.base, self._log = base, base / "log"
        (base / "handlers.py").write_text(OPERATOR)
        self._env = {**os.environ, "KUBECONFIG": str(kubeconfig), "FAREWELL": str(base)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "kopf", "run", "--standalone", "--namespace", NAMESPACE, "handlers.py"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.base, env=self._env, stdout=log, stderr=log)

    def stop(self, *, kill: bool = False) -> None:
        if self._process is not None:
            self._process.kill() if kill else self._process.terminate()
            self._process.wait(20)

    def log(self) -> str:
        return self._log.read_text()


@pytest.fixture(scope="module")
def kube(kubeconfig: Path) -> Iterator[Kubectl]:
    kubectl = Kubectl(program(NEW), kubeconfig, NAMESPACE)
    kubectl("create", "namespace", NAMESPACE)
    yield kubectl
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def operator(kube: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    made = Operator(kube.kubeconfig, tmp_path_factory.mktemp("operator"))
    made.start()
    yield made
    made.stop()


def declare(kube: Kubectl, name: str, word: str) -> None:
    metadata = {"name": name, "labels": {"operated": "yes"}}
    kube.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"word": word}})


def until(operator: Operator, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, operator.log()[-3000:]
        time.sleep(0.05)


def annotation(kube: Kubectl, name: str, which: str) -> str:
    return kube.one(f".metadata.annotations.{which}", "configmap", name)


def test_its_handlers_are_called_for_what_comes_and_changes(kube: Kubectl, operator: Operator) -> None:
    declare(kube, "one", "hello")
    until(operator, lambda: annotation(kube, "one", "tried") == "2")
    assert annotation(kube, "one", "made") == "hello"
    assert kube.one(".metadata.finalizers", "configmap", "one") == '["example.com/operator"]'
    handled = json.loads(annotation(kube, "one", r"example\.com/last-handled-configuration"))
    assert handled["data"] == {"word": "hello"}
    declare(kube, "one", "goodbye")
    until(operator, lambda: annotation(kube, "one", "changed") == "hello to goodbye")
    until(operator, lambda: "was made with hello" in kube("get", "events"))
    rows = kube("get", "events", "--field-selector=involvedObject.name=one,reason=Greeted", "--no-headers").splitlines()
    assert len(rows) == 1


def test_what_it_holds_goes_when_it_has_let_go(kube: Kubectl, operator: Operator) -> None:
    declare(kube, "two", "hello")
    until(operator, lambda: bool(annotation(kube, "two", "tried")))
    kube("delete", "configmap", "two", "--timeout=30s")
    assert (operator.base / "two").exists()


def test_it_takes_up_what_happened_while_it_was_killed(kube: Kubectl, operator: Operator) -> None:
    declare(kube, "three", "hello")
    until(operator, lambda: bool(annotation(kube, "three", "tried")))
    operator.stop(kill=True)
    declare(kube, "three", "changed meanwhile")
    declare(kube, "four", "new meanwhile")
    kube("delete", "configmap", "three", "--wait=false")
    assert kube.one(".metadata.deletionTimestamp", "configmap", "three") != ""
    operator.start()
    until(operator, lambda: annotation(kube, "four", "made") == "new meanwhile")
    until(operator, lambda: kube.run("get", "configmap", "three").returncode == 1)
    assert (operator.base / "three").exists()


def test_nothing_went_wrong_in_it(kube: Kubectl, operator: Operator) -> None:
    declare(kube, "five", "hello")
    until(operator, lambda: bool(annotation(kube, "five", "tried")))
    assert "Traceback" not in operator.log()
    assert "failed permanently" not in operator.log()
