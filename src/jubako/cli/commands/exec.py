"""jubako exec: in a container here, or (TYPE/NAME) in one of a cluster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from jubako.cli import cluster, container_options, failure
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command, Operands
from jubako.cli.envfile import environment
from jubako.cli.options import FLAG, LIST, TEXT, Arguments, Option
from jubako.errors import JubakoError

if TYPE_CHECKING:
    from jubako.cli.session import Session
    from jubako.runtime.executor import Handle


def run(call: Call, arguments: Arguments) -> int:
    if arguments.flag("detach"):
        _start(call, arguments, stdin=False, attach=False).detach()
        return 0
    from jubako.cli.session import Session

    session = Session(
        call,
        tty=arguments.flag("tty"),
        stdin=arguments.flag("interactive"),
        proxy=False,
        keys=arguments.optional("detach-keys"),
    )
    with session:
        return _stay(session, _start(call, arguments, stdin=arguments.flag("interactive"), attach=True))


def _start(call: Call, arguments: Arguments, *, stdin: bool, attach: bool) -> Handle:
    from jubako.engine.exec import ExecOptions

    name, *command = arguments.operands
    options = ExecOptions(
        command=command,
        env=environment(arguments.texts("env-file"), arguments.texts("env"), os.environ),
        user=arguments.text("user"),
        workdir=arguments.text("workdir"),
        tty=arguments.flag("tty"),
        stdin=stdin,
        attach=attach,
        privileged=arguments.flag("privileged"),
    )
    try:
        return call.engine.containers.exec(name, options)
    except JubakoError as error:
        code = failure.start_code(error)
        raise failure.Exit(code if code != 125 else 1, f"Error: {failure.describe(error)}") from error


def _stay(session: Session, handle: Handle) -> int:
    from jubako.cli.pump import Detached
    from jubako.cli.stay import sit

    try:
        sit(session, handle)
    except Detached:
        raise failure.Exit(1, "read escape sequence") from None
    return handle.wait().code


def run_in_cluster(call: Call, arguments: Arguments) -> int:
    from jubako.cli.kube import client
    from jubako.cli.kube.verbs import exec as verb

    return client.run(call, arguments, verb.execute)


IN_CLUSTER = Command(
    run_in_cluster,
    "[OPTIONS] TYPE/NAME -- COMMAND [ARG...]",
    ANY,
    (
        *cluster.SERVER,
        cluster.CONTAINER,
        Option("stdin", "i", FLAG, "Pass stdin to the container"),
        Option("tty", "t", FLAG, "Stdin is a TTY"),
    ),
)

COMMAND: Command = Command(
    run,
    "[OPTIONS] CONTAINER COMMAND [ARG...]",
    Operands(2, None),
    (
        Option("detach", "d", FLAG, "Detached mode: run command in the background"),
        container_options.DETACH_KEYS,
        Option("env", "e", LIST, "Set environment variables"),
        Option("env-file", "", LIST, "Read in a file of environment variables"),
        Option("interactive", "i", FLAG, "Keep STDIN open even if not attached"),
        Option("privileged", "", FLAG, "Give extended privileges to the command"),
        Option("tty", "t", FLAG, "Allocate a pseudo-TTY"),
        Option("user", "u", TEXT, 'Username or UID (format: "<name|uid>[:<group|gid>]")'),
        Option("workdir", "w", TEXT, "Working directory inside the container"),
    ),
    interspersed=False,
    details="TYPE/NAME -- COMMAND (pod/web-0) is in a cluster; the options are kubectl's then: -c, -n, -i, -t.",
    kin=lambda words: cluster.kin(IN_CLUSTER, COMMAND, words),
)
