"""From stages of instructions to a graph: only what the target needs is converted, so unused stages cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection

from jubako.build.convert.arguments import Arguments
from jubako.build.convert.dispatch import dispatch
from jubako.build.convert.scope import Place, Scope, Workshop
from jubako.build.convert.state import StageState, scratch, with_path
from jubako.build.dockerfile import expansion
from jubako.build.dockerfile import instructions as ins
from jubako.build.dockerfile.instructions import Dockerfile, From, Stage
from jubako.build.dockerfile.parser import parse_trigger
from jubako.build.dockerfile.source import DockerfileError, Source, Text
from jubako.build.graph.filesystem import Filesystem, FsVertex
from jubako.build.graph.source import Base
from jubako.build.graph.vertex import Vertex
from jubako.errors import InvalidArgument, NotFound
from jubako.image import platform as platforms
from jubako.image.catalog import Image
from jubako.spec.oci_image import Platform
from jubako.spec.suggestion import suggestion

FindImage = Callable[[str, Platform], Image]
"""Finds (and perhaps pulls) the image of a reference; raises NotFound and the kinds of a pull."""

_STEPS = (ins.Run, ins.Copy, ins.Workdir)


class Converter:
    def __init__(
        self,
        dockerfile: Dockerfile,
        arguments: Arguments,
        workshop: Workshop,
        find_image: FindImage,
        platform: Platform,
        *,
        several: bool = False,
        fresh_stages: Collection[str] = (),
    ) -> None:
        """With `several` platforms in the build the names of steps say which one it is.

        The steps of `fresh_stages`, which are names, take nothing from the cache.
        """
        self._prefix = platforms.text(platform) if several else ""
        self._dockerfile = dockerfile
        self._arguments = arguments
        self._workshop = workshop
        self._find_image = find_image
        self._platform = platform
        self._fresh_stages = {name.lower() for name in fresh_stages}
        self._states: dict[int, StageState] = {}
        self._images: dict[str, FsVertex] = {}
        self._read_global_args()

    def convert(self, target: str | None = None) -> StageState:
        """The state at the end of stage `target` (a name or a number; the last one when None)."""
        stages = self._dockerfile.stages
        if target is None:
            return self._state(stages[-1])
        found = self._stage_called(target.lower(), len(stages))
        if found is None:
            hint = suggestion(target, [stage.name for stage in stages if stage.name])
            raise InvalidArgument(f'target stage "{target}" could not be found{hint}')
        return self._state(found)

    def _read_global_args(self) -> None:
        for instruction in self._dockerfile.global_args:
            for item in instruction.items:
                name = self._expand(item.key)
                given = self._arguments.given(name)
                if given is None and item.value is not None:
                    given = self._expand(item.value)
                self._arguments.globals[name] = given

    def _expand(self, text: Text) -> str:
        try:
            return expansion.expand(text.value, self._arguments.global_lookup, self._dockerfile.escape)
        except expansion.ExpansionError as error:
            position = text.position(min(error.offset, len(text)))
            raise DockerfileError(self._dockerfile.source, position, error.problem) from None

    def _stage_called(self, name: str, before: int) -> Stage | None:
        for stage in reversed(self._dockerfile.stages[:before]):
            if stage.name == name or (name.isdecimal() and str(stage.index) == name):
                return stage
        return None

    def _state(self, stage: Stage) -> StageState:
        if stage.index not in self._states:
            self._states[stage.index] = self._convert(stage)
        return self._states[stage.index]

    def _convert(self, stage: Stage) -> StageState:
        state, base = self._begin(stage)
        state.fresh = stage.name in self._fresh_stages
        triggers = [parse_trigger(text, stage.source.image.value) for text in state.inherited_triggers]
        instructions = [*(trigger.instruction for trigger in triggers), *stage.instructions]
        state.step = int(base is not None)
        state.steps = state.step + sum(isinstance(instruction, _STEPS) for instruction in instructions)
        if base is not None:
            base.name = f"[{state.name + ' ' if state.name else ''}1/{state.steps}] {base.name}"
        for trigger in triggers:
            dispatch(self._scope(stage, state, trigger.source, "\\"), trigger.instruction)
        scope = self._scope(stage, state, self._dockerfile.source, self._dockerfile.escape)
        for instruction in stage.instructions:
            dispatch(scope, instruction)
        return state

    def _begin(self, stage: Stage) -> tuple[StageState, Base | None]:
        """The state that FROM gives, and its operation when that is an image."""
        text, display = stage.source.image, self._display_name(stage)
        name = self._expand(text)
        if not name:
            raise self._fail(text, f"base name ({text.value}) should not be blank")
        platform = self._stage_platform(stage.source)
        if (named := self._workshop.named.files(name)) is not None:
            return StageState(display, named, scratch(platform)), None
        earlier = None if name.isdecimal() else self._stage_called(name.lower(), stage.index)
        if earlier is not None:
            return self._state(earlier).clone(display), None
        if name == "scratch":
            return StageState(display, Vertex(Base("scratch", Filesystem())), scratch(platform)), None
        image = self._image(text, name, platform)
        operation = Base.of_image(f"FROM {name}", image)
        vertex: FsVertex = Vertex(operation)
        self._workshop.places[id(vertex)] = Place(self._dockerfile.source, stage.source)
        return StageState(display, vertex, with_path(image.config)), operation

    def _display_name(self, stage: Stage) -> str:
        name = stage.name or (f"stage-{stage.index}" if len(self._dockerfile.stages) > 1 else "")
        return " ".join(part for part in (self._prefix, name) if part)

    def _stage_platform(self, source: From) -> Platform:
        if source.platform is None:
            return self._platform
        text = self._expand(source.platform)
        if not text:
            written = source.platform.value
            meant = suggestion(written.strip("${}"), [*self._arguments.globals, *self._arguments.automatic()])
            raise self._fail(source.platform, f"empty platform value from expression {written}{meant}")
        try:
            return platforms.parse(text)
        except InvalidArgument as error:
            raise self._fail(source.platform, error.message, error.hint) from None

    def _image(self, at: Text, name: str, platform: Platform) -> Image:
        def find_image(reference: str) -> Image:
            return self._find_image(reference, platform)

        try:
            return self._workshop.named.image(name, find_image) or find_image(name)
        except (NotFound, InvalidArgument) as error:
            raise self._fail(at, error.message, error.hint) from error

    def _scope(self, stage: Stage, state: StageState, source: Source, escape: str) -> Scope:
        def source_of(scope: Scope, text: Text) -> FsVertex:
            return self._copy_source(stage, scope, text)

        return Scope(self._workshop, state, self._arguments, source, escape, source_of)

    def _copy_source(self, stage: Stage, scope: Scope, text: Text) -> FsVertex:
        """What `COPY --from` names: an earlier stage by name or number, else an image."""
        name = scope.expand(text)
        if (named := self._workshop.named.files(name)) is not None:
            self._workshop.places.setdefault(id(named), Place(self._dockerfile.source, stage.source))
            return named
        found = self._stage_called(name.lower(), stage.index)
        if found is not None:
            return self._state(found).vertex
        if name == "scratch":
            return Vertex(Base("scratch", Filesystem()))
        if name.isdecimal():
            raise scope.fail(text, f"invalid stage index {name}: only earlier stages can be copied from")
        if name not in self._images:
            if any(later.name == name.lower() for later in self._dockerfile.stages[stage.index :]):
                here = stage.name or f"stage-{stage.index}"
                raise scope.fail(
                    text, f'cannot copy from stage "{name}", it needs to be defined before current stage "{here}"'
                )
            image = self._image(text, name, self._platform)
            self._images[name] = Vertex(Base.of_image(f"FROM {name}", image))
            self._workshop.places[id(self._images[name])] = Place(self._dockerfile.source, stage.source)
        return self._images[name]

    def _fail(self, at: Text, problem: str, hint: str | None = None) -> DockerfileError:
        return DockerfileError(self._dockerfile.source, at.position(), problem, width=len(at), hint=hint)
