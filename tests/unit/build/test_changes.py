"""What `--change` of commit and import makes of a configuration."""

from __future__ import annotations

import pytest

from jubako.build.changes import change
from jubako.build.dockerfile.source import DockerfileError
from jubako.spec.oci_image import ContainerConfig


def test_only_what_is_said_changes() -> None:
    config = ContainerConfig(env=["A=b"], cmd=["sh"], working_dir="/w")
    assert change(config, []) == config
    assert change(config, ["ENV C=$A", "WORKDIR sub\nUSER app"]) == ContainerConfig(
        env=["A=b", "C=b"], cmd=["sh"], working_dir="/w/sub", user="app"
    )


def test_no_search_path_and_no_directory_come_of_themselves() -> None:
    assert change(ContainerConfig(), ["LABEL a=b"]) == ContainerConfig(labels={"a": "b"})


@pytest.mark.parametrize("text", ["RUN true", "COPY a b", "FROM x", "ARG A"])
def test_what_builds_is_refused(text: str) -> None:
    with pytest.raises(DockerfileError, match="is not a valid change command"):
        change(ContainerConfig(), [text])
