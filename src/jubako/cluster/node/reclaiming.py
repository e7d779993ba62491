"""The data of volumes that are deleted is removed, and only then are they let go of.

Killed:  the next one finds the volume as it is, and goes on.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from jubako.cluster.controllers.actions import Patch
from jubako.cluster.controllers.client import ClusterClient, Listing
from jubako.cluster.controllers.following import follow
from jubako.cluster.controllers.kinds import PERSISTENT_VOLUME, key_of
from jubako.cluster.node.blocking import Blocking
from jubako.cluster.node.volumes import claims
from jubako.cluster.objects import Object
from jubako.errors import Conflict, JubakoError, NotFound

_AGAIN_S = 5.0
_log = logging.getLogger(__name__)


async def reclaim(client: ClusterClient, blocking: Blocking) -> None:
    """Run until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        async for found in follow(client, PERSISTENT_VOLUME):
            for volume in found.objects if isinstance(found, Listing) else [found.object]:
                if claims.is_doomed(volume):
                    tasks.create_task(_empty(client, blocking, volume))


async def _empty(client: ClusterClient, blocking: Blocking, volume: Object) -> None:
    """What can not be removed now, since it is mounted somewhere, may be later."""
    while True:
        try:
            letting_go: Patch = await blocking(partial(claims.remove, volume))
            await client.patch(letting_go)
        except (NotFound, Conflict):
            return  # gone, or changed: of that one we are told
        except (OSError, JubakoError) as error:
            _log.warning("removing the data of volume %s: %s", key_of(volume), error)
            await asyncio.sleep(_AGAIN_S)
        else:
            return
