"""One build from end to end: Dockerfile -> instructions -> graph -> solver -> image.

Nothing is pulled, mounted or run before the whole Dockerfile has been parsed and converted. What a build makes stands
under its lease until records name it; interrupted, it leaves finished steps in the cache and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jubako.build import context as contexts
from jubako.build.attest.options import AttestOptions, attest_options
from jubako.build.bases import Bases
from jubako.build.caching import Caching
from jubako.build.conditions import conditions_of, limitations
from jubako.build.convert.arguments import Arguments
from jubako.build.convert.converter import Converter
from jubako.build.convert.scope import Place, Workshop
from jubako.build.convert.state import StageState
from jubako.build.dockerfile.instructions import Dockerfile
from jubako.build.dockerfile.parser import parse
from jubako.build.exporters.annotations import parse_flag
from jubako.build.exporters.export import Exporter
from jubako.build.exporters.metadata import metadata, write_facts, write_file
from jubako.build.exporters.product import Product, product_of
from jubako.build.exporters.wanted import wanted_outputs
from jubako.build.files.hashes import FileHashes
from jubako.build.garbage import collect_cache, is_due
from jubako.build.graph.bench import Bench
from jubako.build.graph.execute import CommandFailed
from jubako.build.graph.filesystem import Filesystem, FsVertex
from jubako.build.graph.filesystem import Output as FsOutput
from jubako.build.history import BuildRecord, History
from jubako.build.inquiry import remarks_on
from jubako.build.moment import Moment
from jubako.build.namedcontexts import NamedContexts
from jubako.build.observe import Observed
from jubako.build.options import BuildDrivers, BuildOptions, BuildResult
from jubako.build.progress import BuildProgress, Silent, shown_step
from jubako.build.remotecontext import fetched, is_remote, shown_context
from jubako.build.rundir import reap
from jubako.build.solver.solver import Solution, Solver
from jubako.errors import InvalidArgument, JubakoError
from jubako.image import platform as platforms
from jubako.image import reference
from jubako.spec.oci_image import Platform

if TYPE_CHECKING:
    from jubako.build.container import BuildContainer
    from jubako.build.debugging import FailedSteps
    from jubako.build.graph.execute import Job, Keep
    from jubako.build.graph.vertex import Task
    from jubako.store import Lease


def build(
    drivers: BuildDrivers, context: Path | str, *, progress: BuildProgress | None = None, **options: object
) -> BuildResult:
    """Build an image from `context`; `options` are the fields of BuildOptions.

    The context is a directory, or what stands for one: `-` (a tar or a Dockerfile on standard input), a git repository
    or an http URL of either.

    Raises DockerfileError (with file, line and column) for what is wrong in the Dockerfile, CommandFailed for a RUN
    that fails, InvalidArgument, and the kinds that pulling, storing and running raise.
    """
    wanted, progress = BuildOptions(**options), progress or Silent()  # type: ignore[arg-type]
    if not is_remote(str(context)):
        return _Build(drivers, Path(context), wanted, progress).run()
    keep_git_dir = wanted.build_args.get("BUILDKIT_CONTEXT_KEEP_GIT_DIR") == "1"
    with ExitStack() as stack:
        with shown_step(progress, "[internal] load remote build context"):
            access = conditions_of(wanted).access
            lent = fetched(drivers.store, str(context), wanted.dockerfile, keep_git_dir=keep_git_dir, access=access)
            found = stack.enter_context(lent)
        wanted = msgspec.structs.replace(wanted, dockerfile=found.dockerfile)
        return _Build(drivers, found.path, wanted, progress, origin=shown_context(str(context))).run()


class _Build:
    def __init__(
        self,
        drivers: BuildDrivers,
        context: Path,
        options: BuildOptions,
        progress: BuildProgress,
        *,
        origin: str = "",
    ) -> None:
        """With an `origin` the context came from there, and the Dockerfile is looked for nowhere else."""
        self.drivers = drivers
        self.context = context
        self.origin = origin
        self.inside = bool(origin)
        self.options = options
        self.progress = progress
        self.started = Moment().now()
        self.ref = os.urandom(13).hex()[:25]
        self.names = [str(reference.parse(tag)) for tag in options.tags]
        self.outputs = wanted_outputs(options.outputs, load=options.load, push=options.push, names=self.names)
        self.annotations = [each for text in options.annotations for each in parse_flag(text)]
        self.caching = Caching(options)
        self.attest = attest_options(options.attests, options.provenance, options.sbom)
        self.platforms = list(dict.fromkeys(map(platforms.parse, options.platforms))) or [platforms.host()]
        self.moment = Moment.parse(options.build_args.get("SOURCE_DATE_EPOCH") or os.environ.get("SOURCE_DATE_EPOCH"))
        self.places: dict[int, Place] = {}
        self.conditions = conditions_of(options)
        self.failed: FailedSteps | None = None
        contexts.check_directory(context)

    def run(self) -> BuildResult:
        record = BuildRecord(
            name=self.origin or self.context.resolve().name,
            context=self.origin or str(self.context),
            dockerfile=str(self.options.dockerfile or "Dockerfile"),
            target=self.options.target or "",
            platforms=[platforms.text(each) for each in self.platforms],
            names=self.names,
        )
        shown = self.progress
        history = History(self.drivers.store, self.drivers.root)
        with history.recorded(self.ref, record, self.progress) as kept:
            self.progress = kept
            result = self._run()
            kept.image = result.image_id
        self._collect(shown)
        return result

    def _collect(self, progress: BuildProgress) -> None:
        """Keep the cache within its limits. The build is done: what goes wrong here is no failure of it."""
        collect, drivers = self.options.collect, self.drivers
        if collect is None or not is_due(drivers.root, has_grown=self.caching.cache.has_grown):
            return
        try:
            collect_cache(drivers, collect)
        except JubakoError as error:
            progress.warning(f"the build cache was not collected: {error.message}")

    def _run(self) -> BuildResult:
        reap(self.drivers.networks, self.drivers.run_root)
        asked = self.options
        for limitation in limitations(asked):
            self.progress.warning(limitation)
        text = contexts.read_dockerfile(
            self.context, asked.dockerfile, inside=self.inside, inline=asked.dockerfile_inline
        )
        with shown_step(self.progress, "[internal] load build definition from " + text.name):
            dockerfile = parse(text.data, text.name)
        with ExitStack() as stack:
            lease = stack.enter_context(self.drivers.store.leases.hold(f"build {self.context.name}"))
            workshop = self._workshop(stack, text, lease)
            options = self.options
            bases = Bases(self.drivers.images, lease, options.pull, self.progress, always_pull=options.always_pull)
            arguments = [Arguments(self.options.build_args, each, self.options.target) for each in self.platforms]
            states = [
                self._convert(dockerfile, given, each, workshop, bases)
                for given, each in zip(arguments, self.platforms, strict=True)
            ]
            remarks = self._remarks(dockerfile, text)
            targets = [state.vertex for state in states]
            solution = self._solve(targets, workshop)
            if not self.inside:
                workshop.hashes.save()
            result = self._export(states, solution, workshop.bench, bases, text)
            step = partial(shown_step, self.progress)
            self.caching.export(solution, targets, workshop.bench, self.progress, step)
        if unused := arguments[0].unused():
            self.progress.warning(f"One or more build-args [{' '.join(unused)}] were not consumed")
        self.progress.remarks(remarks)
        return result

    def _remarks(self, dockerfile: Dockerfile, text: contexts.DockerfileText) -> list[str]:
        about = (dockerfile, text, self.context, self.drivers.images)
        return remarks_on(*about, build_args=self.options.build_args, target=self.options.target)

    def _workshop(self, stack: ExitStack, text: contexts.DockerfileText, lease: Lease) -> Workshop:
        drivers = self.drivers
        cache = self.caching.open(stack, drivers.store, drivers.images, lease, self.progress)
        bench = Bench(drivers.store, drivers.snapshotter, lease, self.moment, supply=self.caching.imported)
        return Workshop(
            bench=bench,
            named=NamedContexts(self.options.contexts, bench, drivers.images, stack, self.conditions.access),
            container=self._run_container,
            context=stack.enter_context(contexts.open_tree(self.context, text)),
            hashes=FileHashes(drivers.store.records, str(self.context.resolve())),
            conditions=self.conditions,
            cache=cache,
            places=self.places,
            keep=self._keep(stack),
        )

    def _container(self) -> BuildContainer:
        from jubako.build.container import BuildContainer

        drivers = self.drivers
        return BuildContainer(drivers.networks, drivers.root, drivers.run_root, self.conditions)

    def _run_container(self, job: Job, task: Task) -> None:
        self._container().run(job, task)

    def _debug(self, error: CommandFailed) -> None:
        """Open a shell where that is wanted; that it can not be is said, and changes nothing."""
        if self.failed is None or self.options.debug is None:
            return
        try:
            self.failed.debug(error, self._container(), self.options.debug)
        except CommandFailed as problem:
            self.progress.warning(f"no shell where it failed: {problem.message}")

    def _keep(self, stack: ExitStack) -> Keep | None:
        """With --debug, failed commands leave their snapshots to a shell."""
        if self.options.debug is None:
            return None
        from jubako.build.debugging import FailedSteps

        self.failed = FailedSteps(stack)
        return self.failed.keep

    def _convert(
        self, dockerfile: Dockerfile, arguments: Arguments, platform: Platform, workshop: Workshop, bases: Bases
    ) -> StageState:
        converter = Converter(
            dockerfile,
            arguments,
            workshop,
            bases.find,
            platform,
            several=len(self.platforms) > 1,
            fresh_stages=self.options.no_cache_filter,
        )
        return converter.convert(self.options.target)

    def _solve(self, targets: Sequence[FsVertex], workshop: Workshop) -> Solution[Filesystem, FsOutput]:
        observed = Observed(self.progress, self.places)
        solver: Solver[Filesystem, FsOutput] = Solver(
            workshop.cache, observed, workers=self.options.workers, on_stop=self.caching.stop
        )

        def solve() -> Solution[Filesystem, FsOutput]:
            try:
                return solver.solve(targets)
            finally:
                observed.close()

        try:
            is_exported = any(output.has_files for output in self.outputs)
            wanted = targets if is_exported or self.attest != AttestOptions() else []
            return self.caching.solved(solve, wanted, workshop.bench)
        except JubakoError as error:
            if observed.failed_at is None:
                raise
            located = _at(observed.failed_at, error)
            if isinstance(located, CommandFailed):
                self._debug(located)
            raise located from error

    def _export(
        self,
        states: Sequence[StageState],
        solution: Solution[Filesystem, FsOutput],
        bench: Bench,
        bases: Bases,
        text: contexts.DockerfileText,
    ) -> BuildResult:
        options = self.options
        products = self._products(states, solution, bench, bases, text)
        exporter = Exporter(
            bench,
            self.drivers.images,
            products,
            self.names,
            self.annotations,
            push=options.push_image,
            stdout=options.stdout,
            step=partial(shown_step, self.progress),
        )
        exported = exporter.run(self.outputs)
        if options.iidfile is not None:
            write_file(options.iidfile, exported.image_id.encode())
        facts = metadata(self.ref, exported.target, exported.image_id, exported.names, products)
        if options.metadata_file is not None:
            write_facts(options.metadata_file, facts)
        return BuildResult(exported.image_id, exported.manifest, exported.names, exported.target, self.ref, facts)

    def _products(
        self,
        states: Sequence[StageState],
        solution: Solution[Filesystem, FsOutput],
        bench: Bench,
        bases: Bases,
        text: contexts.DockerfileText,
    ) -> list[Product]:
        """What came of each platform, with the statements that are wanted about it."""
        options = self.options
        plain = [product_of(state, solution, self.moment, options.labels) for state in states]
        products = self.caching.noted(plain)
        if self.attest == AttestOptions():
            return products
        from jubako.build.attest.attestations import attested
        from jubako.build.attest.provenance import Invocation

        invocation = Invocation(
            ref=self.ref,
            dockerfile_name=text.name,
            dockerfile=text.data,
            target=options.target or "",
            build_args=options.build_args,
            labels=options.labels,
            started=self.started,
            finished=Moment().now(),
        )
        made = list(zip(states, products, strict=True))
        return attested(bench, self.attest, invocation, made, bases.materials)


def _at(place: Place, error: JubakoError) -> CommandFailed | InvalidArgument:
    """The same failure, shown in the Dockerfile."""
    located = place.error(error.message, error.hint)
    if isinstance(error, CommandFailed):
        return error.located(located.message)
    return located
