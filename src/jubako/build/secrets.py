"""`--secret`: what a build is told in confidence, by ID.

Forms: `id=ID[,src=FILE]`, `id=ID,env=NAME`, `type=env,id=ID[,src=NAME]`; without a place it is the variable of that
       name where there is one, else the file.
Spec:  buildx, "--secret".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from jubako.errors import InvalidArgument, NotFound

SIZE_MAX = 500 << 10
_KEYS = ("type", "id", "src", "source", "env")


def secrets(texts: Sequence[str], environ: Mapping[str, str], directory: Path = Path()) -> dict[str, bytes]:
    """The content of each secret; files are looked for from `directory`. A variable that is not set is no secret:
    the RUN that requires it says so. Raises InvalidArgument, NotFound."""
    found: dict[str, bytes] = {}
    for text in texts:
        secret_id, value = _secret(text, environ, directory)
        if value is not None:
            found[secret_id] = value
    return found


def _secret(text: str, environ: Mapping[str, str], directory: Path) -> tuple[str, bytes | None]:
    fields = _fields(text)
    secret_id = fields.get("id", "")
    if not secret_id:
        raise InvalidArgument(f"secret missing ID: {text}")
    place, variable = fields.get("src", ""), fields.get("env", "")
    if fields.get("type") == "env" and not variable:
        place, variable = "", place or secret_id
    if not place and not variable:
        place, variable = ("", secret_id) if secret_id in environ and fields.get("type") != "file" else (secret_id, "")
    if variable:
        value = environ.get(variable)
        return secret_id, None if value is None else _bounded(secret_id, value.encode("utf-8", "surrogateescape"))
    return secret_id, _read(secret_id, directory / place)


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for field in text.split(","):
        key, equals, value = field.partition("=")
        key = key.strip().lower()
        if not equals:
            raise InvalidArgument(f"invalid field {field!r} of a secret: it must be a key=value pair")
        if key not in _KEYS:
            raise InvalidArgument(f"unexpected key {key!r} in {field!r}", hint=f"it is one of {', '.join(_KEYS)}")
        fields["src" if key == "source" else key] = value
    if fields.get("type", "file") not in ("file", "env"):
        raise InvalidArgument(f"unsupported secret type {fields['type']!r}", hint="it is file or env")
    return fields


def _read(secret_id: str, path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return _bounded(secret_id, stream.read(SIZE_MAX + 1))
    except OSError as error:
        message = f"failed to read the secret {secret_id}: {path}: {(error.strerror or str(error)).lower()}"
        raise NotFound("secret", secret_id, message=message) from None


def _bounded(secret_id: str, value: bytes) -> bytes:
    if len(value) > SIZE_MAX:
        raise InvalidArgument(f"secret {secret_id} is too big: at most {SIZE_MAX >> 10} KB")
    return value
