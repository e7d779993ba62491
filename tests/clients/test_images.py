"""Images go to docker and podman and come from there, by archive."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.root]

LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
DOCKERFILE = """FROM busybox
RUN echo built > /made && mkdir /d && chown 1000:1000 /d && ln -s /made /link && rm /bin/wget
ENV GREETING=hello
WORKDIR /d
USER 1000
CMD ["sh", "-c", "id -u; pwd; cat /link; echo $GREETING; ls /bin/wget 2>/dev/null || echo gone"]
"""
EXPECTED = ["1000", "/d", "built", "hello", "gone"]


@pytest.fixture
def context(tmp_path):
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    return tmp_path


def test_image_built_and_saved_by_docker_loads_and_runs(jubako, docker, context):
    docker("build", "--network", "none", "-t", "from-docker:1", str(context))
    archive = context / "from-docker.tar"
    docker("save", "-o", str(archive), "from-docker:1")
    assert "from-docker:1" in jubako("load", "-i", str(archive))
    assert jubako("run", "--rm", "--network", "none", "from-docker:1").split() == EXPECTED


def test_image_built_here_loads_and_runs_in_docker(jubako, docker, context):
    jubako("build", "-q", "-t", "from-jubako:1", str(context))
    archive = context / "from-jubako.tar"
    jubako("save", "-o", str(archive), "from-jubako:1")
    docker("load", "-i", str(archive))
    assert docker("run", "--rm", "--network", "none", "from-jubako:1").split() == EXPECTED
    assert docker("inspect", "--format", "{{.Id}}", "from-jubako:1") == jubako(
        "inspect", "--format", "{{.Id}}", "from-jubako:1"
    )


def test_image_built_here_loads_and_runs_in_podman(jubako, podman, context):
    jubako("build", "-q", "-t", "localhost/from-jubako:2", str(context))
    archive = context / "from-jubako.tar"
    jubako("save", "-o", str(archive), "localhost/from-jubako:2")
    podman("load", "-i", str(archive))
    assert podman("run", "--rm", "--network", "none", *LIMITS, "localhost/from-jubako:2").split() == EXPECTED


@pytest.mark.parametrize("layout", ["docker-archive", "oci-archive"])
def test_image_built_and_saved_by_podman_loads_and_runs(jubako, podman, context, layout):
    text = DOCKERFILE.replace("FROM busybox", "FROM localhost/busybox")
    (context / "Dockerfile").write_text(text)
    podman("build", *LIMITS, "--network", "none", "-t", "localhost/from-podman:1", str(context))
    archive = context / "from-podman.tar"
    podman("save", "--format", layout, "-o", str(archive), "localhost/from-podman:1")
    assert "localhost/from-podman:1" in jubako("load", "-i", str(archive))
    assert jubako("run", "--rm", "--network", "none", "localhost/from-podman:1").split() == EXPECTED
