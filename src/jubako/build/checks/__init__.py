"""What is worth a warning in a Dockerfile that builds: the reference's build checks, each rule by its name.

Path:  form.py (the text alone) and stages.py, stage.py (what the target needs) give Warned; settings.py says which of
       them apply.
Spec:  Dockerfile reference, "Build checks"; BuildKit linter/ruleset.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from jubako.build.checks.form import check_form
from jubako.build.checks.rules import Warned
from jubako.build.checks.settings import ARGUMENT, CheckSettings, parse
from jubako.build.checks.stage import BaseFacts, FindFacts, StageChecker
from jubako.build.checks.stages import Stages, check_bases
from jubako.build.dockerfile.instructions import Dockerfile
from jubako.build.dockerfile.source import DockerfileError, Position
from jubako.build.files.ignore import Ignore
from jubako.errors import InvalidArgument

__all__ = ["BaseFacts", "CheckSettings", "FindFacts", "Warned", "check", "settings_of"]


def check(
    dockerfile: Dockerfile,
    settings: CheckSettings,
    *,
    build_args: Mapping[str, str],
    target: str | None,
    find_facts: FindFacts,
    ignore: Ignore | None,
    every_stage: bool = False,
) -> list[Warned]:
    """The warnings about what is built for `target`, in the order of the file. Raises NotFound for a stage.

    With `every_stage` they are about all of the file when there is no target.
    """
    if "all" in settings.skip and not settings.experimental:
        return []
    stages = Stages(dockerfile, build_args, target, every=every_stage)
    checker = StageChecker(stages, dict(build_args), find_facts, ignore)
    return settings.select([*check_form(dockerfile), *check_bases(stages), *checker.check()])


def settings_of(dockerfile: Dockerfile, build_args: Mapping[str, str]) -> CheckSettings:
    """The caller's settings, else those of the file. Raises InvalidArgument."""
    if ARGUMENT in build_args:
        return parse(build_args[ARGUMENT])
    try:
        return parse(dockerfile.directives.get("check", ""))
    except InvalidArgument as error:
        line = next(number for number, text in enumerate(dockerfile.source.lines, 1) if "check" in text.lower())
        raise DockerfileError(dockerfile.source, Position(line), error.message, hint=error.hint) from None
