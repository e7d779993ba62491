"""`--call`: questions about a build that are answered without building: its warnings, what it takes, its targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from jubako.build import context as contexts
from jubako.build.checks import BaseFacts, FindFacts, Warned, check, outline, report, settings_of
from jubako.build.checks.stages import Stages
from jubako.build.context import DockerfileText
from jubako.build.dockerfile.instructions import Dockerfile
from jubako.build.dockerfile.parser import parse
from jubako.build.remotecontext import fetched, is_remote
from jubako.errors import InvalidArgument, NotFound
from jubako.image.catalog import Images

if TYPE_CHECKING:
    from jubako.store import Store


class Inquiry(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, and about which build: the fields are those of BuildOptions."""

    method: str
    json: bool = False
    dockerfile: str | Path | None = None
    dockerfile_inline: str | None = None
    target: str | None = None
    build_args: Mapping[str, str] = {}


class Answer(msgspec.Struct, frozen=True):
    """What to print, and whether the question was answered with a yes."""

    text: str
    ok: bool = True


class Subject(NamedTuple):
    """What warnings are about: a Dockerfile with its context, the images that are here, and what was given with it."""

    dockerfile: Dockerfile
    text: DockerfileText
    context: Path
    images: Images
    build_args: Mapping[str, str]
    target: str | None


def inquire(store: Store, images: Images, context: Path | str, inquiry: Inquiry) -> Answer:
    """The context is all that build() takes. Raises DockerfileError, InvalidArgument, NotFound, and as a download."""
    answer = _METHODS.get(inquiry.method)
    if answer is None:
        raise InvalidArgument(
            f"call method {inquiry.method!r} is not supported", hint=f"it is one of {', '.join(sorted(_METHODS))}"
        )
    if is_remote(str(context)):
        with fetched(store, str(context), inquiry.dockerfile) as found:
            text = contexts.read_dockerfile(found.path, found.dockerfile, inside=True, inline=inquiry.dockerfile_inline)
            return answer(images, found.path, text, inquiry)
    contexts.check_directory(Path(context))
    text = contexts.read_dockerfile(Path(context), inquiry.dockerfile, inline=inquiry.dockerfile_inline)
    return answer(images, Path(context), text, inquiry)


def warnings_about(of: Subject, *, every_stage: bool = False) -> list[Warned]:
    """The warnings about one build, or all of its file, from what is here: no image is pulled for them."""
    return check(
        of.dockerfile,
        settings_of(of.dockerfile, of.build_args),
        build_args=of.build_args,
        target=of.target,
        find_facts=_facts(of.images),
        ignore=contexts.read_ignore(of.context, of.text),
        every_stage=every_stage,
    )


def remarks_on(of: Subject) -> list[str]:
    """The warnings as a build tells them at its end. Raises InvalidArgument when they are to fail it."""
    warnings = warnings_about(of)
    lines = report.summary(warnings)
    if warnings and settings_of(of.dockerfile, of.build_args).error:
        raise InvalidArgument("\n".join([report.failure(warnings), *lines]))
    return lines


def _facts(images: Images) -> FindFacts:
    def find(name: str) -> BaseFacts | None:
        try:
            config = images.resolve(name).config.config
        except (NotFound, InvalidArgument):
            return None
        env = dict(text.split("=", 1) for text in (config and config.env) or [] if "=" in text)
        return BaseFacts(env, bool(config and config.shell))

    return find


def _check(images: Images, context: Path, text: DockerfileText, inquiry: Inquiry) -> Answer:
    dockerfile = parse(text.data, text.name)
    subject = Subject(dockerfile, text, context, images, inquiry.build_args, inquiry.target)
    warnings = warnings_about(subject, every_stage=True)
    told = report.data(dockerfile.source, warnings).decode() if inquiry.json else None
    return Answer(told or report.text(dockerfile.source, warnings).rstrip("\n"), not warnings)


def _outline(images: Images, context: Path, text: DockerfileText, inquiry: Inquiry) -> Answer:
    stages = _stages(text, inquiry)
    return Answer(outline.outline_data(stages).decode() if inquiry.json else outline.outline_text(stages))


def _targets(images: Images, context: Path, text: DockerfileText, inquiry: Inquiry) -> Answer:
    stages = _stages(text, inquiry)
    return Answer(outline.targets_data(stages).decode() if inquiry.json else outline.targets_text(stages).rstrip("\n"))


def _stages(text: DockerfileText, inquiry: Inquiry) -> Stages:
    return Stages(parse(text.data, text.name), inquiry.build_args, inquiry.target)


_METHODS: dict[str, Callable[[Images, Path, DockerfileText, Inquiry], Answer]] = {
    "check": _check,
    "lint": _check,
    "outline": _outline,
    "targets": _targets,
}
