"""The progress of a build for programs (rawjson) and on a terminal."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import threading

import pytest

from jubako.build.rawprogress import RawProgress
from jubako.cli.build_view import BuildView


def test_rawjson_is_a_line_for_each_event_with_buildkits_keys() -> None:
    stream = io.StringIO()
    progress = RawProgress(stream)
    step = progress.step("[1/2] RUN a")
    step.log(b"out\xff\n")
    step.status("writing")
    step.done()
    progress.step("[2/2] RUN b").cached()
    progress.step("[2/2] RUN b").failed("no")
    progress.warning("careful")
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [next(iter(event)) for event in events] == [
        *("vertexes", "logs", "statuses", "vertexes", "vertexes", "vertexes", "vertexes", "vertexes", "warnings")
    ]
    first, ended = events[0]["vertexes"][0], events[3]["vertexes"][0]
    assert first["digest"] == ended["digest"] == events[1]["logs"][0]["vertex"]
    assert first["name"] == "[1/2] RUN a"
    assert "completed" not in first
    assert first["started"] <= ended["completed"]
    assert base64.b64decode(events[1]["logs"][0]["data"]) == b"out\xff\n"
    assert events[5]["vertexes"][0]["cached"] is True
    assert events[7]["vertexes"][0]["error"] == "no"
    assert events[4]["vertexes"][0]["digest"] != events[6]["vertexes"][0]["digest"]
    assert base64.b64decode(events[8]["warnings"][0]["short"]) == b"careful"


class Screen:
    """A pseudo-terminal whose output is read to the end."""

    def __init__(self) -> None:
        self._master, self.fd = os.openpty()
        self._data = b""
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._master, 4096)
            except OSError:
                return
            self._data += piece

    def text(self) -> str:
        os.close(self.fd)
        self._thread.join()
        os.close(self._master)
        return re.sub(r"\033\[[0-9]*[A-Za-z]", "", self._data.decode().replace("\r", ""))


@pytest.fixture
def screen() -> Screen:
    return Screen()


def test_the_view_ends_with_every_step_and_what_became_of_it(screen: Screen) -> None:
    with BuildView(screen.fd) as view:
        view.step("[1/2] RUN a").cached()
        view.step("[2/2] RUN b").done()
    rows = screen.text().splitlines()[-3:]
    assert re.fullmatch(r"\[\+\] Building \d+\.\ds \(2/2\) FINISHED", rows[0])
    assert re.fullmatch(r" => CACHED \[1/2\] RUN a +0\.0s", rows[1])
    assert re.fullmatch(r" => \[2/2\] RUN b +\d\.\ds", rows[2])


def test_the_view_leaves_the_output_of_a_failed_step_without_its_control_characters(screen: Screen) -> None:
    with BuildView(screen.fd) as view:
        step = view.step("[1/1] RUN b")
        step.log(b"one\n\x1b[2Jtwo\nthr")
        step.failed("exit code: 1")
    text = screen.text()
    assert "ERROR [1/1] RUN b" in text
    assert text.splitlines()[-6:] == ["------", " > [1/1] RUN b:", "one", " [2Jtwo", "thr", "------"]
