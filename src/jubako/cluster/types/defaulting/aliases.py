"""Fields that say the same in two ways, or are for writing only: afterwards both say it, and what was written is
where it is read.

Kubernetes does this while it converts objects to its internal form and back.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

from jubako.cluster.types.document import JSON, Object, array, mapping, strings, text


def secret(of: Object) -> None:
    """Text of `stringData` is an entry of `data`, in base64."""
    if written := strings(of.pop("stringData", None)):
        encoded: Object = {key: base64.b64encode(value.encode()).decode() for key, value in written.items()}
        of["data"] = {**mapping(of.get("data")), **encoded}


def service_account(spec: Object) -> None:
    """`serviceAccount` is what `serviceAccountName` once was called."""
    if name := text(spec.get("serviceAccountName")) or text(spec.get("serviceAccount")):
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def addresses(status: Object) -> None:
    """The first of several addresses also stands alone, and decides where the two differ."""
    for one, several in (("podIP", "podIPs"), ("hostIP", "hostIPs")):
        _first(status, one, several, lambda address: {"ip": address}, lambda entry: text(mapping(entry).get("ip")))


def networks(spec: Object) -> None:
    _first(spec, "podCIDR", "podCIDRs", lambda network: network, text)


def _first(of: Object, one: str, several: str, written: Callable[[str], JSON], read: Callable[[JSON], str]) -> None:
    held, entries = text(of.get(one)), array(of.get(several))
    if held and (not entries or read(entries[0]) != held):
        of[several] = [written(held)]
    elif entries and not held:
        of[one] = read(entries[0])
