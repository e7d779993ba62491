"""get and list.

Model:  a list is of one revision; its continue token names that revision and the last key seen, so that all pages show
        the same state. Where nothing is selected and no form is asked for, nothing is decoded.
Spec:   "Kubernetes API Concepts": Retrieving large results sets in chunks; resourceVersion and its match.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence

import msgspec

from jubako import errors
from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.objects import stored
from jubako.cluster.store import AsyncStore, FutureRevision, Gone, Item
from jubako.cluster.types.document import Object, mapping
from jubako.cluster.types.document import text as text_of
from jubako.cluster.types.served import Resource
from jubako.spec import decoding

Filter = Callable[[Object], bool]
_AT_ONCE = 500
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)
_LATEST = -1


class Token(msgspec.Struct, frozen=True):
    """A continue token: the revision that the list shows, or that of the moment, and the key after which it goes on."""

    rv: int
    start: str


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What to list. `version` is the resourceVersion parameter, `exact` its match."""

    resource: Resource
    namespace: str = ""
    keep: Filter | None = None
    limit: int = 0
    token: str = ""
    version: str = ""
    exact: bool = False


class Listing(msgspec.Struct, frozen=True):
    """`more` is the continue token, "" at the end; `remaining` is None where it is not known."""

    items: Sequence[Item]
    revision: int
    more: str = ""
    remaining: int | None = None


def get(store: AsyncStore, resource: Resource, namespace: str, name: str) -> Item:
    """Return an object. Raises Failure (404)."""
    try:
        return store.get(stored.key(resource, namespace, name))
    except errors.NotFound:
        raise failures.not_found(resource, name) from None


def listing(store: AsyncStore, selection: Selection) -> Listing:
    """Return the objects of a selection, as many as its limit allows. Raises Failure (400, 410, 504)."""
    revision, after = _from(store, selection)
    prefix = stored.prefix(selection.resource, selection.namespace)
    try:
        if selection.keep is None:
            page = store.list(prefix, limit=selection.limit, after=after, revision=revision)
            return _page(page.items, page.revision, page.remaining, counted=True)
        return _selected(store, prefix, selection, after, revision)
    except Gone as gone:
        raise _too_old(after) if selection.token else failures.failure(410, "Expired", gone.message) from None


def _too_old(after: str) -> failures.Failure:
    """The rest of a list can be had all the same, as it is by now."""
    status = failures.status_of(410, "Expired", _TOO_OLD)
    return failures.Failure({**status, "metadata": {"continue": _encoded(Token(_LATEST, after))}})


def _selected(store: AsyncStore, prefix: str, selection: Selection, after: str, revision: int | None) -> Listing:
    assert selection.keep is not None
    found: list[Item] = []
    while True:
        page = store.list(prefix, limit=_AT_ONCE if selection.limit else 0, after=after, revision=revision)
        revision = page.revision
        for at, item in enumerate(page.items):
            after = item.key
            if not selection.keep(stored.decode(item, selection.resource.kind)):
                continue
            found.append(item)
            if len(found) == selection.limit:
                return _page(found, revision, page.remaining + len(page.items) - at - 1, after=after)
        if not page.remaining:
            return _page(found, revision, 0)


def _page(items: Sequence[Item], revision: int, remaining: int, *, after: str = "", counted: bool = False) -> Listing:
    if not remaining or not items:
        return Listing(items, revision)
    token = Token(revision, after or items[-1].key)
    return Listing(items, revision, _encoded(token), remaining if counted else None)


def _encoded(token: Token) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode()


def _from(store: AsyncStore, selection: Selection) -> tuple[int | None, str]:
    """Return the revision to list at (None: the latest) and the key to begin after."""
    if selection.token:
        if selection.version not in ("", "0"):
            raise failures.bad_request("specifying resource version is not allowed when using continue")
        token = _token(selection)
        return (None if token.rv == _LATEST else token.rv), token.start
    wanted = version(selection.version)
    if wanted > store.revision:
        raise failures.of(FutureRevision(wanted, store.revision))
    return (wanted if selection.exact and wanted else None), ""


def _token(selection: Selection) -> Token:
    try:
        token = decoding.decode(base64.urlsafe_b64decode(selection.token), Token)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise failures.bad_request("continue key is not valid: encoded in an unknown form") from None
    if not token.start.startswith(stored.prefix(selection.resource, selection.namespace)) or (
        token.rv <= 0 and token.rv != _LATEST
    ):
        raise failures.bad_request("continue key is not valid: it belongs to another list")
    return token


def version(text: str) -> int:
    """Return a resourceVersion as a number; 0 for none or any."""
    if text and not (text.isascii() and text.isdigit() and len(text) < 20):
        raise failures.bad_request(f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: invalid syntax')
    return int(text or 0)


def uid(item: Item) -> str:
    return text_of(mapping(stored.decode(item)["metadata"]).get("uid"))
