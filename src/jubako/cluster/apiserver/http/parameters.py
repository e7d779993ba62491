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


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """Of ListOptions, CreateOptions, UpdateOptions and PatchOptions, with Kubernetes' defaults."""

    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    token: str = ""
    version: str = ""
    exact: bool = False
    watch: bool = False
    bookmarks: bool = False
    initial: bool | None = None
    timeout_s: int = 0
    dry_run: bool = False
    manager: str = ""
    force: bool = False
    validation: Literal["Ignore", "Warn", "Strict"] = "Warn"
    include: IncludeObject = "Metadata"


def parameters(query: Mapping[str, str]) -> Parameters:
    """Raises Failure (400, 422) for what can not be."""
    match = query.get("resourceVersionMatch", "")
    if match not in ("", "Exact", "NotOlderThan"):
        raise _invalid("resourceVersionMatch", match, "supported values: Exact, NotOlderThan")
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
        exact=match == "Exact",
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


def _invalid_options(field: str, why: str) -> failures.Failure:
    return failures.failure(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {field}: {why}')


def _invalid(name: str, value: str, why: str) -> failures.Failure:
    return failures.failure(422, "Invalid", f'{name}: Invalid value: "{value}": {why}')
