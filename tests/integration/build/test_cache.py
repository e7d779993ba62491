"""What is reused, what is not, and what side by side and interrupted builds leave."""

from __future__ import annotations

import io
import os

import pytest

from jubako.build import BuildCache, DockerfileError, PlainProgress, build
from jubako.build.progress import Step

from .conftest import Site

pytestmark = pytest.mark.root


def test_everything_cached_gives_the_same_image(site: Site) -> None:
    site.file("a", "1")
    dockerfile = 'FROM base\nWORKDIR /w\nCOPY a .\nRUN cat a >b\nENV X=1\nCMD ["sh"]\n'
    first = site.build(dockerfile)
    assert site.cached() == []
    second = site.build(dockerfile)
    assert site.cached() == ["WORKDIR /w", "COPY a .", "RUN cat a >b"]
    assert first.image_id == second.image_id


def test_touching_a_file_changes_nothing_and_changing_it_does(site: Site) -> None:
    file = site.file("a", "1")
    dockerfile = "FROM base\nCOPY a /\nRUN cat /a\n"
    site.build(dockerfile)
    os.utime(file, (1, 1))
    site.build(dockerfile)
    assert len(site.cached()) == 2
    file.write_text("2")
    site.build(dockerfile)
    assert site.cached() == []


def test_mode_name_and_link_target_count(site: Site) -> None:
    file = site.file("d/a", "1")
    dockerfile = "FROM scratch\nCOPY d /d\n"
    site.build(dockerfile)
    file.chmod(0o755)
    site.build(dockerfile)
    assert site.cached() == []
    file.rename(site.context / "d/b")
    os.symlink("b", site.context / "d/link")
    site.build(dockerfile)
    assert site.cached() == []
    (site.context / "d/link").unlink()
    os.symlink("elsewhere", site.context / "d/link")
    site.build(dockerfile)
    assert site.cached() == []


def test_change_within_one_clock_tick_of_hashing_is_seen(site: Site) -> None:
    file = site.file("a", "1")
    dockerfile = "FROM scratch\nCOPY a /a\n"
    for content in "2345":
        times = file.stat()
        file.write_text(content)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert site.read(site.build(dockerfile), "a") == content


def test_files_that_no_copy_takes_do_not_matter(site: Site) -> None:
    site.file("a")
    site.build("FROM scratch\nCOPY a /\n")
    site.file("other", "new")
    site.build()
    assert site.cached() == ["COPY a /"]


def test_argument_counts_from_where_it_is_declared(site: Site) -> None:
    dockerfile = "FROM base\nRUN echo 1 >/1\nARG A\nRUN echo 2 >/2\n"
    site.build(dockerfile, build_args={"A": "x"})
    site.build(dockerfile, build_args={"A": "y"})
    assert site.cached() == ["RUN echo 1 >/1"]


def test_moved_base_image_invalidates(site: Site) -> None:
    dockerfile = "FROM base\nRUN echo 1 >/1\n"
    site.build(dockerfile)
    site.base_image("base", files={"new": "file"})
    site.build(dockerfile)
    assert site.cached() == []


def test_no_cache_runs_everything_and_renews_the_cache(site: Site) -> None:
    dockerfile = "FROM base\nRUN cat /proc/sys/kernel/random/uuid >/id\n"
    first = site.build(dockerfile)
    second = site.build(dockerfile, no_cache=True)
    assert site.cached() == []
    third = site.build(dockerfile)
    ids = [site.read(result, "id") for result in (first, second, third)]
    assert ids[0] != ids[1] == ids[2]


def test_copy_from_a_rebuilt_stage_with_the_same_files_is_cached(site: Site) -> None:
    dockerfile = (
        "FROM base AS made\nARG N\nRUN echo same >/out && echo $N >/other\n"
        "FROM base\nCOPY --from=made /out /out\nRUN cat /out >/end\n"
    )
    site.build(dockerfile, build_args={"N": "1"})
    site.build(dockerfile, build_args={"N": "2"})
    assert site.cached() == ["COPY --from=made /out /out", "RUN cat /out >/end"]


def test_unused_stage_is_not_built(site: Site) -> None:
    site.build("FROM base AS unused\nRUN exit 1\nFROM missing-image AS also\nFROM base\nRUN true\n")
    assert "unused" not in site.output


def test_target_stops_at_its_stage(site: Site) -> None:
    result = site.build("FROM base AS one\nRUN echo 1 >/1\nFROM one AS two\nRUN exit 1\n", target="ONE")
    assert site.names(result, "")[0] == "1"


@pytest.mark.usefixtures("own_network")
def test_independent_stages_run_side_by_side(site: Site) -> None:
    """Each stage listens, and waits until the other does."""
    stage = (
        "FROM base AS {0}\nRUN busybox nc -l -p {1} </dev/null & n=0; until busybox nc 127.0.0.1 {2} </dev/null; "
        "do sleep 0.05; n=$((n+1)); test $n -lt 200 || exit 1; done; wait\n"
    )
    site.build(
        stage.format("a", 7801, 7802)
        + stage.format("b", 7802, 7801)
        + "FROM scratch\nCOPY --from=a /etc /a\nCOPY --from=b /etc /b\n",
        network="host",
        workers=2,
    )


def test_identical_steps_of_two_stages_run_once(site: Site) -> None:
    result = site.build(
        "FROM base AS a\nRUN cat /proc/sys/kernel/random/uuid >/id\nFROM base AS b\n"
        "RUN cat /proc/sys/kernel/random/uuid >/id\n"
        "FROM scratch\nCOPY --from=a /id /a\nCOPY --from=b /id /b\n"
    )
    assert site.read(result, "a") == site.read(result, "b")


def test_entry_whose_blob_is_gone_is_made_again(site: Site) -> None:
    dockerfile = "FROM base\nRUN echo 1 >/1\n"
    result = site.build(dockerfile)
    site.store.blobs.delete(site.image(result).manifest.layers[-1].digest)
    site.build(dockerfile)
    assert site.cached() == []
    site.build(dockerfile)
    assert len(site.cached()) == 1


def test_layer_that_is_not_unpacked_is_unpacked_when_a_step_needs_it(site: Site) -> None:
    first = site.build("FROM base\nRUN echo 1 >/1\n")
    layer = site.image(first).diff_ids[-1]
    site.snapshots.sweep(lambda: [diff_id for diff_id in site.snapshots.layers() if diff_id != layer])
    assert not site.snapshots.has_layer(layer)
    second = site.build("FROM base\nRUN echo 1 >/1\nRUN cat /1 >/2\n")
    assert site.read(second, "2") == "1\n"


def test_pruned_cache_is_empty_and_lets_its_blobs_go(site: Site) -> None:
    site.build("FROM base\nRUN echo 1 >/1\n")
    cache = BuildCache(site.store)
    ((key, entry),) = cache.entries()
    assert entry.output.layer
    pins = site.store.records.collection("pin", dict).keys("build-cache/")
    assert {pin.rpartition("/")[2] for pin in pins} == {entry.output.layer.diff_id, entry.output.layer.blob.digest}
    cache.forget([key])
    assert cache.entries() == []
    assert site.store.records.collection("pin", dict).keys("build-cache/") == []


def test_file_that_changes_while_it_is_copied_does_not_poison_the_cache(site: Site) -> None:
    """The step's key was made of what stood there before."""
    file = site.file("a", "before")
    site.file("Dockerfile", "FROM base\nCOPY a /a\n")

    class Changing(PlainProgress):
        def step(self, name: str) -> Step:
            if "COPY" in name:
                file.write_text("changed")
            return super().step(name)

    build(site.drivers, site.context, progress=Changing(io.StringIO()))
    file.write_text("before")
    assert site.read(site.build(), "a") == "before"


def test_unreadable_context_is_an_error_at_the_instruction(site: Site) -> None:
    os.symlink("loop", site.context / "loop")
    with pytest.raises(DockerfileError) as caught:
        site.build("FROM base\nCOPY loop/x /\n")
    assert caught.value.line == 2
