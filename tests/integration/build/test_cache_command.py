"""The build cache as it is typed: --cache-to, --cache-from, --no-cache-filter, bake, builder du and prune."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Cli

pytestmark = pytest.mark.root

DOCKERFILE = """FROM busybox AS made
RUN cat /proc/sys/kernel/random/uuid >/id
FROM busybox
COPY --from=made /id /copy
RUN --mount=type=cache,target=/c,id=mine head -c 100000 /dev/urandom >/c/file
"""
EMPTY = ["Reclaimable:   0B", "Total:         0B"]
BAKE = """
variable "CACHE" { default = "" }
target "default" {
  context = "ctx"
  network = "none"
  cache-to = ["type=local,dest=${CACHE}"]
  cache-from = ["type=local,src=${CACHE}"]
  no-cache-filter = ["nothing"]
}
"""


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ctx").mkdir()
    (tmp_path / "ctx/Dockerfile").write_text(DOCKERFILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def machines(state: Cli, tmp_path: Path) -> Iterator[tuple[Cli, Cli]]:
    """Two engines of the test's own, with one busybox."""
    archive = tmp_path / "busybox.tar"
    state("save", "-o", str(archive), "busybox")
    made = Cli(tmp_path / "one", tmp_path / "run1"), Cli(tmp_path / "two", tmp_path / "run2")
    for cli in made:
        cli("load", "-q", "-i", str(archive))
    yield made
    for cli in made:
        cli("system", "prune", "-a", "-f", "--volumes")


def build(cli: Cli, *options: str) -> str:
    done = cli.run("build", "--network", "none", "-t", "probe", *options, "ctx")
    assert done.returncode == 0, done.stderr.decode()
    return done.stderr.decode()


def test_a_cache_goes_from_machine_to_machine(machines, context, registry):
    one, two = machines
    build(one, "--cache-to", f"{registry}/app/cache:v1", "--cache-to", "type=local,dest=cache,mode=max")
    for source in (f"{registry}/app/cache:v1", "type=local,src=cache"):
        assert build(two, "--cache-from", source).count("CACHED") == 3
        assert two("images", "-q", "probe") == one("images", "-q", "probe")
        two("system", "prune", "-a", "-f")
        two("load", "-q", "-i", "busybox.tar")


def test_a_filtered_stage_runs_again(machines, context):
    one, _ = machines
    first = build(one)
    assert "CACHED" not in first
    assert "#4 [made 2/2] RUN cat" in first
    log = build(one, "--no-cache-filter", "made,other")
    assert "[made 2/2]" in log
    assert "CACHED" not in log
    assert build(one).count("CACHED") == 3


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--cache-to", "type=s3"], "unknown cache exporter: 's3'"),
        (["--cache-from", "type=local"], "a local cache needs src=DIRECTORY"),
        (["--cache-to", "type=local,dest=/proc/nothing"], "exporting cache to client directory"),
    ],
)
def test_what_can_not_be_done_is_an_error(machines, context, options, problem):
    done = machines[0].run("build", "--network", "none", *options, "ctx")
    assert done.returncode == 1
    assert problem in done.stderr.decode()


def test_bake_shares_its_cache(machines, context):
    _, two = machines
    (context / "docker-bake.hcl").write_text(BAKE)
    for cli in machines:
        done = cli.run("bake", env={"CACHE": str(context / "cache")})
        assert done.returncode == 0, done.stderr.decode()
    assert done.stderr.count(b"CACHED") == 3
    two("builder", "prune", "-a", "-f")
    done = two.run("bake", "--set", "*.cache-to=", "--set", "*.cache-from=type=local,src=nowhere", env={"CACHE": "x"})
    assert b"[Warning] failed to import cache nowhere:latest" in done.stderr


def test_du_and_prune_know_steps_and_mounts(machines, context):
    one, _ = machines
    build(one)
    table = one("builder", "du")
    assert re.search(r"^ID +RECLAIMABLE +SIZE +LAST ACCESSED$", table, re.MULTILINE)
    assert len(table.splitlines()) == 1 + 4 + 4
    mount = one("builder", "du", "--verbose", "--filter", "type=exec.cachemount")
    assert "cached mount mine" in mount
    assert "Mutable:       true" in mount
    assert re.search(r"^Build Cache +4 +0 +[\d.]+kB +[\d.]+kB ", one("system", "df"), re.MULTILINE)
    assert "Deleted build cache objects:" not in one("builder", "prune", "-f", "--max-used-space", "1GB")
    assert "Deleted build cache objects:" not in one("builder", "prune", "-f", "--reserved-space", "1GB")
    assert "Deleted build cache objects:" not in one("builder", "prune", "-f", "--filter", "until=1h")
    gone = one("builder", "prune", "-f", "--filter", "type=exec.cachemount")
    assert len(gone.splitlines()) == 4
    assert re.search(r"^Total:\t1\d\d\.?\dkB$", gone, re.MULTILINE)
    assert one("builder", "du", "--filter", "type=exec.cachemount").splitlines() == [
        "Reclaimable:   0B",
        "Total:         0B",
    ]
    one("builder", "prune", "-a", "-f", "--keep-storage", "0")
    assert build(one).count("CACHED") == 0


def test_the_cache_is_kept_within_its_limits_by_itself(machines, context):
    one, _ = machines
    (context / "builder.toml").write_text("[[gcpolicy]]\nall = true\n")
    one.env["JUBAKO_BUILDER_CONF"] = str(context / "builder.toml")
    build(one)
    assert one("builder", "du").splitlines() == EMPTY
    assert one("run", "--rm", "--network", "none", "probe", "cat", "/copy")
