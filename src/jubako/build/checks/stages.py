"""FROM: which stage stands on which, which of them the target needs, and the rules about their base images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jubako.build.checks.form import warn
from jubako.build.checks.rules import Warned
from jubako.build.checks.variables import expand
from jubako.build.convert.arguments import Arguments
from jubako.build.dockerfile import instructions as ins
from jubako.build.dockerfile.instructions import Dockerfile, Stage
from jubako.errors import InvalidArgument, NotFound
from jubako.image import platform as platforms
from jubako.image import reference
from jubako.spec.suggestion import suggestion


class Stages:
    """The stages of a Dockerfile with the names in their FROMs expanded."""

    def __init__(
        self, dockerfile: Dockerfile, given: Mapping[str, str], target: str | None, *, every: bool = False
    ) -> None:
        """With `every` all the stages are needed when there is no target."""
        self.dockerfile = dockerfile
        self._every = every and target is None
        self.given = given
        self.automatic = Arguments(given, platforms.host(), target or dockerfile.stages[-1].name).automatic()
        self.globals = self._globals(given)
        self.defaults = self._globals({})
        self.target = self._find_target(target)

    def _globals(self, given: Mapping[str, str]) -> dict[str, str]:
        """The arguments before the first FROM that have a value."""
        known = dict(self.automatic)
        for argument in self.dockerfile.global_args:
            for item in argument.items:
                if item.key.value in given:
                    known[item.key.value] = given[item.key.value]
                elif item.value is not None:
                    known[item.key.value] = expand(item.value.value, known, self.dockerfile.escape)[0]
        return known

    def called(self, name: str, before: int) -> Stage | None:
        """The last of the stages before number `before` that has this name or number."""
        for stage in reversed(self.dockerfile.stages[:before]):
            if stage.name == name.lower() or (name.isdecimal() and str(stage.index) == name):
                return stage
        return None

    def _find_target(self, name: str | None) -> Stage:
        stages = self.dockerfile.stages
        found = stages[-1] if name is None else self.called(name, len(stages))
        if found is None:
            hint = suggestion(name or "", [stage.name for stage in stages if stage.name])
            raise NotFound("stage", name or "", message=f'target stage "{name}" could not be found{hint}')
        return found

    def base_name(self, stage: Stage) -> str:
        return expand(stage.source.image.value, self.globals, self.dockerfile.escape)[0]

    def base(self, stage: Stage) -> Stage | None:
        """The stage that this one goes on from, None when that is an image."""
        name = self.base_name(stage)
        return None if name.isdecimal() else self.called(name, stage.index)

    def needed(self) -> list[Stage]:
        """The target and what it takes from, in the order of the file."""
        found: dict[int, Stage] = {}
        waiting = list(self.dockerfile.stages) if self._every else [self.target]
        while waiting:
            stage = waiting.pop()
            if stage.index not in found:
                found[stage.index] = stage
                waiting += self._sources(stage)
        return [found[index] for index in sorted(found)]

    def _sources(self, stage: Stage) -> Iterator[Stage]:
        names = [word for instruction in stage.instructions for word in _source_names(instruction)]
        for found in (self.base(stage), *(self.called(name, stage.index) for name in names)):
            if found is not None:
                yield found


def _source_names(instruction: ins.Instruction) -> list[str]:
    if isinstance(instruction, ins.Copy) and instruction.source_stage is not None:
        return [instruction.source_stage.value]
    if isinstance(instruction, ins.Run):
        return [mount.options["from"] for mount in instruction.mounts if "from" in mount.options]
    return []


def check_bases(stages: Stages) -> Iterator[Warned]:
    needed = {stage.index for stage in stages.needed()}
    for stage in stages.dockerfile.stages:
        yield from _default_image(stages, stage)
        if stage.index in needed:
            yield from _undeclared(stages, stage)
            yield from _platform(stages, stage)


def _default_image(stages: Stages, stage: Stage) -> Iterator[Warned]:
    written = stage.source.image.value
    name = expand(written, stages.defaults, stages.dockerfile.escape)[0]
    try:
        reference.parse(name)
    except InvalidArgument:
        detail = f"Default value for ARG {written} results in empty or invalid base image name"
        yield warn("InvalidDefaultArgInFrom", stage.source, detail)


def _undeclared(stages: Stages, stage: Stage) -> Iterator[Warned]:
    declared = {item.key.value for argument in stages.dockerfile.global_args for item in argument.items}
    known = dict.fromkeys((*declared, *stages.automatic), "")
    texts = [text for text in (stage.source.image, stage.source.platform) if text is not None]
    for text in texts:
        for name in expand(text.value, known, stages.dockerfile.escape)[1]:
            detail = f"FROM argument '{name}' is not declared{suggestion(name, known)}"
            yield warn("UndefinedArgInFrom", stage.source, detail)


def _platform(stages: Stages, stage: Stage) -> Iterator[Warned]:
    if stage.source.platform is None:
        return
    written = stage.source.platform.value
    if written in ("$TARGETPLATFORM", "${TARGETPLATFORM}"):
        detail = f"Setting platform to predefined {written} in FROM is redundant as this is the default behavior"
        yield warn("RedundantTargetPlatform", stage.source, detail)
    if "$" in written:
        return
    try:
        platform = platforms.parse(written)
    except InvalidArgument:
        return
    if not any(word in (stage.name or "") for word in (platform.os, platform.architecture)):
        detail = f'FROM --platform flag should not use constant value "{written}"'
        yield warn("FromPlatformFlagConstDisallowed", stage.source, detail)
