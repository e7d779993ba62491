"""Stay with a container until it ends, as its starter or as a later guest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jubako.cli.call import Call
from jubako.cli.pump import Detached
from jubako.cli.session import Session

if TYPE_CHECKING:
    from jubako.runtime.executor import Handle


def sit(session: Session, handle: Handle) -> None:
    """Be at the streams of what we started until they end. Raises Detached when the user detached."""
    channel = handle.attached
    assert channel is not None, "started with attach"
    try:
        session.run(channel)
    except BaseException:
        # We go (the user wants to, nobody reads our output, a signal came), what we started stays.
        handle.detach()
        raise


def stay(call: Call, session: Session, container_id: str, handle: Handle) -> int | None:
    """Stay with the container that we started; returns its exit code, or None when the user detached."""
    try:
        sit(session, handle)
    except Detached:
        return None
    ended = handle.wait()
    call.engine.containers.finish(container_id, handle, ended)
    return ended.code


def stay_attached(call: Call, session: Session, container_id: str) -> int | None:
    """Stay with a container that runs already; returns its exit code, or None when the user detached."""
    channel = call.engine.containers.attach(container_id)
    try:
        code = session.run(channel, redraw=True)
    except Detached:
        return None
    finally:
        channel.close()
    return call.engine.containers.wait(container_id) if code is None else code
