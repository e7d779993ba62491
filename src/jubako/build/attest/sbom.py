"""A bill of materials of a file system: SPDX 2.3 in JSON, the same bytes for the same packages and time.

Spec: SPDX 2.3; package-url specification; BuildKit, docs/attestations/sbom-protocol.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from jubako import __version__
from jubako.build.attest.packages import Package, Release, packages, release
from jubako.build.exporters.product import Predicate

_TYPE = "https://spdx.dev/Document"
_UNKNOWN = "NOASSERTION"
_DOCUMENT, _ROOT = "SPDXRef-DOCUMENT", "SPDXRef-DocumentRoot-Directory-sbom"


def sbom(root_fd: int, created: str) -> Predicate:
    """The predicate about what stands beneath `root_fd`; `created` is RFC 3339."""
    return Predicate(
        _TYPE, msgspec.json.encode(_document(packages(root_fd), release(root_fd), created)), "sbom.spdx.json"
    )


def _document(found: Sequence[Package], distribution: Release, created: str) -> dict[str, object]:
    identity = hashlib.sha256(msgspec.json.encode([*found, created])).hexdigest()
    entries = [_package(package, distribution) for package in found]
    root = {
        "name": "sbom",
        "SPDXID": _ROOT,
        "downloadLocation": _UNKNOWN,
        "filesAnalyzed": False,
        "licenseConcluded": _UNKNOWN,
        "licenseDeclared": _UNKNOWN,
        "copyrightText": _UNKNOWN,
        "primaryPackagePurpose": "FILE",
    }
    contains = [_relation(_ROOT, "CONTAINS", str(entry["SPDXID"])) for entry in entries]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": _DOCUMENT,
        "name": "sbom",
        "documentNamespace": f"urn:jubako:sbom:{identity}",
        "creationInfo": {
            "creators": [f"Tool: jubako-{__version__}"],
            "created": re.sub(r"\.\d+Z$", "Z", created),
        },
        "packages": [*entries, root],
        "relationships": [_relation(_DOCUMENT, "DESCRIBES", _ROOT), *contains],
    }


def _package(package: Package, distribution: Release) -> dict[str, object]:
    url = _url(package, distribution)
    entry: dict[str, object] = {
        "name": package.name,
        "SPDXID": f"SPDXRef-Package-{package.kind}-{hashlib.sha256(url.encode()).hexdigest()[:16]}",
        "versionInfo": package.version,
        "downloadLocation": _UNKNOWN,
        "filesAnalyzed": False,
        "licenseConcluded": _UNKNOWN,
        "licenseDeclared": _license(package.license),
        "copyrightText": _UNKNOWN,
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": url}],
    }
    if package.source:
        entry["sourceInfo"] = f"built from the source package {package.source}"
    return entry


def _url(package: Package, distribution: Release) -> str:
    name, version = quote(package.name, safe=""), quote(package.version, safe=":~")
    if package.kind == "pypi":
        return f"pkg:pypi/{name}@{version}"
    facts = {
        "arch": package.architecture,
        "distro": "-".join(part for part in (distribution.id, distribution.version) if part),
    }
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in facts.items() if value)
    return f"pkg:{package.kind}/{quote(distribution.id, safe='')}/{name}@{version}{'?' + query if query else ''}"


def _license(text: str) -> str:
    """What looks like an SPDX expression; anything else says nothing that a reader could check."""
    return text if re.fullmatch(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*", text) else _UNKNOWN


def _relation(subject: str, kind: str, target: str) -> dict[str, object]:
    return {"spdxElementId": subject, "relationshipType": kind, "relatedSpdxElement": target}
