"""`engine.registries`: what is done in registries without an image here: copies, artifacts, lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jubako.errors import InvalidArgument
from jubako.image import reference

if TYPE_CHECKING:
    from jubako.engine.drivers import Drivers
    from jubako.image.progress import Progress
    from jubako.registry.client import ClientOptions
    from jubako.registry.client.artifact import File
    from jubako.spec.oci_image import Descriptor


class EngineRegistries:
    """Names are those of `pull`: [REGISTRY/]REPOSITORY[:TAG|@DIGEST]."""

    def __init__(self, drivers: Drivers) -> None:
        self._drivers = drivers

    def push_artifact(
        self,
        name: str,
        files: Sequence[File],
        *,
        artifact_type: str = "",
        annotations: Mapping[str, str] | None = None,
        subject: str = "",
        options: ClientOptions | None = None,
        progress: Progress | None = None,
    ) -> Descriptor:
        """Send files as one artifact; `subject` is the tag or digest, in the same repository, that it is about."""
        from jubako.registry.client import ClientOptions, artifact

        return artifact.push(
            self._drivers.store,
            reference.parse(name),
            files,
            artifact_type=artifact_type,
            annotations=annotations,
            subject=subject,
            options=options or ClientOptions(),
            progress=progress,
        )

    def pull_artifact(
        self,
        name: str,
        directory: Path,
        *,
        overwrite: bool = True,
        options: ClientOptions | None = None,
        progress: Progress | None = None,
    ) -> tuple[Descriptor, list[str]]:
        """Write an artifact's files into `directory`; return its manifest and the names written."""
        from jubako.registry.client import ClientOptions, artifact

        return artifact.pull(
            self._drivers.store,
            reference.parse(name),
            directory,
            overwrite=overwrite,
            options=options or ClientOptions(),
            progress=progress,
        )

    def referrers(
        self, name: str, artifact_type: str = "", *, options: ClientOptions | None = None
    ) -> tuple[Descriptor, list[Descriptor]]:
        """What `name` means in its registry, and everything there that is about it."""
        from jubako.registry.client import ClientOptions, about

        return about(reference.parse(name), artifact_type, options=options or ClientOptions())

    def copy(
        self,
        source: str,
        target: str,
        *,
        platform: str | None = None,
        with_referrers: bool = False,
        options: ClientOptions | None = None,
        progress: Progress | None = None,
    ) -> Descriptor:
        """Copy an image, or all that an index leads to, between registries as it is; see registry.client.copy."""
        from jubako.image import platform as platforms
        from jubako.registry.client import ClientOptions, copy

        return copy(
            reference.parse(source),
            reference.parse(target),
            platform=platforms.parse(platform) if platform else None,
            with_referrers=with_referrers,
            options=options or ClientOptions(),
            progress=progress,
        )

    def tags(self, name: str, *, options: ClientOptions | None = None) -> list[str]:
        """The tags of the repository that `name`, which has none itself, means. Raises InvalidArgument."""
        from jubako.registry.client import ClientOptions, tags

        if reference.names_version(name):
            raise InvalidArgument("tag can't be used with --all-tags/-a")
        return tags(reference.parse(name), options=options or ClientOptions())
