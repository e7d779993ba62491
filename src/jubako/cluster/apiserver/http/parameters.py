"""The query of a request, as far as verbs know it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

import msgspec

from jubako.cluster.apiserver import failures
from jubako.cluster.types.columns import IncludeObject

_TRUE, _FALSE = ("1", "t", "true", ""), ("0", "f", "false")
_VALIDATIONS = ("Ignore", "Warn", "Strict")
_INCLUDED = ("None", "Metadata", "Object")
_MANAGER_MAX = 128
_MATCH, _MATCHES = "resourceVersionMatch", ("Exact", "NotOlderThan")


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """Of ListOptions, CreateOptions, UpdateOptions and PatchOptions, with Kubernetes' defaults."""

    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    token: str = ""
    version: str = ""
    match: str = ""
    watch: bool = False
    bookmarks: bool = False
    initial: bool | None = None
    timeout_s: int = 0
    dry_run: bool = False
    manager: str = ""
    force: bool = False
    validation: Literal["Ignore", "Warn", "Strict"] = "Warn"
    include: IncludeObject = "Metadata"

    @property
    def exact(self) -> bool:
        """Whether a list is to be as it was at its version."""
        return self.match == "Exact"


def parameters(query: Mapping[str, str]) -> Parameters:
    """Raises Failure (400, 422) for what can not be."""
    if query.get("dryRun", "All") not in ("All", ""):
        raise _invalid("dryRun", query["dryRun"], "supported values: All")
    validation = query.get("fieldValidation") or "Warn"
    if validation not in _VALIDATIONS:
        raise _invalid("fieldValidation", validation, "supported values: Ignore, Strict, Warn")
    include = query.get("includeObject") or "Metadata"
    if include not in _INCLUDED:
        raise failures.bad_request(f'unrecognized includeObject value: "{include}"')
    return Parameters(
        label_selector=query.get("labelSelector", ""),
        field_selector=query.get("fieldSelector", ""),
        limit=_number(query, "limit"),
        token=query.get("continue", ""),
        version=query.get("resourceVersion", ""),
        match=query.get("resourceVersionMatch", ""),
        watch=flag(query, "watch"),
        bookmarks=flag(query, "allowWatchBookmarks"),
        initial=flag(query, "sendInitialEvents") if "sendInitialEvents" in query else None,
        timeout_s=_number(query, "timeoutSeconds"),
        dry_run=query.get("dryRun") == "All",
        manager=_manager(query.get("fieldManager", "")),
        force=flag(query, "force"),
        validation=cast(Literal["Ignore", "Warn", "Strict"], validation),
        include=cast(IncludeObject, include),
    )


def _manager(name: str) -> str:
    if len(name.encode()) > _MANAGER_MAX:
        why = f"Too long: may not be more than {_MANAGER_MAX} bytes"
        raise _invalid_options("fieldManager", why)
    if not name.isprintable():
        raise _invalid_options("fieldManager", f'Invalid value: "{name}": should only contain printable characters')
    return name


def flag(query: Mapping[str, str], name: str) -> bool:
    """Return a yes or no of a query. Raises Failure (400)."""
    text = query.get(name, "false").lower()
    if text not in (*_TRUE, *_FALSE):
        raise failures.bad_request(f'invalid value of {name}: strconv.ParseBool: parsing "{text}": invalid syntax')
    return text in _TRUE


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name) or "0"
    try:
        return max(int(text), 0)
    except ValueError:
        message = f'invalid value of {name}: strconv.ParseInt: parsing "{text}": invalid syntax'
        raise failures.bad_request(message) from None


def check_patch(asked: Parameters, *, applies: bool) -> None:
    """What only an apply has: a manager, and whether it takes what others have. Raises Failure (422)."""
    if applies and not asked.manager:
        raise _invalid_options("fieldManager", "Required value: is required for apply patch")
    if asked.force and not applies:
        raise _invalid_options("force", "Forbidden: may not be specified for non-apply patch")


def check_list(asked: Parameters) -> None:
    """Which versions a list can be asked for. Raises Failure (422)."""
    if asked.initial is not None:
        raise _invalid_list("sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list")
    if not asked.match:
        return
    if not asked.version:
        raise _no_match("resourceVersionMatch is forbidden unless resourceVersion is provided")
    if asked.token:
        raise _no_match("resourceVersionMatch is forbidden when continue is provided")
    if asked.match not in _MATCHES:
        listed = ", ".join(f'"{each}"' for each in ("Exact", "NotOlderThan", ""))
        raise _invalid_list(_MATCH, f'Unsupported value: "{asked.match}": supported values: {listed}')
    if asked.exact and asked.version == "0":
        raise _no_match('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')


def check_watch(asked: Parameters) -> None:
    """A watch begins with the state where both are asked for. Raises Failure (422)."""
    if asked.initial is None and asked.match:
        raise _no_match("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
    if asked.initial is not None and asked.match != "NotOlderThan":
        raise _no_match("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")


def _no_match(why: str) -> failures.Failure:
    return _invalid_list(_MATCH, f"Forbidden: {why}")


def _invalid_list(field: str, why: str) -> failures.Failure:
    return failures.failure(422, "Invalid", f'ListOptions.meta.k8s.io "" is invalid: {field}: {why}')


def _invalid_options(field: str, why: str) -> failures.Failure:
    return failures.failure(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {field}: {why}')


def _invalid(name: str, value: str, why: str) -> failures.Failure:
    return failures.failure(422, "Invalid", f'{name}: Invalid value: "{value}": {why}')
