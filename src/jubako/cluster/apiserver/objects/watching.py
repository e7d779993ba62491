"""What a watch tells.

Model:  events of the store, in order. With a selection, an object that comes into it is ADDED and one that goes out of
        it DELETED, whatever happened to it in the store; a DELETED object is shown as it last was in the selection.
Spec:   "Kubernetes API Concepts": Efficient detection of changes; watch bookmarks; streaming lists.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence

import msgspec

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.objects import stored
from jubako.cluster.apiserver.objects.reading import Filter, Selection, listing, version
from jubako.cluster.store import AsyncStore, Event, Gone, Item, Stopped, Watch
from jubako.cluster.types.document import Object
from jubako.cluster.types.served import Kind, Resource
from jubako.errors import JubakoError

BOOKMARK_EVERY_S = 50.0
_INITIAL_END = {"k8s.io/initial-events-end": "true"}


class Notice(msgspec.Struct, frozen=True):
    """One event of a watch: `kind` is its type; an `item`, or for a bookmark and an error a whole document."""

    kind: str
    item: Item | None = None
    document: Object | None = None


class Watching(msgspec.Struct, frozen=True, kw_only=True):
    """What to watch. `initial`: sendInitialEvents, None where it is not said."""

    selection: Selection
    bookmarks: bool = False
    initial: bool | None = None


async def watch(store: AsyncStore, asked: Watching) -> AsyncGenerator[Sequence[Notice], None]:
    """Yield notices as they come, several at once; the caller ends it. The first batch is empty, and says that all is
    well. Raises Failure before it.
    """
    selection = asked.selection
    begun = version(selection.version)
    first: list[Notice] = []
    if asked.initial or (asked.initial is None and begun == 0):
        state = listing(store, msgspec.structs.replace(selection, exact=False))
        first = [Notice("ADDED", item) for item in state.items]
        begun = state.revision
        if asked.initial:
            first.append(_bookmark(selection.resource, begun, _INITIAL_END))
    with _opened(store, selection, begun or store.revision) as events:
        yield ()
        if first:
            yield first
        async for notices in _follow(events, asked):
            yield notices


def _opened(store: AsyncStore, selection: Selection, after: int) -> Watch:
    try:
        return store.watch(stored.prefix(selection.resource, selection.namespace), after)
    except JubakoError as error:
        raise failures.of(error) from None


async def _follow(events: Watch, asked: Watching) -> AsyncGenerator[Sequence[Notice], None]:
    resource, keep = asked.selection.resource, asked.selection.keep
    while True:
        try:
            batch = await events.batch(BOOKMARK_EVERY_S if asked.bookmarks else None)
        except (Gone, Stopped) as ended:
            yield [Notice("ERROR", document=failures.of(ended).status)]
            return
        if batch:
            yield [notice for event in batch for notice in notices_of(event, keep, resource.kind)]
        elif asked.bookmarks:
            yield [_bookmark(resource, events.revision, {})]


def notices_of(event: Event, keep: Filter | None, kind: Kind) -> Iterator[Notice]:
    """Return what one event is to a selection: one notice, or none."""
    if keep is None:
        yield Notice(event.kind.value, event.current or stored.last(event))
        return
    now = event.current is not None and keep(stored.decode(event.current, kind))
    before = event.previous is not None and keep(stored.decode(event.previous, kind))
    if now:
        yield Notice("MODIFIED" if before else "ADDED", event.current)
    elif before:
        yield Notice("DELETED", stored.last(event))


def _bookmark(resource: Resource, revision: int, annotations: dict[str, str]) -> Notice:
    metadata: Object = {"resourceVersion": str(revision), "creationTimestamp": None}
    if annotations:
        metadata["annotations"] = dict(annotations)
    kind = resource.kind
    return Notice("BOOKMARK", document={"kind": kind.name, "apiVersion": kind.api_version, "metadata": metadata})
