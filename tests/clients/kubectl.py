"""kubectl of today and Debian's of old against a cluster of the test's own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Cli

NEW, OLD = "kubectl", "kubectl 1.20"


def program(which: str) -> str:
    """Return the path of a kubectl; the test is skipped where it is not there."""
    path = shutil.which("kubectl") if which == NEW else str(Path(sys.prefix) / "opt/kubernetes-client/usr/bin/kubectl")
    if path is None or not Path(path).exists():
        pytest.skip(f"needs {which}; ./dev clients unpacks Debian's")
    return path


class Kubectl:
    """Calls kubectl in a namespace; the call returns standard output, and fails the test when kubectl does."""

    def __init__(self, program: str, kubeconfig: Path, namespace: str = "default", within: Sequence[str] = ()) -> None:
        self.program, self.kubeconfig, self.namespace = program, kubeconfig, namespace
        self._within = within
        self.env = {**os.environ, "KUBECONFIG": str(kubeconfig), "HOME": str(kubeconfig.parent)}

    @property
    def is_old(self) -> bool:
        return self.program != shutil.which("kubectl")

    def argv(self, *arguments: str) -> list[str]:
        return [*self._within, self.program, f"--namespace={self.namespace}", *arguments]

    def run(self, *arguments: str, input: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        stdin = {"input": input} if input is not None else {"stdin": subprocess.DEVNULL}
        return subprocess.run(
            self.argv(*arguments), capture_output=True, text=True, timeout=60, env={**self.env, **env}, **stdin
        )  # type: ignore[call-overload,no-any-return]

    def __call__(self, *arguments: str, input: str | None = None, **env: str) -> str:
        done = self.run(*arguments, input=input, **env)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def refused(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 1, done.stdout
        return done.stderr

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(self.argv(*arguments), stdout=subprocess.PIPE, text=True, env=self.env)

    def apply(self, *documents: dict[str, Any]) -> str:
        return self("apply", "-f", "-", input="\n".join(map(json.dumps, documents)))

    def read(self, *what: str) -> Any:
        return json.loads(self("get", *what, "-o", "json"))

    def one(self, path: str, *what: str) -> str:
        return self("get", *what, "-o", f"jsonpath={{{path}}}")


@contextmanager
def in_new_namespace(program: str, kubeconfig: Path, name: str) -> Iterator[Kubectl]:
    """In a namespace of its own, from when pods can be made in it: its service account comes a moment later."""
    client = Kubectl(program, kubeconfig, name)
    client("create", "namespace", name)
    deadline = time.monotonic() + 20
    while client.run("get", "serviceaccount", "default").returncode and time.monotonic() < deadline:
        time.sleep(0.05)
    yield client
    client("delete", "namespace", name, "--wait=false")


def columns(text: str) -> list[list[str]]:
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()]


@contextmanager
def cluster(base: Path) -> Iterator[Path]:
    """A cluster with busybox in its engine; lends its kubeconfig. Nothing of it stays."""
    jubako = Cli(base / "root", base / "run")
    jubako("image", "bootstrap", "busybox")
    jubako("tag", "busybox", "busybox:1")  # a tag of which nobody looks for a newer one
    jubako("cluster", "up", "--kubeconfig", str(base / "kubeconfig"))
    try:
        yield base / "kubeconfig"
    finally:
        jubako("cluster", "reset")
        jubako("system", "prune", "-a", "-f", "--volumes")
