"""Whatever parses can be checked and outlined: no crash, and every warning on lines that there are."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from jubako.build.checks import BaseFacts, check, outline, report
from jubako.build.checks.settings import CheckSettings
from jubako.build.checks.stages import Stages
from jubako.build.dockerfile.parser import parse
from jubako.build.dockerfile.source import DockerfileError
from jubako.build.files.ignore import Ignore

EVERYTHING = CheckSettings(experimental=frozenset({"all"}))
WORDS = st.sampled_from(
    'a $a ${b:-c} ${ a=b = \' " \\ as --platform=$a --platform=linux/amd64 80/TCP 1:2 [ ["a"] <<E / . é none'.split(" ")
)
BREAKS = st.sampled_from(["c d", "\\\n", "\n", "AS x", "AS X", "\nE\n", "\t", "# x y\n"])
KEYWORDS = st.sampled_from(
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER "
    "VOLUME WORKDIR from Run # #check=error=true".split(" ")
)
LINES = st.tuples(KEYWORDS, st.lists(WORDS | BREAKS, min_size=1, max_size=4).map(" ".join)).map(" ".join)
FILES = st.lists(LINES, max_size=8).map(lambda lines: "\n".join(["FROM a AS b", *lines]))


@given(FILES)
@settings(max_examples=500, deadline=None)
@example("FROM a AS b\nFROM b AS b\nCOPY --from=b x y")
@example("ARG x\nFROM $x")
def test_what_parses_is_checked_and_outlined(text: str) -> None:
    try:
        dockerfile = parse(text.encode())
    except DockerfileError:
        return
    found = check(
        dockerfile,
        EVERYTHING,
        build_args={"a": "given"},
        target=None,
        find_facts=lambda name: BaseFacts({"PATH": "/bin"}, has_shell=False) if name == "a" else None,
        ignore=Ignore(["a", "x*"]),
    )
    for warned in found:
        assert 1 <= warned.first_line <= warned.last_line <= len(dockerfile.source.lines)
    stages = Stages(dockerfile, {}, None)
    assert report.text(dockerfile.source, found).count("WARNING: ") >= len(found)
    assert report.data(dockerfile.source, found)
    assert outline.targets_text(stages).startswith("TARGET")
    assert outline.outline_data(stages)
    assert outline.targets_data(stages)
    assert outline.outline_text(stages).startswith("TARGET") or stages.target.name is None
