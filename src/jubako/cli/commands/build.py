"""jubako build."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO

from jubako.cli import quantities
from jubako.cli.build_progress import PROGRESS, build_progress
from jubako.cli.build_shell import DEBUG, failure_shell, shown_mode
from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.failure import Exit
from jubako.cli.options import FLAG, LIST, SIZE, STRINGS, TEXT, Arguments, Kind, Option

if TYPE_CHECKING:
    from jubako.build import BuildResult
    from jubako.build.graph.execute import Debug
    from jubako.build.progress import BuildProgress
    from jubako.python import Engine


def run(call: Call, arguments: Arguments) -> int:
    if not arguments.flag("rm"):
        raise Exit(1, "--rm=false is not possible: the containers of RUN are always removed")
    if asked := _asked(arguments):
        return _answer(call, arguments, *asked)
    with ExitStack() as stack:
        stdout = stack.enter_context(open(call.streams.stdout, "wb", closefd=False))
        mode = "quiet" if arguments.flag("quiet") else arguments.text("progress")
        debug = failure_shell(call, arguments)
        progress = stack.enter_context(build_progress(call, shown_mode(mode, debug)))
        result = _build(call.builder, arguments, progress, stdout, debug)
    if arguments.flag("quiet"):
        call.line(result.image_id)
    return 0


def _asked(arguments: Arguments) -> tuple[str, bool] | None:
    """The question of --check or --call, and whether the answer is to be JSON; None for a build."""
    text = "check" if arguments.flag("check") else arguments.text("call")
    method, *options = text.split(",")
    formats = [option.removeprefix("format=") for option in options]
    if any(option.partition("=")[0] != "format" for option in options) or not {*formats} <= {"json", "text"}:
        raise Exit(1, f"invalid call {text}: after the method comes format=json or format=text")
    return None if method in ("", "build") else (method, "json" in formats)


def _answer(call: Call, arguments: Arguments, method: str, json: bool) -> int:
    from jubako.build import Inquiry, inquire

    inquiry = Inquiry(
        method=method,
        json=json,
        dockerfile=arguments.optional("file"),
        target=arguments.optional("target"),
        build_args=build_arguments(arguments.texts("build-arg")),
    )
    drivers = call.builder.drivers
    answer = inquire(drivers.store, drivers.images, arguments.operands[0], inquiry)
    call.line(answer.text)
    return 0 if answer.ok else 1


def _build(
    engine: Engine, arguments: Arguments, progress: BuildProgress, stdout: BinaryIO, debug: Debug | None
) -> BuildResult:
    return engine.build(
        arguments.operands[0],
        dockerfile=arguments.optional("file"),
        tags=arguments.texts("tag"),
        contexts=_contexts(arguments.texts("build-context")),
        target=arguments.optional("target"),
        build_args=build_arguments(arguments.texts("build-arg")),
        labels=dict(text.partition("=")[::2] for text in arguments.texts("label")),
        no_cache=arguments.flag("no-cache"),
        no_cache_filter=arguments.texts("no-cache-filter"),
        cache_from=arguments.texts("cache-from"),
        cache_to=arguments.texts("cache-to"),
        always_pull=arguments.flag("pull"),
        network=arguments.text("network"),
        platforms=arguments.texts("platform"),
        outputs=arguments.texts("output"),
        annotations=arguments.texts("annotation"),
        attests=arguments.texts("attest"),
        provenance=arguments.optional("provenance"),
        sbom=arguments.optional("sbom"),
        load=arguments.flag("load"),
        push=arguments.flag("push"),
        stdout=stdout,
        iidfile=arguments.optional("iidfile"),
        metadata_file=arguments.optional("metadata-file"),
        secrets=_secrets(arguments.texts("secret")),
        ssh=arguments.texts("ssh"),
        allow=arguments.texts("allow"),
        extra_hosts=arguments.texts("add-host"),
        ulimits=arguments.texts("ulimit"),
        shm_bytes=arguments.number("shm-size") or 0,
        cgroup_parent=arguments.text("cgroup-parent"),
        debug=debug,
        progress=progress,
    )


def _secrets(texts: list[str]) -> dict[str, bytes]:
    if not texts:
        return {}
    import os

    from jubako.build.secrets import secrets

    return secrets(texts, os.environ)


def _contexts(texts: list[str]) -> dict[str, str]:
    for text in texts:
        if not all(text.partition("=")):
            raise Exit(1, f"invalid context value: {text}, expected key=value")
    return dict(text.split("=", 1) for text in texts)


def build_arguments(texts: list[str]) -> dict[str, str]:
    """`NAME=value`; a bare name takes the caller's variable, or is left out."""
    import os

    pairs = [text.partition("=") for text in texts]
    return {
        name: value if equals else os.environ[name] for name, equals, value in pairs if equals or name in os.environ
    }


# What docker's scripts still ask for, and can not be otherwise: no container of a RUN stays, no context is sent.
_ALWAYS_SO = (
    Option("compress", "", FLAG, "Compress the build context using gzip", hidden=True),
    Option("force-rm", "", FLAG, "Always remove intermediate containers", hidden=True),
    Option("rm", "", FLAG, "Remove intermediate containers after a successful build", True, hidden=True),
)

COMMAND = Command(
    run,
    "[OPTIONS] PATH | URL | -",
    ONE,
    (
        Option("add-host", "", Kind("strings", quantities.host_entry, many=True), "Add a custom host-to-IP mapping"),
        Option("allow", "", STRINGS, "Allow extra privileged entitlement (network.host, security.insecure, device)"),
        Option("annotation", "", LIST, "Add annotation to the image"),
        Option("attest", "", LIST, 'Attestation parameters (format: "type=sbom,generator=image")'),
        Option("build-arg", "", LIST, "Set build-time variables"),
        Option("build-context", "", LIST, "Additional build contexts (e.g., name=path)"),
        Option("cache-from", "", LIST, 'External cache sources (e.g., "user/app:cache", "type=local,src=path")'),
        Option("cache-to", "", LIST, 'Cache export destinations (e.g., "user/app:cache", "type=local,dest=path")'),
        Option("call", "", TEXT, "Set method for evaluating build (build, check, outline, targets)", "build"),
        Option("cgroup-parent", "", TEXT, "Set the parent cgroup for the RUN instructions during build"),
        Option("check", "", FLAG, 'Shorthand for "--call=check"'),
        DEBUG,
        Option("file", "f", TEXT, 'Name of the Dockerfile (Default is "PATH/Dockerfile")'),
        Option("iidfile", "", TEXT, "Write the image ID to the file"),
        Option("label", "", LIST, "Set metadata for an image"),
        Option("load", "", FLAG, 'Shorthand for "--output=type=docker"'),
        Option("metadata-file", "", TEXT, "Write build result metadata to a file"),
        Option("network", "", TEXT, "Set the networking mode for the RUN instructions during build", "default"),
        Option("no-cache", "", FLAG, "Do not use cache when building the image"),
        Option("no-cache-filter", "", STRINGS, "Do not cache specified stages"),
        Option("output", "o", LIST, 'Output destination (format: "type=local,dest=path")'),
        Option("platform", "", STRINGS, "Set target platform for build"),
        PROGRESS,
        Option("pull", "", FLAG, "Always attempt to pull a newer version of the image"),
        Option("provenance", "", TEXT, 'Shorthand for "--attest=type=provenance"'),
        Option("push", "", FLAG, 'Shorthand for "--output=type=registry"'),
        *_ALWAYS_SO,
        Option("quiet", "q", FLAG, "Suppress the build output and print image ID on success"),
        Option("sbom", "", TEXT, 'Shorthand for "--attest=type=sbom"'),
        Option("secret", "", LIST, 'Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")'),
        Option("shm-size", "", SIZE, "Shared memory size for build containers"),
        Option("ssh", "", LIST, 'SSH agent socket or keys to expose (format: "default|<id>[=<socket>|<key>[,<key>]]")'),
        Option("tag", "t", LIST, 'Name and optionally a tag in the "name:tag" format'),
        Option("target", "", TEXT, "Set the target build stage to build."),
        Option("ulimit", "", Kind("ulimit", quantities.ulimit, many=True), "Ulimit options"),
    ),
)
