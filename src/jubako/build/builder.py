"""One build from end to end: Dockerfile -> instructions -> graph -> solver -> image.

Nothing is pulled, mounted or run before the whole Dockerfile has been parsed and converted. What a build makes stands
under its lease until records name it; interrupted, it leaves finished steps in the cache and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from jubako.build import context as contexts
from jubako.build.cache import BuildCache, LeasedCache
from jubako.build.convert.arguments import Arguments
from jubako.build.convert.converter import Converter
from jubako.build.convert.scope import Place, Workshop
from jubako.build.convert.state import StageState
from jubako.build.dockerfile.instructions import Dockerfile
from jubako.build.dockerfile.parser import parse
from jubako.build.exporters import image as exporter
from jubako.build.files.hashes import FileHashes
from jubako.build.graph.bench import Bench
from jubako.build.graph.execute import CommandFailed
from jubako.build.graph.filesystem import Filesystem, Output
from jubako.build.moment import Moment
from jubako.build.observe import Observed
from jubako.build.progress import BuildProgress, Silent
from jubako.build.rundir import reap
from jubako.build.solver.solver import Solution, Solver
from jubako.errors import InvalidArgument, NotFound
from jubako.image import platform as platforms
from jubako.image import reference
from jubako.image.catalog import Image, Images
from jubako.spec.oci_image import Descriptor, Digest, Platform

if TYPE_CHECKING:
    from jubako.build.graph.execute import RunSpec
    from jubako.build.graph.vertex import Task
    from jubako.network import Networks
    from jubako.snapshot import Snapshot, Snapshotter
    from jubako.store import Lease, Store

_NETWORKS = ("default", "bridge", "none", "host")


class Pull(Protocol):
    """Fetches an image that is not here, or again; shows its own progress, raises the kinds of a pull."""

    def __call__(self, text: str, /, platform: str | None = None) -> Image: ...


class BuildDrivers(NamedTuple):
    """The opened parts of the state directory that a build works with."""

    store: Store
    images: Images
    snapshotter: Snapshotter
    networks: Networks
    root: Path
    run_root: Path


class BuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to build, as the command line has it. `pull` is called for base images that are absent, and with
    `always_pull` for all."""

    dockerfile: str | Path | None = None
    tags: Sequence[str] = ()
    target: str | None = None
    build_args: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}
    no_cache: bool = False
    pull: Pull | None = None
    always_pull: bool = False
    network: str = "default"
    iidfile: str | Path | None = None
    secrets: Mapping[str, bytes] = {}
    workers: int | None = None


class BuildResult(msgspec.Struct, frozen=True):
    """The image that was built: its ID, its manifest, and the names that it was given."""

    image_id: Digest
    manifest: Descriptor
    names: list[str]


def build(
    drivers: BuildDrivers, context: Path | str, *, progress: BuildProgress | None = None, **options: object
) -> BuildResult:
    """Build an image from the directory `context`; `options` are the fields of BuildOptions.

    Raises DockerfileError (with file, line and column) for what is wrong in the Dockerfile, CommandFailed for a RUN
    that fails, InvalidArgument, and the kinds that pulling, storing and running raise.
    """
    return _Build(drivers, Path(context), BuildOptions(**options), progress or Silent()).run()  # type: ignore[arg-type]


class _Build:
    def __init__(self, drivers: BuildDrivers, context: Path, options: BuildOptions, progress: BuildProgress) -> None:
        self.drivers = drivers
        self.context = context
        self.options = options
        self.progress = progress
        self.names = [str(reference.parse(tag)) for tag in options.tags]
        self.moment = Moment.parse(options.build_args.get("SOURCE_DATE_EPOCH") or os.environ.get("SOURCE_DATE_EPOCH"))
        self.places: dict[int, Place] = {}
        if options.network not in _NETWORKS:
            raise InvalidArgument(
                f"network mode {options.network!r} is not supported for a build",
                hint=f"it is one of {', '.join(_NETWORKS)}",
            )
        contexts.check_directory(context)

    def run(self) -> BuildResult:
        reap(self.drivers.networks, self.drivers.run_root)
        text = contexts.read_dockerfile(self.context, self.options.dockerfile)
        with self._step("[internal] load build definition from " + text.name):
            dockerfile = parse(text.data, text.name)
        with ExitStack() as stack:
            lease = stack.enter_context(self.drivers.store.leases.hold(f"build {self.context.name}"))
            workshop = self._workshop(stack, text, lease)
            arguments = Arguments(self.options.build_args, platforms.host(), self.options.target)
            state = self._convert(dockerfile, arguments, workshop, lease)
            solution = self._solve(state, lease)
            workshop.hashes.save()
            result = self._export(state, solution)
        if unused := arguments.unused():
            self.progress.warning(f"One or more build-args [{' '.join(unused)}] were not consumed")
        return result

    def _workshop(self, stack: ExitStack, text: contexts.DockerfileText, lease: Lease) -> Workshop:
        drivers = self.drivers
        return Workshop(
            bench=Bench(drivers.store, drivers.snapshotter, lease, self.moment),
            container=self._run_container,
            context=stack.enter_context(contexts.open_tree(self.context, text)),
            hashes=FileHashes(drivers.store.records, str(self.context.resolve())),
            network="bridge" if self.options.network == "default" else self.options.network,
            places=self.places,
        )

    def _run_container(
        self,
        bench: Bench,
        snapshot: Snapshot,
        spec: RunSpec,
        sources: Sequence[Filesystem],
        hidden_env: Mapping[str, str],
        task: Task,
    ) -> None:
        from jubako.build.container import BuildContainer

        drivers = self.drivers
        run = BuildContainer(drivers.networks, drivers.root, drivers.run_root, self.options.secrets)
        run(bench, snapshot, spec, sources, hidden_env, task)

    def _convert(self, dockerfile: Dockerfile, arguments: Arguments, workshop: Workshop, lease: Lease) -> StageState:
        find_image = partial(self._find_image, lease=lease)
        converter = Converter(dockerfile, arguments, workshop, find_image, platforms.host())
        return converter.convert(self.options.target)

    def _find_image(self, name: str, platform: Platform, lease: Lease) -> Image:
        """The image of a FROM, kept from collection while the build lasts."""
        image = self._resolve(name, platform)
        lease.add(*image.diff_ids, *(layer.digest for layer in image.manifest.layers))
        return image

    def _resolve(self, name: str, platform: Platform) -> Image:
        options = self.options
        if not (options.pull and options.always_pull):
            try:
                return self.drivers.images.resolve(name)
            except NotFound:
                if options.pull is None:
                    raise
        assert options.pull is not None
        return options.pull(name, platform=platforms.text(platform))

    def _solve(self, state: StageState, lease: Lease) -> Solution[Filesystem, Output]:
        cache = LeasedCache(BuildCache(self.drivers.store), lease, fresh=self.options.no_cache)
        observed = Observed(self.progress, self.places)
        solver: Solver[Filesystem, Output] = Solver(cache, observed, workers=self.options.workers)
        try:
            return solver.solve([state.vertex])
        except (CommandFailed, InvalidArgument, NotFound) as error:
            if observed.failed_at is None:
                raise
            raise _at(observed.failed_at, error) from error
        finally:
            observed.close()

    def _export(self, state: StageState, solution: Solution[Filesystem, Output]) -> BuildResult:
        with self._step("exporting to image") as tell:
            config = exporter.compose_config(state, solution, self.moment, self.options.labels)
            filesystem = solution.result(state.vertex)
            manifest = exporter.export(self.drivers.store, self.drivers.images, config, filesystem, self.names)
            image_id = self.drivers.images.load(manifest).id
            tell(f"writing image {image_id} done")
            for name in self.names:
                tell(f"naming to {name} done")
        if self.options.iidfile is not None:
            Path(self.options.iidfile).write_text(image_id)
        return BuildResult(image_id, manifest, self.names)

    @contextmanager
    def _step(self, name: str) -> Iterator[Callable[[str], None]]:
        """Show a piece of the builder's own work as a step."""
        step = self.progress.step(name)
        try:
            yield step.status
        except BaseException as error:
            step.failed(str(error).partition("\n")[0])
            raise
        step.done()


def _at(place: Place, error: CommandFailed | InvalidArgument | NotFound) -> CommandFailed | InvalidArgument:
    """The same failure, shown in the Dockerfile."""
    located = place.error(error.message, error.hint)
    if isinstance(error, CommandFailed):
        return error.located(located.message)
    return located
