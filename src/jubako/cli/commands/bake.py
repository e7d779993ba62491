"""jubako bake."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from jubako.cli.build_progress import PROGRESS, build_progress
from jubako.cli.build_shell import DEBUG, failure_shell, shown_mode
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.failure import Exit
from jubako.cli.options import FLAG, LIST, STRINGS, TEXT, Arguments, Option

if TYPE_CHECKING:
    from jubako.build import Inquiry
    from jubako.build.bake.resolve import Plan, Resolver
    from jubako.build.graph.execute import Debug
    from jubako.build.progress import BuildProgress


def run(call: Call, arguments: Arguments) -> int:
    directory = Path.cwd()
    resolver = _resolver(arguments, directory)
    if kind := arguments.text("list"):
        call.out(_listing(resolver, kind))
        return 0
    plan = resolver.plan(arguments.operands)
    if arguments.flag("print"):
        import msgspec

        shown = {"group": {name: {"targets": members} for name, members in plan.groups.items()}, "target": plan.targets}
        call.line(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
        return 0
    from jubako.build.bake.asked import asked_of

    questions = {name: asked for name, target in plan.targets.items() if (asked := asked_of(target, directory))}
    if questions:
        return _answer(call, questions)
    _ask_for_privileges(call, arguments, plan)
    debug = failure_shell(call, arguments)
    with build_progress(call, shown_mode(arguments.text("progress"), debug)) as progress:
        _build(call, arguments, plan, directory, progress, debug)
    return 0


def _resolver(arguments: Arguments, directory: Path) -> Resolver:
    from jubako.build.bake.files import read_files
    from jubako.build.bake.overrides import parse_override
    from jubako.build.bake.resolve import Resolver

    texts = [*arguments.texts("set")]
    for option in ("no-cache", "pull"):
        texts += [f"*.{option}=true"] if arguments.flag(option) else []
    if method := "check" if arguments.flag("check") else arguments.text("call"):
        texts.append(f"*.call={method}")
    for kind in ("provenance", "sbom"):
        if arguments.given(kind):
            texts.append(f"*.attest+={_attest(kind, arguments.text(kind))}")
    definitions = read_files(arguments.texts("file"), directory, os.environ)
    return Resolver(definitions, os.environ, [parse_override(text) for text in texts])


def _attest(kind: str, text: str) -> str:
    from jubako.build.attest.options import attest_text

    return attest_text(kind, text)


def _listing(resolver: Resolver, kind: str) -> str:
    from jubako.cli.texttable import align

    if kind.removeprefix("type=") != "targets":
        raise Exit(1, f"invalid list type {kind}: it is targets")
    return align(["TARGET\tDESCRIPTION", *(f"{name}\t{text}" for name, text in resolver.names().items())])


def _answer(call: Call, questions: dict[str, tuple[Path | str, Inquiry]]) -> int:
    """Answer what targets ask with `call`, and build none."""
    from jubako.build import inquire

    drivers = call.builder.drivers
    answers = [inquire(drivers.store, drivers.images, context, inquiry) for context, inquiry in questions.values()]
    call.out("".join(f"{answer.text}\n" for answer in answers))
    return 0 if all(answer.ok for answer in answers) else 1


def _ask_for_privileges(call: Call, arguments: Arguments, plan: Plan) -> None:
    """What files ask for beyond a build's ordinary means, the caller must grant: by --allow, or here."""
    from jubako.build.bake.asked import privileges

    allowed = arguments.texts("allow")
    wanted = dict.fromkeys(each for target in plan.targets.values() for each in privileges(target))
    missing = [each for each in wanted if not {each, each.partition("=")[0]} & set(allowed)]
    if not missing:
        return
    asked = f"The targets ask for privileges: {', '.join(missing)}"
    if not call.is_terminal(call.streams.stdin):
        raise Exit(1, f"{asked}\nGrant them with {' '.join(f'--allow {each}' for each in missing)}")
    if not call.ask(f"{asked}\nDo you want to grant them and continue?"):
        raise Exit(1, "additional privileges requested")


def _build(
    call: Call, arguments: Arguments, plan: Plan, directory: Path, progress: BuildProgress, debug: Debug | None
) -> None:
    """Build one target after the other: each is parallel in itself, and what they share is built once."""
    from jubako.build.bake.asked import build_options
    from jubako.build.bake.progress import Prefixed

    built: dict[str, str] = {}
    facts: dict[str, object] = {}
    for name, target in plan.targets.items():
        context, options = build_options(target, directory, built)
        options |= {"load": arguments.flag("load"), "push": arguments.flag("push"), "debug": debug}
        result = call.builder.build(context, progress=Prefixed(progress, name), **options)
        built[name] = result.image_id
        facts[name] = result.metadata
    if path := arguments.optional("metadata-file"):
        from jubako.build.exporters.metadata import write_facts

        write_facts(path, facts)


COMMAND = Command(
    run,
    "[OPTIONS] [TARGET...]",
    ANY,
    (
        Option("allow", "", STRINGS, "Allow build to access specified resources"),
        Option("call", "", TEXT, "Set method for evaluating build (build, check, outline, targets)"),
        Option("check", "", FLAG, 'Shorthand for "--call=check"'),
        DEBUG,
        Option("file", "f", LIST, "Build definition file"),
        Option("list", "", TEXT, "List targets"),
        Option("load", "", FLAG, 'Shorthand for "--set=*.output=type=docker"'),
        Option("metadata-file", "", TEXT, "Write build result metadata to a file"),
        Option("no-cache", "", FLAG, "Do not use cache when building the image"),
        Option("print", "", FLAG, "Print the options without building"),
        PROGRESS,
        Option("provenance", "", TEXT, 'Shorthand for "--set=*.attest=type=provenance"'),
        Option("pull", "", FLAG, "Always attempt to pull all referenced images"),
        Option("push", "", FLAG, 'Shorthand for "--set=*.output=type=registry"'),
        Option("sbom", "", TEXT, 'Shorthand for "--set=*.attest=type=sbom"'),
        Option("set", "", LIST, 'Override target value (e.g., "targetpattern.key=value")'),
    ),
)
