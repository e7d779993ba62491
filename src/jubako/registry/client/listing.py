"""What a repository has: its tags, and what refers to one of its manifests."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from jubako.image.reference import DEFAULT_TAG, Reference
from jubako.registry.client import origin
from jubako.registry.client.options import DEFAULT, ClientOptions
from jubako.registry.client.referrers import referrers
from jubako.registry.client.repository import Repository
from jubako.spec.oci_image import Descriptor


def tags(ref: Reference, *, options: ClientOptions = DEFAULT) -> list[str]:
    """All tags of the repository."""
    with ExitStack() as stack:
        return origin.opened(stack, ref, None, options).ask(Repository.tags)


def about(
    ref: Reference, artifact_type: str = "", *, options: ClientOptions = DEFAULT
) -> tuple[Descriptor, list[Descriptor]]:
    """The manifest that `ref` means, and everything whose subject it is."""
    with ExitStack() as stack:
        found = origin.opened(stack, ref, None, options)
        target, _ = found.ask(lambda repository: repository.manifest(ref.digest or ref.tag or DEFAULT_TAG))
        return target, found.ask(partial(referrers, subject=target.digest, artifact_type=artifact_type))
