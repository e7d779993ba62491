"""jubako logs: of a container here, or (TYPE/NAME, or by a selector) of one in a cluster."""

from __future__ import annotations

from jubako.cli import cluster
from jubako.cli.call import Call, write_all
from jubako.cli.command import ANY, ONE, Command
from jubako.cli.options import DURATION, FLAG, INT, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli import times

    name = arguments.operands[0]
    tail = arguments.text("tail")
    lines = call.engine.containers.logs(
        name,
        follow=arguments.flag("follow"),
        # Docker takes what is not a number as "all".
        tail=int(tail) if tail.isascii() and tail.isdecimal() else None,
        since_ns=times.since(arguments.text("since"), "since"),
        until_ns=times.since(arguments.text("until"), "until"),
    )
    stamped = arguments.flag("timestamps")
    details = f"{call.engine.containers.log_details(name)} " if arguments.flag("details") else ""
    for line in lines:
        text = f"{line.time} {details}{line.log}" if stamped else f"{details}{line.log}"
        fd = call.streams.stderr if line.stream == "stderr" else call.streams.stdout
        write_all(fd, text.encode("utf-8", "surrogateescape"))
    return 0


def run_in_cluster(call: Call, arguments: Arguments) -> int:
    from jubako.cli.kube import client
    from jubako.cli.kube.verbs import logs

    return client.run(call, arguments, logs.logs)


IN_CLUSTER = Command(
    run_in_cluster,
    "[OPTIONS] TYPE/NAME [CONTAINER]",
    ANY,
    (
        *cluster.SERVER,
        Option("all-containers", "", FLAG, "Get all containers' logs in the pod(s)"),
        Option("all-pods", "", FLAG, "Get logs from all pod(s)"),
        cluster.CONTAINER,
        Option("follow", "f", FLAG, "Specify if the logs should be streamed"),
        Option("limit-bytes", "", INT, "Maximum bytes of logs to return", 0),
        Option("max-log-requests", "", INT, "Maximum number of concurrent logs to follow", 5),
        Option("prefix", "", FLAG, "Prefix each log line with the log source (pod name and container name)"),
        Option("previous", "p", FLAG, "Print the logs for the previous instance of the container if it exists"),
        cluster.SELECTOR,
        Option("since", "", DURATION, "Only return logs newer than a relative duration like 5s, 2m, or 3h", 0),
        Option("since-time", "", TEXT, "Only return logs after a specific date (RFC3339)"),
        Option("tail", "", INT, "Lines of recent log file to display"),
        Option("timestamps", "", FLAG, "Include timestamps on each line in the log output"),
    ),
)

COMMAND: Command = Command(
    run,
    "[OPTIONS] CONTAINER",
    ONE,
    (
        Option("details", "", FLAG, "Show extra details provided to logs"),
        Option("follow", "f", FLAG, "Follow log output"),
        Option(
            "since",
            "",
            TEXT,
            'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
        ),
        Option("tail", "n", TEXT, "Number of lines to show from the end of the logs", "all"),
        Option("timestamps", "t", FLAG, "Show timestamps"),
        Option(
            "until",
            "",
            TEXT,
            'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
        ),
    ),
    details="TYPE/NAME (pod/web-0) is in a cluster; the options are kubectl's then, and -n is the namespace.",
    kin=lambda words: cluster.kin(IN_CLUSTER, COMMAND, words),
)
