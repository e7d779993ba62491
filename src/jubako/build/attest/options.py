"""Which statements a build makes: `--provenance`, `--sbom`, and `--attest` for both.

Forms: `true`, `false`, `mode=min|max` (min when not said); attributes as `key=value`, comma-separated.
Spec:  buildx, "--attest".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from jubako.build.truth import truth
from jubako.errors import InvalidArgument


class AttestOptions(msgspec.Struct, frozen=True):
    """`provenance` is "" for none."""

    provenance: Literal["", "min", "max"] = ""
    sbom: bool = False


def attest_options(attests: Sequence[str], provenance: str | None, sbom: str | None) -> AttestOptions:
    """What the three options say together; the later word counts. Raises InvalidArgument."""
    texts = list(attests)
    if provenance is not None:
        texts.append(attest_text("provenance", provenance))
    if sbom is not None:
        texts.append(attest_text("sbom", sbom))
    found = AttestOptions()
    for text in texts:
        found = _with(found, text)
    return found


def attest_text(kind: str, text: str) -> str:
    """`--KIND TEXT` as an `--attest`."""
    if "=" in text:
        return f"type={kind},{text}"
    wanted = truth(text or "true")
    if wanted is None:
        raise InvalidArgument(f"invalid {kind} attestation {text!r}: it is true, false or attributes as key=value")
    return f"type={kind},disabled={str(not wanted).lower()}"


def _with(options: AttestOptions, text: str) -> AttestOptions:
    fields = dict(field.partition("=")[::2] for field in text.split(","))
    kind = fields.pop("type", "")
    disabled = truth(fields.pop("disabled", "false") or "true")
    if disabled is None:
        raise InvalidArgument(f"invalid attestation {text!r}: disabled is true or false")
    if kind == "sbom":
        _refuse(kind, fields, ())
        return msgspec.structs.replace(options, sbom=not disabled)
    if kind != "provenance":
        raise InvalidArgument(f"unknown attestation type {kind!r}", hint="it is provenance or sbom")
    _refuse(kind, fields, ("mode", "version"))
    mode = fields.get("mode", "min")
    if mode not in ("min", "max"):
        raise InvalidArgument(f"invalid provenance mode {mode}", hint="it is min or max")
    if fields.get("version", "v0.2") != "v0.2":
        raise InvalidArgument(f"provenance of version {fields['version']} is not supported", hint="v0.2 is")
    return msgspec.structs.replace(options, provenance="" if disabled else mode)


def _refuse(kind: str, fields: dict[str, str], known: Sequence[str]) -> None:
    for key in fields:
        if key not in known:
            raise InvalidArgument(f"unknown attribute {key!r} of the {kind} attestation")
