"""Images between registries and this machine: `engine.images` calls these.

A pull unpacks layers while others still come; the image gets its name when all of it is there and unpacked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jubako.image import platform as platforms
from jubako.image import reference

if TYPE_CHECKING:
    from jubako.engine.drivers import Drivers
    from jubako.image.catalog import Image
    from jubako.image.progress import Progress
    from jubako.registry.client import ClientOptions, Credentials
    from jubako.spec.oci_image import Descriptor


def pull(
    drivers: Drivers,
    text: str,
    *,
    platform: str | None,
    all_platforms: bool,
    credentials: Credentials | None,
    options: ClientOptions | None,
    progress: Progress | None,
) -> Image:
    from jubako.registry import client
    from jubako.snapshot.unpack import Unpacking

    with (
        drivers.store.leases.hold(f"pull {text}") as lease,
        Unpacking(drivers.store, drivers.snapshots, lease=lease, progress=progress) as unpacking,
    ):
        return client.pull(
            drivers.store,
            drivers.images,
            reference.parse(text),
            platform=platforms.parse_given(platform),
            all_platforms=all_platforms,
            credentials=credentials,
            options=options or client.ClientOptions(),
            progress=progress,
            lease=lease,
            on_blob=lambda layer, diff_id: unpacking.begin(diff_id, layer),
            ready=unpacking.finish,
        )


def push(
    drivers: Drivers,
    image: Image,
    text: str,
    *,
    platform: str | None,
    credentials: Credentials | None,
    options: ClientOptions | None,
    progress: Progress | None,
) -> Descriptor:
    from jubako.registry import client

    return client.push(
        drivers.store,
        image,
        reference.parse(text),
        platform=platforms.parse_given(platform),
        credentials=credentials,
        options=options or client.ClientOptions(),
        progress=progress,
    )
