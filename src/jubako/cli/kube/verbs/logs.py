"""jubako logs TYPE/NAME: what containers in a cluster have said.

Spec: `kubectl logs` (k8s.io/kubectl/pkg/cmd/logs).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue

import msgspec

from jubako.cli.call import write_all
from jubako.cli.kube.client import Client
from jubako.cli.kube.fetching import listed
from jubako.cli.kube.podchoice import container_of, in_words_of_logs, names, path, pods_of
from jubako.cluster.client.failure import Refused, raise_all
from jubako.cluster.types.document import Object, at, text
from jubako.errors import InvalidArgument, JubakoError

_MOST_AT_ONCE = 5
_TAIL_OF_SELECTION = 10
_FIELDS = ("initContainers", "containers", "ephemeralContainers")
_USAGE = """expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.
POD or TYPE/NAME is a required argument for the logs command
See 'kubectl logs -h' for help and examples"""


class Source(msgspec.Struct, frozen=True):
    """One container of a pod."""

    pod: Object
    container: str

    @property
    def prefix(self) -> bytes:
        return f"[pod/{text(at(self.pod, 'metadata', 'name'))}/{self.container}] ".encode()


def logs(client: Client) -> None:
    """Print the logs of what is meant, one container after the other; with --follow, all at once."""
    arguments = client.arguments
    if arguments.number("since") and arguments.text("since-time"):
        raise InvalidArgument("at most one of `sinceTime` or `sinceSeconds` may be specified")
    sources = [source for pod in _pods(client) for source in _sources(client, pod)]
    if not arguments.flag("follow") or len(sources) == 1:
        for source in sources:
            _copy(client, source)
        return
    most = arguments.number("max-log-requests") or _MOST_AT_ONCE
    if len(sources) > most:
        raise InvalidArgument(
            f"you are attempting to follow {len(sources)} log streams, but maximum allowed concurrency is {most}, use "
            "--max-log-requests to increase the limit"
        )
    _together(client, sources)


def _pods(client: Client) -> list[Object]:
    arguments = client.arguments
    if selector := arguments.text("selector"):
        found = listed(client, "pods", client.namespace, labelSelector=selector)
        if not found:
            client.error(f"No resources found in {client.namespace} namespace.")
        return found
    if not arguments.operands:
        raise InvalidArgument(_USAGE)
    try:
        found = pods_of(client, arguments.operands[0], "get the logs from")
    except Refused as refused:
        raise in_words_of_logs(refused, client.namespace) from None
    if len(found) > 1 and not arguments.flag("all-pods"):
        client.error(f"Found {len(found)} pods, using pod/{text(at(found[0], 'metadata', 'name'))}")
        return found[:1]
    return found


def _sources(client: Client, pod: Object) -> list[Source]:
    arguments = client.arguments
    if arguments.flag("all-containers"):
        return [Source(pod, name) for name in names(pod, *_FIELDS)]
    wanted = arguments.text("container") or (arguments.operands[1] if len(arguments.operands) > 1 else "")
    if wanted and wanted not in names(pod, *_FIELDS):
        raise InvalidArgument(f"container {wanted} is not valid for pod {text(at(pod, 'metadata', 'name'))}")
    return [Source(pod, container_of(client, pod, wanted))]


def _query(client: Client, container: str) -> dict[str, str]:
    arguments = client.arguments
    query = {"container": container}
    for flag in ("follow", "previous", "timestamps"):
        query |= {flag: "true"} if arguments.flag(flag) else {}
    tail = arguments.number("tail")
    if tail is None or tail < 0:
        tail = _TAIL_OF_SELECTION if arguments.text("selector") and tail is None else -1
    query |= {"tailLines": str(tail)} if tail >= 0 else {}
    since_ns, moment = arguments.number("since") or 0, arguments.text("since-time")
    query |= {"sinceSeconds": str(-(-since_ns // 10**9))} if since_ns else {}
    query |= {"sinceTime": moment} if moment else {}
    most = arguments.number("limit-bytes") or 0
    return query | ({"limitBytes": str(most)} if most else {})


def _copy(client: Client, source: Source) -> None:
    with client.connection.stream(path(client, source.pod, "log"), _query(client, source.container)) as pieces:
        prefix = source.prefix if client.arguments.flag("prefix") else b""
        for data in _lines(pieces, prefix) if prefix else pieces:
            write_all(client.call.streams.stdout, data)


def _lines(pieces: Iterator[bytes], prefix: bytes) -> Iterator[bytes]:
    """Return whole lines, each with the prefix."""
    held = b""
    for piece in pieces:
        *whole, held = (held + piece).split(b"\n")
        if whole:
            yield b"".join(prefix + line + b"\n" for line in whole)
    if held:
        yield prefix + held + b"\n"


def _together(client: Client, sources: list[Source]) -> None:
    """Follow several at once, a thread for each; the command ends with the last, or when nobody reads any more."""
    ended: SimpleQueue[BaseException | None] = SimpleQueue()

    def follow(source: Source) -> None:
        try:
            _copy(client, source)
        except BaseException as error:
            ended.put(error)
        else:
            ended.put(None)

    # Daemons: a command that is interrupted does not wait for logs that never end.
    for source in sources:
        threading.Thread(target=follow, args=(source,), daemon=True).start()
    failures: list[JubakoError] = []
    for _ in sources:
        error = ended.get()
        if isinstance(error, JubakoError):
            failures.append(error)
        elif error is not None:
            raise error
    raise_all(failures)
