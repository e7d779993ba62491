"""Builds that share a cache with others, and with what killed ones left."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from jubako.build import reap
from jubako.linux import cgroup

from .conftest import Site

pytestmark = pytest.mark.root

KILLS = int(os.environ.get("JUBAKO_TEST_KILLS", "8"))
PROGRAM = """
import sys
from pathlib import Path
from jubako.build import BuildDrivers, PlainProgress, build
from jubako.image.catalog import Images
from jubako.network import Networks
from jubako.snapshot import Overlay
from jubako.store import Store
root, run, context = map(Path, sys.argv[1:4])
store = Store.open(root)
drivers = BuildDrivers(store, Images(store), Overlay(store), Networks(store, run), root, run)
result = build(drivers, context, network="none", tags=["side"], progress=PlainProgress(sys.stdout))
print("built", result.image_id, flush=True)
"""


def start(site: Site) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(site.root), str(site.run_root), str(site.context)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


DOCKERFILE = """FROM base AS one
COPY a /
RUN cat a >/1
FROM base AS two
RUN --mount=type=cache,target=/c echo x >>/c/x; echo {0} >/2
FROM base
COPY --link --from=one /1 /1
COPY --from=two /2 /2
RUN cat /1 /2 >/3
"""


def test_eight_builds_side_by_side_share_one_cache(site: Site) -> None:
    site.file("a", "1")
    site.file("Dockerfile", DOCKERFILE.format("two"))
    processes = [start(site) for _ in range(8)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, outputs
    result = site.build()
    assert len(site.cached()) == 6
    assert site.read(result, "3") == "1two\n"


def test_build_killed_at_any_moment_leaves_a_usable_cache_and_nothing_else(site: Site) -> None:
    site.file("Dockerfile", DOCKERFILE.format("two"))
    site.file("a", "whole")
    began = time.monotonic()
    assert "built" in start(site).communicate()[0]
    whole_s = time.monotonic() - began
    moments = random.Random(5)
    for number in range(KILLS):
        site.file("a", str(number))
        process = start(site)
        with suppress(subprocess.TimeoutExpired):  # One that was quicker than the kill must be right too.
            process.communicate(timeout=moments.uniform(0.1, 0.9) * whole_s)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        check_remains(site, number)


def check_remains(site: Site, number: int) -> None:
    """The next build is right, and collects all that the killed one left."""
    runs = os.listdir(site.run_root / "build") if (site.run_root / "build").is_dir() else []
    result = site.build(DOCKERFILE.format(number))
    assert site.read(result, "3") == f"{number}{number}\n"
    # A child that was being started when its parent was killed holds on to the run directory until it has ended too.
    reap(site.networks, site.run_root)
    assert reap(site.networks, site.run_root) == 0
    assert not {f"build-{run}" for run in runs} & set(cgroup.manager().names())
    site.store.ingest.reap()
    assert os.listdir(site.root / "ingest") == []
    assert site.store.leases.held() == set()
