"""What is wrong in a Dockerfile is said at its line and column."""

from __future__ import annotations

import pytest

from jubako.build.dockerfile.parser import parse
from jubako.build.dockerfile.source import DockerfileError
from jubako.errors import InvalidArgument

CASES = [
    ("FORM busybox", 1, 1, "unknown instruction: FORM (did you mean FROM?)"),
    ("FROM a\n  RNU true", 2, 3, "unknown instruction: RNU (did you mean RUN?)"),
    ("RUN true", 1, 1, "no build stage in current context"),
    ("", 1, 1, "no FROM instruction"),
    ("# only a comment\n", 2, 1, "no FROM instruction"),
    ("FROM a b", 1, 1, "FROM requires either one or three arguments"),
    ("FROM a AS 1st", 1, 1, "invalid name for build stage"),
    ("FROM a\nRUN --mount=type=ssh,env=x true", 2, 5, "unexpected key 'env' for mount type 'ssh'"),
    ("FROM a\nRUN --mount=typ=tmpfs true", 2, 5, "unexpected key 'typ' in 'typ=tmpfs' (did you mean type?)"),
    ("FROM a\nRUN --mount=type=tmp true", 2, 5, 'unsupported mount type "tmp" (did you mean tmpfs?)'),
    ("FROM a\nRUN --mount=type=cache,sharing=lock true", 2, 5, 'sharing value "lock" (did you mean locked?)'),
    ("FROM a\nRUN --mount=type=cache,target true", 2, 5, "invalid field 'target'"),
    ("FROM a\nRUN --mount=type=secret,id=a,src=a true", 2, 5, "they can't both be given"),
    ("FROM a\nRUN --mount= true", 2, 5, "the flag is empty"),
    ("FROM a\nRUN '--mont=type=tmpfs' true\nRUN --mont=x true", 3, 5, "unknown flag: --mont (did you mean mount?)"),
    ("FROM a\nCOPY --from=$b x /", 2, 6, "variable expansion is not supported for --from"),
    ("FROM a\nCOPY x <<EOF\nEOF", 2, 8, "cannot have a here-document for its destination"),
    ("FROM a\nCOPY <<a/b /\na/b", 2, 6, "can't have a / in its name"),
    ("FROM a\nCOPY --link= x /", 2, 6, "missing a value on flag: --link"),
    ("FROM a\nRUN --device=a/b=c,wanted true", 2, 5, "unexpected key 'wanted'"),
    ("FROM a\nRUN --device=required true", 2, 5, "a device needs a name"),
    ("FROM a\nRUN --security=none true", 2, 5, "invalid security mode 'none'"),
    ("FROM a\nCOPY --form=x a b", 2, 6, "unknown flag: --form (did you mean from?)"),
    ("FROM a\nCOPY --from=x --from=y a b", 2, 15, "duplicate flag specified: from"),
    ("FROM a\nCOPY --chown a b", 2, 6, "missing a value on flag: --chown"),
    ("FROM a\nCOPY a", 2, 1, "Destination could not be determined"),
    ("FROM a\nCOPY https://example.com/x /", 2, 6, "source can't be a URL for COPY"),
    ("FROM a\nENV a=1 \\\n   b", 3, 4, 'can\'t find = in "b"'),
    ("FROM a\nENV a", 2, 5, "ENV must have two arguments"),
    ("FROM a\nHEALTHCHECK --retries=1 CMD", 2, 1, "missing command after HEALTHCHECK CMD"),
    ("FROM a\nENV", 2, 1, "ENV requires at least one argument"),
    ("FROM a\nENV =x", 2, 5, "names can not be blank"),
    ('FROM a\nCMD ["a", 1]', 2, 5, "arrays must be comprised of strings only"),
    ("FROM a\nSHELL /bin/sh -c", 2, 7, "SHELL requires the arguments to be in JSON form"),
    ("FROM a\nRUN <<EOF\nno end", 2, 5, "unterminated heredoc"),
    ("FROM a\nRUN --network=wifi true", 2, 5, "invalid network mode"),
    ("FROM a\nONBUILD FROM b", 2, 9, "FROM isn't allowed as an ONBUILD trigger"),
    ("FROM a\nONBUILD ONBUILD RUN x", 2, 9, "chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
    ("FROM a\nHEALTHCHECK --interval=soon CMD x", 2, 13, "invalid duration"),
    ("FROM a\nHEALTHCHECK --interval=9999999999h CMD x", 2, 13, "it is too long"),
    ("FROM a\nHEALTHCHECK PING", 2, 13, "unknown type"),
    ('FROM a\nVOLUME [""]', 2, 8, "can not be an empty string"),
    ("FROM a\nRUN \0", 2, 5, "NUL character"),
    ("# escape=/\nFROM a", 1, 1, "invalid escape token"),
    ("# escape=`\n# escape=`\nFROM a", 2, 1, "only one escape parser directive"),
]


@pytest.mark.parametrize(("text", "line", "column", "problem"), CASES, ids=[case[3] for case in CASES])
def test_error_names_its_place(text: str, line: int, column: int, problem: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(text.encode(), "Dockerfile.test")
    assert problem in caught.value.problem
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.message.startswith(f"Dockerfile.test:{line}:{column}: ")
    assert isinstance(caught.value, InvalidArgument)


def test_error_shows_the_line_with_carets() -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(b"FROM a\n\tFORM b\n")
    assert caught.value.message.splitlines()[1:] == ["  2 | \tFORM b", "    | \t^^^^"]


def test_bytes_that_are_not_utf8_are_refused_at_their_place() -> None:
    with pytest.raises(DockerfileError) as caught:
        parse("FROM a\nRUN é".encode() + b"\xff")
    assert (caught.value.line, caught.value.column) == (2, 6)
