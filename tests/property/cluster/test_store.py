"""Both stores against a model that keeps everything and looks things up by going through it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jubako.cluster.store import (
    Create,
    Delete,
    DurableStore,
    Event,
    FutureRevision,
    Gone,
    Item,
    MemoryStore,
    ObjectStore,
    Options,
    Retention,
    StaleRevision,
    Update,
    Write,
)
from jubako.errors import AlreadyExists, JubakoError, NotFound

TIMEOUT_S = 30
TTL_S = 50.0
AGE_S = 200.0
OPTIONS = Options(ephemeral={"/e/": TTL_S}, keep=Retention(age_s=AGE_S))
KEYS = st.sampled_from(["/a", "/a/b", "/a/c", "/a/c/d", "/ab", "/b/x", "/b/y", "/e/1", "/e/2"])
PREFIXES = st.sampled_from(["", "/", "/a", "/a/", "/b/", "/b/x", "/e/", "/e/1", "/nothing"])
VALUES = st.binary(max_size=3)


class Model:
    """Everything that ever happened, and when."""

    def __init__(self) -> None:
        self.revision = 1
        self.compacted = 0
        self.opened = 1
        self.events: list[tuple[float, Event]] = []
        self.written: dict[str, float] = {}

    def state(self, revision: int | None = None) -> dict[str, Item]:
        items: dict[str, Item] = {}
        for _, event in self.events:
            if revision is None or event.revision <= revision:
                items.pop(event.key, None)
                if event.current:
                    items[event.key] = event.current
        return items

    def write(self, write: Write, now: float) -> Event:
        held = self.state().get(write.key)
        if isinstance(write, Create):
            if held:
                raise AlreadyExists("key", write.key)
        elif not held:
            raise NotFound("key", write.key)
        elif held.revision != write.revision:
            raise StaleRevision(write.key, write.revision, held)
        self.revision += 1
        current = None if isinstance(write, Delete) else Item(write.key, write.value, self.revision)
        event = Event(self.revision, write.key, current, held)
        self.events.append((now, event))
        self.written[write.key] = now
        return event

    def transact(self, writes: list[Write], now: float) -> list[Event]:
        before = self.revision, len(self.events)
        try:
            return [self.write(write, now) for write in writes]
        except JubakoError:
            self.revision = before[0]
            del self.events[before[1] :]
            raise

    def upkeep(self, now: float) -> None:
        """What is due: ends of ephemeral keys in the order of their last writes, then what is too old goes."""
        ended = [item for key, item in self.state().items() if key.startswith("/e/") and self.ends(item) <= now]
        for item in sorted(ended, key=lambda item: item.revision):
            self.write(Delete(item.key, item.revision), now)

    def ends(self, item: Item) -> float:
        return next(time for time, event in self.events if event.revision == item.revision) + TTL_S

    def forget(self, now: float, wanted: int = 0) -> None:
        old = [event.revision for time, event in self.events if time <= now - AGE_S]
        self.compacted = max([self.compacted, wanted, *old])

    def after(self, revision: int, prefix: str) -> list[Event]:
        return [event for _, event in self.events if event.revision > revision and event.key.startswith(prefix)]

    def oldest(self, prefix: str) -> int:
        meets = prefix.startswith("/e/") or "/e/".startswith(prefix)
        return max(self.compacted, self.opened if meets else 0)

    def reopen(self, revision: int) -> None:
        """What is ephemeral ends without an event; what the log still has stays."""
        self.revision = self.opened = revision
        self.events = [(time, event) for time, event in self.events if not event.key.startswith("/e/")]


def outcome(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except JubakoError as error:
        return type(error), error.message


class StoreMachine(RuleBasedStateMachine):
    store: ObjectStore

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.model = Model()
        self.watches: list[tuple[Any, str, int]] = []

    @initialize()
    def begin(self) -> None:
        self.store = MemoryStore(OPTIONS, clock=lambda: self.now)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()

    @rule(data=st.data(), count=st.integers(1, 4))
    def write(self, data: st.DataObject, count: int) -> None:
        writes = [self.any_write(data) for _ in range(count)]
        self.model.upkeep(self.now)
        expected = outcome(self.model.transact, writes, self.now)
        assert outcome(lambda: self.store.submit(writes).result(TIMEOUT_S)) == expected
        self.model.forget(self.now)

    def any_write(self, data: st.DataObject) -> Write:
        key = data.draw(KEYS)
        held = self.model.state().get(key)
        near = held.revision if held else self.model.revision
        revision = data.draw(st.sampled_from([near, near, near, near - 1, near + 1]))
        return data.draw(
            st.one_of(
                st.builds(Create, st.just(key), VALUES),
                st.builds(Update, st.just(key), VALUES, st.just(revision)),
                st.builds(Delete, st.just(key), st.just(revision)),
            )
        )

    @rule(prefix=PREFIXES, limit=st.integers(0, 4), after=st.one_of(st.just(""), KEYS), back=st.integers(-1, 12))
    def list(self, prefix: str, limit: int, after: str, back: int) -> None:
        at = self.model.revision - back
        listed = outcome(lambda: self.store.list(prefix, limit=limit, after=after, revision=at))
        if at > self.model.revision:
            assert listed[0] is FutureRevision
        elif at < self.model.oldest(prefix):
            assert listed[0] is Gone
        else:
            state = self.model.state(at)
            keys = sorted(key for key in state if key.startswith(prefix) and key > after)
            chosen = keys[:limit] if limit else keys
            assert (listed.items, listed.revision) == ([state[key] for key in chosen], at)
            assert listed.remaining == len(keys) - len(chosen)

    @rule(prefix=PREFIXES, back=st.integers(0, 12))
    def watch(self, prefix: str, back: int) -> None:
        after = self.model.revision - back
        subscription = outcome(lambda: self.store.subscribe(prefix, after, lambda: None))
        if after < self.model.oldest(prefix):
            assert subscription[0] is Gone
        else:
            self.watches.append((subscription, prefix, after))

    @precondition(lambda self: self.watches)
    @rule(data=st.data(), limit=st.integers(1, 5))
    def read(self, data: st.DataObject, limit: int) -> None:
        index = data.draw(st.integers(0, len(self.watches) - 1))
        subscription, prefix, after = self.watches.pop(index)
        missing = self.model.after(after, prefix)
        told = outcome(lambda: subscription.take(limit))
        if missing and missing[0].revision <= self.model.compacted:
            assert told[0] is Gone
            return
        events, revision = told
        assert events == missing[:limit]
        assert revision == (missing[limit].revision - 1 if len(missing) > limit else self.model.revision)
        self.watches.append((subscription, prefix, revision))

    @rule(back=st.integers(-1, 10))
    def compact(self, back: int) -> None:
        wanted = self.model.revision - back
        if back < 0:
            assert outcome(self.store.compact, wanted)[0] is FutureRevision
            return
        self.model.upkeep(self.now)
        self.store.compact(wanted).result(TIMEOUT_S)
        self.model.forget(self.now, wanted)

    @rule(seconds=st.integers(0, 100))
    def pass_time(self, seconds: int) -> None:
        """What is due happens with the next write, or in a thread of the store: here it is a wish for nothing."""
        self.now += seconds
        self.compact(self.model.revision)  # of revision 0

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        if hasattr(self, "store"):
            assert self.store.revision == self.model.revision
            assert {item.key: item for item in self.store.list("").items} == self.model.state()


class DurableMachine(StoreMachine):
    """The same, with restarts in between."""

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="jubako-store.")
        self.store = self.open()

    def open(self) -> DurableStore:
        return DurableStore(Path(self.directory.name), OPTIONS, clock=lambda: self.now)

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "directory"):
            self.directory.cleanup()

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = self.open()
        assert self.store.revision >= self.model.revision
        self.model.reopen(self.store.revision)
        self.model.events = [(self.now, event) for _, event in self.model.events]
        # That only ephemeral events were forgotten is itself forgotten.
        kept = [event.revision for _, event in self.model.events if event.revision <= self.model.compacted]
        assert max(kept, default=0) <= self.store._history.compacted <= self.model.compacted
        self.model.compacted = self.store._history.compacted
        self.watches.clear()


TestMemory = StoreMachine.TestCase
TestMemory.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestDurable = DurableMachine.TestCase
TestDurable.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
