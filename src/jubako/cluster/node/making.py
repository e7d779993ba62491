"""What a pod's steps are to the engine: its volumes and sandbox, and an attempt of a container. All of it blocks.

Reads ConfigMaps, Secrets and Services through `find` and `services`, which may be called in any thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from jubako.cluster.node import hosts, secrets, translate
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.node.environment import Facts, Missing, environment, of_services
from jubako.cluster.node.facts import capacity
from jubako.cluster.node.identity import check_user
from jubako.cluster.node.runtimes import check_runtime
from jubako.cluster.node.seen import Seen
from jubako.cluster.node.translate import Dns
from jubako.cluster.node.volumes import claims, mounting
from jubako.cluster.node.volumes.claims import Find
from jubako.cluster.node.volumes.pod import Volumes
from jubako.cluster.node.volumes.references import Source
from jubako.cluster.types.document import Object, at, objects, text

if TYPE_CHECKING:
    from jubako.registry.client import Credentials

_KEPT_ATTEMPTS = 1
_HOSTS = "etc.hosts"  # which no volume can be named


class Making:
    def __init__(
        self,
        engine: NodeEngine,
        directory: Path,
        memory: Path,
        find: Find,
        services: Callable[[str], list[Object]],
        token: Callable[[Object, Object], str],
        host: Callable[[], tuple[str, str]],
        dns: Callable[[Object], Dns],
    ) -> None:
        self._engine, self._directory, self._memory = engine, directory, memory
        self._find, self._services, self._token, self._host, self._dns = find, services, token, host, dns

    def sandbox(self, pod: Object, sandbox: str) -> float:
        """Make the volumes and the sandbox; returns in how many seconds to `renew`. Raises Missing,
        InvalidArgument."""
        check_runtime(self._find, pod)
        volumes = self._volumes(pod)
        volumes.make(pod, self._facts(pod, ""))
        self._engine.make(translate.sandbox(self._engine.cluster, pod, self._dns(pod)), sandbox)
        return volumes.due_s(pod, time.time())

    def renew(self, pod: Object, address: str, changed: set[Source] | None) -> float:
        """Bring volumes that are made of what has `changed` up to date, all of them with None; returns in how many
        seconds to do it again. Raises Missing."""
        volumes = self._volumes(pod)
        volumes.renew(pod, self._facts(pod, address), changed)
        return volumes.due_s(pod, time.time())

    def container(self, pod: Object, container: Object, seen: Seen) -> str:
        """Create and start the next attempt, and return its id. Raises Missing."""
        check_user(pod, container, self._engine.user_of(text(container.get("image"))))
        facts = self._facts(pod, seen.address)
        places = self._volumes(pod).make(pod, facts)
        env = environment(pod, container, self._look(pod), facts, self._service_variables(pod))
        attempts = seen.of(text(container.get("name")))
        options = translate.container(
            self._engine.cluster,
            pod,
            container,
            seen.sandbox,
            env,
            [*mounting.mounts(container, places, env), *self._hosts(pod, container, facts)],
            attempts[0].number + 1 if attempts else 0,
            self._directory.parent / "seccomp",
            _target(container, seen),
        )
        return self._engine.start(options, [attempt.id for attempt in attempts[:_KEPT_ATTEMPTS]])

    def credentials(self, pod: Object, image: str) -> tuple[list[Credentials], list[str]]:
        """Return what the pod's secrets have for an image's registry, and the secrets that are not there."""
        return secrets.credentials(pod, image, self._look(pod))

    def clear(self, uid: str) -> None:
        """Throw away the volumes of a pod that is gone."""
        Volumes(self._directory, self._memory, lambda _, __: None, lambda _: "", lambda _, __: None).remove(uid)

    def _volumes(self, pod: Object) -> Volumes:
        return Volumes(
            self._directory, self._memory, self._look(pod), partial(self._token, pod), partial(claims.place, self._find)
        )

    def _look(self, pod: Object) -> Callable[[str, str], Object | None]:
        namespace = text(at(pod, "metadata", "namespace"))
        return lambda kind, name: self._find(kind, namespace, name)

    def _hosts(self, pod: Object, container: Object, facts: Facts) -> list[str]:
        """The mount of the pod's hosts file, for a container that brings none of its own."""
        if any(each.get("mountPath") == hosts.PATH for each in objects(container.get("volumeMounts"))):
            return []
        path = self._directory / text(at(pod, "metadata", "uid")) / _HOSTS
        hosts.write(path, pod, facts.address, self._dns(pod).domain)
        return [f"type=bind,source={path},target={hosts.PATH}"]

    def _facts(self, pod: Object, address: str) -> Facts:
        host, node = self._host()
        own = host if at(pod, "spec", "hostNetwork") is True else address
        return Facts(address=own, host=host, node=node, allocatable=capacity())

    def _service_variables(self, pod: Object) -> Mapping[str, str]:
        wanted: Sequence[Object] = self._services("default")
        found = of_services([each for each in wanted if at(each, "metadata", "name") == "kubernetes"])
        if at(pod, "spec", "enableServiceLinks") is False:
            return found
        return found | of_services(self._services(text(at(pod, "metadata", "namespace"))))


def _target(container: Object, seen: Seen) -> str:
    """Return the attempt whose processes a container wants to see, "" for none. Raises Missing."""
    wanted = text(container.get("targetContainerName"))
    if not wanted:
        return ""
    last = seen.last(wanted)
    if last is None or not last.running:
        raise Missing(f'unable to find target container "{wanted}"')
    return last.id
