"""`inspect` in all its forms: documents as indented JSON, or through a template."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from jubako.cli.call import Call
from jubako.cli.failure import Exit, describe
from jubako.cli.gotemplate import Template, TemplateError, record
from jubako.errors import JubakoError

# Objects of Docker's documents that are maps (their keys are data), where all others are structs.
MAPS = frozenset(
    (
        "Annotations", "Attributes", "Containers", "Data", "DriverOpts", "ExposedPorts", "Labels", "Networks",
        "Options", "PortBindings", "Ports", "StorageOpt", "Sysctls", "Tmpfs", "Volumes",
    )
)  # fmt: skip
POINTERS = frozenset(
    ("Health", "Healthcheck", "IPAMConfig", "Init", "MemorySwappiness", "OomKillDisable", "PidsLimit", "StopTimeout")
)
# Status of a template that does not parse, which docker shares with usage errors of old.
_BAD_TEMPLATE = 64


def inspect(call: Call, names: Iterable[str], lookup: Callable[[str], dict[str, Any]], format: str) -> int:
    """Show the documents of all names; those that are missing are told after the others, and make it a failure."""
    template = _parse(format) if format and format != "json" else None
    documents, failures = [], []
    for name in names:
        try:
            documents.append(lookup(name))
        except JubakoError as error:
            failures.append(f"Error: {describe(error)}")
    if template:
        _show(call, template, documents)
    elif format == "json":
        call.line(json.dumps(documents, ensure_ascii=False, separators=(",", ":")))
    else:
        call.line(json.dumps(documents, ensure_ascii=False, indent=4))
    for message in failures:
        call.error(message)
    return 1 if failures else 0


def _parse(text: str) -> Template:
    try:
        return Template(text)
    except TemplateError as error:
        raise Exit(_BAD_TEMPLATE, f"template parsing error: {error}") from None


def _show(call: Call, template: Template, documents: list[dict[str, Any]]) -> None:
    lines = []
    try:
        for document in documents:
            lines.append(template.render(record(_with_optional(document), MAPS, POINTERS)))
    except TemplateError as error:
        raise Exit(1, f"template parsing error: {error}") from None
    finally:
        call.out("\n".join(lines) + "\n")


def _with_optional(document: dict[str, Any]) -> dict[str, Any]:
    """Add the fields that JSON leaves out and that templates may name all the same."""
    state = document.get("State")
    if isinstance(state, dict) and "Health" not in state:
        return {**document, "State": {**state, "Health": None}}
    return document
