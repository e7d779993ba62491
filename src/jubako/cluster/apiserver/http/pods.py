"""The subresources of a pod that stream: log, exec, attach, portforward.

Concurrency:  each runs in the task of its request, counted among the running.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.http.call import Call
from jubako.cluster.apiserver.http.logs import log_options, serve_log
from jubako.cluster.apiserver.http.parameters import flag
from jubako.cluster.apiserver.http.running import Running
from jubako.cluster.apiserver.http.streaming.command import Command, wanted
from jubako.cluster.apiserver.http.streaming.ports import serve_forward
from jubako.cluster.apiserver.http.streaming.remote import serve_command
from jubako.cluster.apiserver.http.streaming.upgrade import Refused
from jubako.cluster.apiserver.objects import reading, stored
from jubako.cluster.apiserver.streams import Streams
from jubako.cluster.store import AsyncStore
from jubako.cluster.types.document import Object, at, objects, text
from jubako.errors import FailedPrecondition, NotFound

_Answer = Callable[[Call], Awaitable[web.StreamResponse]]
_GROUPS = ("containers", "initContainers", "ephemeralContainers")


class PodStreams:
    def __init__(self, store: AsyncStore, streams: Streams, running: Running) -> None:
        self._store, self._streams, self._running = store, streams, running
        self._answers: dict[str, _Answer] = {
            "log": self._log, "exec": self._exec, "attach": self._attach, "portforward": self._forward,
        }  # fmt: skip

    def answer(self, call: Call) -> _Answer | None:
        below = call.asked.subresource
        found = self._answers.get(below.name) if below and call.asked.resource.plural == "pods" else None
        return partial(self._answer, found) if found else None

    async def _answer(self, answer: _Answer, call: Call) -> web.StreamResponse:
        try:
            with self._running.counted():
                return await answer(call)
        except Refused as refused:
            return refused.answer
        except (NotFound, FailedPrecondition) as error:
            # As the node itself answers; clients tell it as a failed upgrade.
            return web.Response(status=500, text=error.message)

    async def _log(self, call: Call) -> web.StreamResponse:
        pod, container = self._chosen(call)
        options = log_options(call.asked.name, call.request.query)
        if not at(pod, "spec", "nodeName"):
            return web.Response(text="")
        return await serve_log(call.request, self._streams.logs(pod, container, options))

    async def _exec(self, call: Call) -> web.StreamResponse:
        query = call.request.query
        words = query.getall("command", [])
        if not words:
            raise failures.bad_request("you must specify at least one command for the container")
        pod, container = self._chosen(call)
        start = partial(
            self._streams.execute, pod, container, words, tty=flag(query, "tty"), stdin=flag(query, "stdin")
        )
        await self._check(call, pod, container)
        doing = "error executing command in container"
        return await serve_command(call.request, _names(call), Command(start=start, doing=doing, tells_code=True))

    async def _attach(self, call: Call) -> web.StreamResponse:
        pod, container = self._chosen(call)
        start = partial(self._streams.attach, pod, container)
        await self._check(call, pod, container)
        doing = "error attaching to container"
        return await serve_command(call.request, _names(call), Command(start=start, doing=doing, tells_code=False))

    async def _forward(self, call: Call) -> web.StreamResponse:
        pod = self._pod(call)
        _check_node(call, pod)
        return await serve_forward(call.request, await self._streams.ports(pod))

    async def _check(self, call: Call, pod: Object, container: str) -> None:
        """Raise what is told before the upgrade. What comes out only when the process starts is told in its streams."""
        _check_node(call, pod)
        await self._streams.check(pod, container)

    def _pod(self, call: Call) -> Object:
        asked = call.asked
        return stored.decode(reading.get(self._store, asked.resource, asked.namespace, asked.name))

    def _chosen(self, call: Call) -> tuple[Object, str]:
        """Return the pod and the container of it that is meant. Raises Failure (400, 404)."""
        pod, name = self._pod(call), call.asked.name
        names = [text(each.get("name")) for group in _GROUPS for each in objects(at(pod, "spec", group))]
        asked = call.request.query.get("container", "")
        if asked and asked not in names:
            raise failures.bad_request(f"container {asked} is not valid for pod {name}")
        main = [text(each.get("name")) for each in objects(at(pod, "spec", "containers"))]
        if not asked and len(main) > 1:
            message = f"a container name must be specified for pod {name}, choose one of: [{' '.join(main)}]"
            raise failures.bad_request(message)
        return pod, asked or main[0]


def _names(call: Call) -> list[str]:
    """Return the streams that a client asks for. Raises Failure (400)."""
    query = call.request.query
    stdin, stdout, stderr, tty = (flag(query, name) for name in ("stdin", "stdout", "stderr", "tty"))
    if not (stdin or stdout or stderr):
        raise failures.bad_request("you must specify at least 1 of stdin, stdout, stderr")
    return wanted(stdin=stdin, stdout=stdout, stderr=stderr, tty=tty)


def _check_node(call: Call, pod: Object) -> None:
    if not at(pod, "spec", "nodeName"):
        raise failures.bad_request(f"pod {call.asked.name} does not have a host assigned")
