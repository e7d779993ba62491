"""The program of web.c: as an image of which pods are made, and as clients that count what fails."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.conftest import Cli

IMAGE = "web:1"


class Count(msgspec.Struct, frozen=True):
    """What one client saw: `failures` are its words, `answers` the versions that answered, in order of appearance."""

    asked: int
    slowest_ms: int
    failures: list[str]
    answers: list[str]


def compiled(source: Path, program: Path) -> Path:
    """Compile a program that runs in an image with nothing else in it."""
    compiler = shutil.which("musl-gcc")
    if compiler is None:
        pytest.skip("needs musl-gcc")
    flags = ["-static", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"]
    subprocess.run([compiler, *flags, "-o", program, source], check=True)
    return program


def build(base: Path) -> Path:
    return compiled(Path(__file__).with_name("web.c"), base / "web")


def make_image(jubako: Cli, program: Path) -> None:
    (program.parent / "Dockerfile").write_text('FROM scratch\nCOPY web /web\nENTRYPOINT ["/web"]\n')
    jubako("build", "-q", "-t", IMAGE, str(program.parent))


def deployment(version: str, replicas: int = 3) -> dict[str, Any]:
    container = {
        "name": "web", "image": IMAGE, "args": ["serve", "8080"], "ports": [{"containerPort": 8080}],
        "env": [{"name": "VERSION", "value": version}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
    }  # fmt: skip
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def service() -> dict[str, Any]:
    spec = {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def asking(address: str, port: int, per_second: int, seconds: int, way: str) -> list[str]:
    """The arguments of a client."""
    return ["ask", address, str(port), str(per_second), str(seconds), way]


def counted(said: str) -> Count:
    """Read what a client has said."""
    found = re.search(r"^asked (\d+) failed (\d+) slowest_ms (\d+)$", said, re.MULTILINE)
    assert found, said[-500:]
    failures = [line for line in said.splitlines() if line.startswith("failed")]
    assert len(failures) == int(found[2])
    answers = dict.fromkeys(line.split()[1] for line in said.splitlines() if line.startswith("answer"))
    return Count(int(found[1]), int(found[3]), failures, list(answers))
