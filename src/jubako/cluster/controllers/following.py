"""All objects of a kind, and then each change, for those that need no cache of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from jubako.cluster.controllers.client import Change, ClusterClient, Listing
from jubako.cluster.controllers.kinds import Kind
from jubako.errors import FailedPrecondition, JubakoError

_AGAIN_S = 1.0
_log = logging.getLogger(__name__)


async def follow(client: ClusterClient, kind: Kind) -> AsyncIterator[Listing | Change]:
    """Yield all objects, then what changes; all once more where the watch could not go on. Without end."""
    while True:
        try:
            listing = await client.list(kind)
            yield listing
            async for change in client.watch(kind, listing.revision):
                if change.type != "BOOKMARK":
                    yield change
        except FailedPrecondition:
            continue
        except JubakoError as error:
            _log.warning("watching %s: %s", kind.name, error.message)
            await asyncio.sleep(_AGAIN_S)
