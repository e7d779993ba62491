"""The image that comes out: configuration, history, names, reproducibility; and inheritance between images."""

from __future__ import annotations

import io
import json
import os
import tarfile

import pytest

from jubako.build import BuildResult, DockerfileError
from jubako.errors import InvalidArgument, NotFound
from jubako.image.catalog import Image

from .conftest import Site

pytestmark = pytest.mark.root


def history(site: Site, result: BuildResult) -> list[tuple[str | None, bool]]:
    return [(entry.created_by, entry.empty_layer) for entry in site.image(result).config.history or []]


def test_configuration_is_what_the_instructions_say(site: Site) -> None:
    result = site.build(
        'FROM base\nLABEL a=1 b="two words"\nENV X=1 Y=$PATH:/y\nENV X=2 Z=$X\nEXPOSE 80 53/udp 90-91\nVOLUME /data\n'
        'USER app\nWORKDIR /tmp\nCMD echo hi\nENTRYPOINT ["/bin/sh", "-c"]\nSTOPSIGNAL SIGINT\n'
        'HEALTHCHECK --interval=30s --retries=2 CMD true\nSHELL ["/bin/sh", "-xc"]\nMAINTAINER me\n',
        labels={"given": "yes"},
    )
    config = site.config(result)
    assert config.labels == {"a": "1", "b": "two words", "given": "yes"}
    assert config.env == ["PATH=/bin", "X=2", "Y=/bin:/y", "Z=1"]
    assert sorted(config.exposed_ports or {}) == ["53/udp", "80/tcp", "90/tcp", "91/tcp"]
    assert config.volumes == {"/data": {}}
    assert (config.user, config.working_dir) == ("app", "/tmp")
    assert config.cmd == ["/bin/sh", "-c", "echo hi"]
    assert config.entrypoint == ["/bin/sh", "-c"]
    assert config.stop_signal == "SIGINT"
    assert config.healthcheck is not None
    assert config.healthcheck.test == ["CMD-SHELL", "true"]
    assert config.healthcheck.interval == 30 * 10**9
    assert config.shell == ["/bin/sh", "-xc"]
    assert site.image(result).config.author == "me"


def test_history_has_an_entry_for_each_instruction_as_docker_writes_it(site: Site) -> None:
    site.file("a")
    result = site.build(
        'FROM base\nARG V=1\nENV E=x\nCOPY --chown=1:1 a /dst/\nRUN echo $V >/v\nEXPOSE 80\nCMD ["sh", "-c", "x"]\n'
    )
    assert history(site, result) == [
        ("base", False),
        ("ARG V=1", True),
        ("ENV E=x", True),
        ("COPY --chown=1:1 a /dst/ # buildkit", False),
        ("RUN |1 V=1 /bin/sh -c echo $V >/v # buildkit", False),
        ("EXPOSE map[80/tcp:{}]", True),
        ('CMD ["sh" "-c" "x"]', True),
    ]


def test_layers_and_history_agree(site: Site) -> None:
    site.file("a")
    image = site.image(site.build("FROM base\nENV A=1\nCOPY a /\nWORKDIR /w\nRUN true\nRUN touch /b\n"))
    assert sum(not entry.empty_layer for entry in image.config.history or []) == len(image.diff_ids)
    assert len(image.manifest.layers) == len(image.diff_ids)


def test_entrypoint_clears_the_command_of_the_base_but_not_its_own(site: Site) -> None:
    assert site.config(site.build('FROM base\nENTRYPOINT ["x"]\n')).cmd is None
    assert site.config(site.build('FROM base\nCMD ["y"]\nENTRYPOINT ["x"]\n')).cmd == ["y"]


def test_every_tag_names_the_image(site: Site) -> None:
    result = site.build("FROM base\nENV A=1\n", tags=["one", "registry.local:5000/two:v1"])
    assert sorted(result.names) == ["docker.io/library/one:latest", "registry.local:5000/two:v1"]
    for name in result.names:
        assert site.images.resolve(name).id == result.image_id


def test_image_without_a_tag_is_kept_as_dangling(site: Site) -> None:
    result = site.build("FROM base\nENV A=1\n")
    assert site.images.resolve(result.image_id).names == []


def test_iidfile_holds_the_image_id(site: Site) -> None:
    result = site.build("FROM base\nENV A=1\n", iidfile=site.context.parent / "iid")
    assert (site.context.parent / "iid").read_text() == result.image_id


def test_stage_goes_on_from_another_with_its_configuration_and_arguments(site: Site) -> None:
    result = site.build(
        "FROM base AS one\nARG A=1\nENV E=$A\nWORKDIR /tmp\nRUN touch /one\n"
        "FROM one\nENV F=$E G=${A:-none}\nRUN touch /two\n"
    )
    assert site.config(result).env == ["PATH=/bin", "E=1", "F=1", "G=1"]
    assert {"one", "two"} <= set(site.names(result, ""))
    assert [entry[0] for entry in history(site, result)][-2:] == [
        "ENV F=1 G=1",
        "RUN /bin/sh -c touch /two # buildkit",
    ]


def test_global_arguments_reach_from_and_stages_that_ask(site: Site) -> None:
    result = site.build(
        "ARG BASE=missing\nARG V=global\nFROM ${BASE}\nENV A=${V:-unseen}\nARG V\nENV B=$V\n",
        build_args={"BASE": "base"},
    )
    assert site.config(result).env == ["PATH=/bin", "A=unseen", "B=global"]


def test_platform_arguments_are_there_for_who_declares_them(site: Site) -> None:
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    result = site.build(
        "FROM --platform=$BUILDPLATFORM base\nENV A=$TARGETARCH\nARG TARGETARCH TARGETOS\nENV B=$TARGETOS/$TARGETARCH\n"
    )
    assert site.config(result).env == ["PATH=/bin", "A=", f"B=linux/{architecture}"]


def test_triggers_of_the_base_image_run_first_and_are_not_inherited(site: Site) -> None:
    site.base_image("triggering", {"on_build": ["ENV T=1", "RUN echo $T >/triggered", "COPY a /from-trigger"]})
    site.file("a", "content")
    result = site.build("FROM triggering\nRUN cat /triggered\n")
    assert site.read(result, "triggered") == "1\n"
    assert site.read(result, "from-trigger") == "content"
    assert site.config(result).on_build is None


def test_onbuild_is_recorded(site: Site) -> None:
    assert site.config(site.build("FROM base\nONBUILD RUN echo x\n")).on_build == ["RUN echo x"]


def test_same_inputs_and_epoch_give_the_same_image_anywhere(tmp_path_factory: pytest.TempPathFactory) -> None:
    ids = []
    for number in range(2):
        other = Site(tmp_path_factory.mktemp("other"))
        try:
            _same_base(other)
            os.utime(other.file("d/a", "x"), (1000 * number, 1_900_000_000 + number))
            result = other.build(
                "FROM base\nWORKDIR /w\nCOPY d /d\nRUN echo 1 >/w/f && mkdir /w/g\nADD d/a /z\nLABEL x=1\n",
                build_args={"SOURCE_DATE_EPOCH": "1700000000"},
            )
            assert other.image(result).config.created == "2023-11-14T22:13:20Z"
            assert other.stat(result, "d/a").st_mtime == 1_700_000_000
            ids.append(result.image_id)
        finally:
            other.close()
    assert ids[0] == ids[1]


def test_no_time_in_an_image_with_an_epoch_is_later(site: Site) -> None:
    """So that it does not matter on which day it is built."""
    epoch = 1_700_000_000
    _same_base(site)
    for name in ("d/a", "d/b"):
        os.utime(site.file(name, name), (2_000_000_000, 2_000_000_000))
    result = site.build(
        "FROM base AS one\nWORKDIR /w/deep\nRUN echo x >f && ln f g && ln -s f h && mkfifo p\n"
        "FROM base\nRUN touch -d @2100000000 /late /tmp/late && mkdir -p /e/f\nRUN rm -r /e /late\n"
        "COPY --link d /linked\nCOPY --from=one --chown=app /w /w\nCOPY <<EOF /here/doc\ntext\nEOF\nADD d /added\n"
        "USER app\nWORKDIR /made\n",
        build_args={"SOURCE_DATE_EPOCH": str(epoch)},
    )
    manifest = json.loads(site.store.blobs.read(result.manifest.digest))
    for layer in manifest["layers"]:
        with tarfile.open(fileobj=io.BytesIO(site.store.blobs.read(layer["digest"]))) as archive:
            assert [member.name for member in archive if member.mtime > epoch] == []
    config = json.loads(site.store.blobs.read(result.image_id))
    assert {config["created"], *(step["created"] for step in config["history"][1:])} <= {
        "2023-11-14T22:13:20Z",
        "2020-09-13T12:26:40Z",
    }


def _same_base(site: Site) -> None:
    """A base image whose bytes do not depend on when it was made."""
    site.base_image("seed")
    site.build(
        "FROM scratch\nCOPY --from=seed / /\nENV PATH=/bin\n",
        tags=["base"],
        build_args={"SOURCE_DATE_EPOCH": "1600000000"},
    )


def test_manifest_and_configuration_are_plain_oci_documents(site: Site) -> None:
    result = site.build("FROM base\nRUN touch /x\n")
    manifest = json.loads(site.store.blobs.read(result.manifest.digest))
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert {layer["mediaType"] for layer in manifest["layers"]} == {"application/vnd.oci.image.layer.v1.tar+gzip"}
    config = json.loads(site.store.blobs.read(result.image_id))
    assert set(config) >= {"architecture", "os", "config", "rootfs", "history", "created"}


def test_absent_image_is_pulled_when_there_is_a_way(site: Site) -> None:
    asked: list[tuple[str, str | None]] = []

    def pull(text: str, /, platform: str | None = None) -> Image:
        asked.append((text, platform))
        site.base_image(text)
        return site.images.resolve(text)

    site.build("FROM remote:1\nRUN true\n", pull=pull)
    site.build("FROM remote:1\nRUN true\n", pull=pull)
    assert len(asked) == 1
    assert asked[0][0] == "remote:1"
    site.build("FROM remote:1\nRUN true\n", pull=pull, always_pull=True)
    assert len(asked) == 2


def test_absent_image_without_a_way_is_an_error_at_its_from(site: Site) -> None:
    with pytest.raises(DockerfileError) as caught:
        site.build("FROM base\nFROM no-such-image:1 AS x\n")
    assert (caught.value.line, caught.value.column) == (2, 6)
    assert "no-such-image:1" in caught.value.problem


def test_misspelled_target_is_suggested(site: Site) -> None:
    with pytest.raises(InvalidArgument, match=r'"biuld" could not be found \(did you mean build\?\)'):
        site.build("FROM base AS build\n", target="biuld")


def test_build_argument_that_nothing_declares_is_warned_of(site: Site) -> None:
    site.build("FROM base\n", build_args={"TYPO": "1"})
    assert "[Warning] One or more build-args [TYPO] were not consumed" in site.output


def test_other_platform_is_refused_by_name(site: Site) -> None:
    with pytest.raises(
        DockerfileError, match=r"base is here for linux/amd64, not for the specified platform .linux/s390x"
    ):
        site.build("FROM --platform=linux/s390x base\n")


def test_bad_context_and_dockerfile_are_named(site: Site) -> None:
    with pytest.raises(NotFound, match="failed to read dockerfile"):
        site.build()
    with pytest.raises(InvalidArgument, match="invalid reference format"):
        site.build("FROM base\n", tags=["Bad Tag"])


def test_copy_from_names_only_earlier_stages(site: Site) -> None:
    with pytest.raises(DockerfileError, match="needs to be defined before current stage"):
        site.build("FROM base\nCOPY --from=later /x /\nFROM base AS later\n", target="0")
    with pytest.raises(DockerfileError, match="invalid stage index 3"):
        site.build("FROM base\nCOPY --from=3 /x /\n")


def test_reference_of_from_is_normalised(site: Site) -> None:
    site.build("FROM docker.io/library/base\nENV A=1\n")
