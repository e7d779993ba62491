"""Several processes that serve one registry."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import urllib3
from tests.waiting import until

from .peer import Http, digest_of

pytestmark = pytest.mark.root
PROGRAM = """
import sys
from pathlib import Path
from jubako.registry.server import load, serve
path = Path(sys.argv[1])
serve(load(path), file=path, ready=lambda url: print(url, flush=True))
"""


class Group:
    def __init__(self, path):
        command = [sys.executable, "-c", PROGRAM, str(path)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.http = Http(self.process.stdout.readline().strip())

    def workers(self):
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout
        return [int(line) for line in found.split()]


@pytest.fixture
def configuration(tmp_path, registry_root):
    path = tmp_path / "registry.yaml"
    path.write_text(f"root: {registry_root}\nlisten: 127.0.0.1:0\nprocesses: 2\ndrain: 5s\n")
    return path


@pytest.fixture
def group(configuration):
    group = Group(configuration)
    yield group
    with suppress(ProcessLookupError):
        group.process.send_signal(signal.SIGTERM)
    group.process.stdout.close()
    assert group.process.wait(30) in (0, -signal.SIGKILL)


def ask(base, path):
    """One request over a connection of its own."""
    with urllib3.PoolManager(retries=False, timeout=20) as pool:
        return pool.request("GET", base + path, headers={"Connection": "close"})


def test_all_serve_what_one_took_and_count_together(group):
    digest = group.http.push_blob("a", b"data")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(group.http.base, f"/v2/a/blobs/{digest}"), range(40)))
    assert {answer.data for answer in answers} == {b"data"}
    # The last ones are counted once their answers are out.
    counted = re.compile(r'requests_total\{endpoint="blob",status="2xx"\} 40$', re.MULTILINE)
    until(lambda: counted.search(ask(group.http.base, "/metrics").data.decode()))
    assert len(group.workers()) == 2


def kill_workers(group):
    """Kill them all, and return when others are there."""
    before = group.workers()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(group.workers()) == 2 and not set(before) & set(group.workers()))


def test_one_that_dies_is_started_again_and_nothing_is_lost(group):
    digest = group.http.push_blob("a", b"data")
    kill_workers(group)
    assert ask(group.http.base, f"/v2/a/blobs/{digest}").data == b"data"


def test_upload_goes_on_in_whichever_process_gets_it(group):
    data = os.urandom(300_000)
    location = ask_post(group.http, "/v2/a/blobs/uploads/").headers["Location"]
    for start in range(0, len(data), 50_000):
        with urllib3.PoolManager(retries=False, timeout=20) as pool:
            piece = data[start : start + 50_000]
            headers = {"Content-Range": f"{start}-{start + len(piece) - 1}", "Connection": "close"}
            assert pool.request("PATCH", group.http.base + location, body=piece, headers=headers).status == 202
    assert group.http("PUT", f"{location}?digest={digest_of(data)}", b"").status == 201


def ask_post(http, path):
    return http("POST", path, b"")


@pytest.fixture
def closed(group, configuration, tmp_path):
    """The group after a reload that asks for passwords."""
    (tmp_path / "users").write_text("")
    configuration.write_text(configuration.read_text() + f"access: {{htpasswd: {tmp_path}/users}}\n")
    group.process.send_signal(signal.SIGHUP)
    until(lambda: all(ask(group.http.base, "/v2/").status == 401 for _ in range(20)))
    return group


def test_reload_reaches_all(closed):
    assert ask(closed.http.base, "/v2/a/tags/list").status == 401


def test_one_that_is_started_after_a_reload_has_what_the_others_read(closed):
    kill_workers(closed)
    assert [ask(closed.http.base, "/v2/").status for _ in range(20)] == [401] * 20


def test_none_outlives_a_parent_that_was_killed(group):
    workers = group.workers()
    group.process.kill()
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))


def test_end_is_clean(group):
    workers = group.workers()
    group.process.send_signal(signal.SIGTERM)
    assert group.process.wait(20) == 0
    assert not any(os.path.exists(f"/proc/{pid}") for pid in workers)
