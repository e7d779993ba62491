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
from jubako.build.bases import Bases
from jubako.build.caching import Caching, FsSolution
from jubako.build.commands import Commands
from jubako.build.conditions import conditions_of, limitations
from jubako.build.convert.arguments import Arguments
from jubako.build.convert.converter import Converter
from jubako.build.convert.scope import Workshop
from jubako.build.convert.state import StageState
from jubako.build.dockerfile.instructions import Dockerfile
from jubako.build.dockerfile.parser import parse
from jubako.build.files.hashes import FileHashes
from jubako.build.finishing import Finishing
from jubako.build.garbage import collect_cache, is_due
from jubako.build.graph.bench import Bench
from jubako.build.graph.execute import CommandFailed
from jubako.build.graph.filesystem import FsVertex
from jubako.build.history import BuildRecord, History
from jubako.build.inquiry import Subject, remarks_on
from jubako.build.moment import Moment
from jubako.build.namedcontexts import NamedContexts
from jubako.build.options import BuildDrivers, BuildOptions, BuildResult
from jubako.build.progress import BuildProgress, Silent, shown_step
from jubako.build.remotecontext import fetched, is_remote, shown_context
from jubako.build.rundir import reap
from jubako.build.solving import solve
from jubako.errors import JubakoError
from jubako.image import platform as platforms
from jubako.spec.oci_image import Platform

if TYPE_CHECKING:
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
        self.finishing = Finishing(options, drivers.images)
        self.caching = Caching(options)
        self.platforms = list(dict.fromkeys(map(platforms.parse, options.platforms))) or [platforms.host()]
        self.moment = Moment.parse(options.build_args.get("SOURCE_DATE_EPOCH") or os.environ.get("SOURCE_DATE_EPOCH"))
        self.conditions = conditions_of(options)
        self.commands = Commands(drivers, self.conditions, options.debug)
        contexts.check_directory(context)

    def run(self) -> BuildResult:
        record = BuildRecord(
            name=self.origin or self.context.resolve().name,
            context=self.origin or str(self.context),
            dockerfile=str(self.options.dockerfile or "Dockerfile"),
            target=self.options.target or "",
            platforms=[platforms.text(each) for each in self.platforms],
            names=self.finishing.names,
        )
        shown = self.progress
        history = History(self.drivers.store, self.drivers.root)
        with history.recorded(self.finishing.ref, record, self.progress) as kept:
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
            target = options.target or dockerfile.stages[-1].name
            arguments = [Arguments(options.build_args, each, target) for each in self.platforms]
            states = [
                self._convert(dockerfile, given, each, workshop, bases)
                for given, each in zip(arguments, self.platforms, strict=True)
            ]
            remarks = self._remarks(dockerfile, text)
            targets = [state.vertex for state in states]
            solution = self._solve(targets, workshop)
            if not self.inside:
                workshop.hashes.save()
            about = (workshop.bench, self.caching, text, bases.materials)
            products = self.finishing.products(states, solution, *about)
            result = self.finishing.export(products, workshop.bench, self.progress)
            step = partial(shown_step, self.progress)
            self.caching.export(solution, targets, workshop.bench, self.progress, step)
        if unused := arguments[0].unused():
            self.progress.warning(f"One or more build-args [{' '.join(unused)}] were not consumed")
        self.progress.remarks(remarks)
        return result

    def _remarks(self, dockerfile: Dockerfile, text: contexts.DockerfileText) -> list[str]:
        given = (self.options.build_args, self.options.target)
        return remarks_on(Subject(dockerfile, text, self.context, self.drivers.images, *given))

    def _workshop(self, stack: ExitStack, text: contexts.DockerfileText, lease: Lease) -> Workshop:
        drivers = self.drivers
        cache = self.caching.open(stack, drivers.store, drivers.images, lease, self.progress)
        bench = Bench(drivers.store, drivers.snapshotter, lease, self.moment, supply=self.caching.imported)
        return Workshop(
            bench=bench,
            named=NamedContexts(self.options.contexts, bench, drivers.images, stack, self.conditions.access),
            container=self.commands.run,
            context=stack.enter_context(contexts.open_tree(self.context, text)),
            hashes=FileHashes(drivers.store.records, str(self.context.resolve())),
            conditions=self.conditions,
            cache=cache,
            places={},
            keep=self.commands.keep(stack),
        )

    def _solve(self, targets: Sequence[FsVertex], workshop: Workshop) -> FsSolution:
        return solve(
            targets,
            workshop,
            self.caching,
            self.progress,
            workers=self.options.workers,
            with_layers=self.finishing.needs_layers,
            debug=self._debug,
        )

    def _debug(self, error: CommandFailed) -> None:
        """That there can be no shell is said, and changes nothing."""
        try:
            self.commands.debug(error)
        except CommandFailed as problem:
            self.progress.warning(f"no shell where it failed: {problem.message}")

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
