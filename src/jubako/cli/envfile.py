"""Environment variables and labels from options and files, by the rules of docker's command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jubako.cli.options import UsageError
from jubako.errors import InvalidArgument


def environment(files: Sequence[str], texts: Sequence[str], inherited: Mapping[str, str]) -> list[str]:
    """Variables of the files, then those of `-e`; a bare name takes the caller's value, or is left out."""
    found = [item for path in files for item in _file_variables(path, inherited)]
    for text in texts:
        name, equals, _ = text.partition("=")
        if not name:
            raise UsageError(f'invalid argument "{text}" for "-e, --env" flag: invalid environment variable: {text}')
        if equals:
            found.append(text)
        elif name in inherited:
            found.append(f"{name}={inherited[name]}")
    return found


def _file_variables(path: str, inherited: Mapping[str, str]) -> Iterable[str]:
    for line in _lines(path):
        name, equals, _ = line.partition("=")
        if not name:
            raise InvalidArgument(f"invalid env file ({path}): no variable name on line '{line}'")
        if any(letter.isspace() for letter in name):
            raise InvalidArgument(f"invalid env file ({path}): variable '{name}' contains whitespaces")
        if equals:
            yield line
        elif name in inherited:
            yield f"{name}={inherited[name]}"


def labels(files: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    """Labels of the files, then those of `--label`, where a bare name is an empty value; in a file it is none."""
    lines = [line for path in files for line in _file_variables(path, {})]
    return dict(text.partition("=")[::2] for text in [*lines, *texts])


def _lines(path: str) -> list[str]:
    """The lines that count: neither empty nor comments, without leading blanks."""
    try:
        with open(path, "rb") as file:
            data = file.read().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise InvalidArgument(f"open {path}: {(error.strerror or '').lower()}") from None
    lines = []
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            text = line.removesuffix(b"\r").decode().lstrip()
        except UnicodeDecodeError:
            raise InvalidArgument(f"env file {path} contains invalid utf8 bytes at line {number}") from None
        if text and not text.startswith("#"):
            lines.append(text)
    return lines
