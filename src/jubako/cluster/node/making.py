"""What a pod's steps are to the engine: its volumes and sandbox, and an attempt of a container. All of it blocks.

Reads ConfigMaps, Secrets and Services through `find` and `services`, which may be called in any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from jubako.cluster.node import mounting, translate
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.node.environment import Facts, environment, of_services
from jubako.cluster.node.seen import Seen
from jubako.cluster.node.translate import Dns
from jubako.cluster.node.volumes import Volumes
from jubako.cluster.types.document import Object, at, text

_KEPT_ATTEMPTS = 1
Find: TypeAlias = "Callable[[str, str, str], Object | None]"
"""Returns the object of a kind in a namespace with a name."""


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

    def sandbox(self, pod: Object, sandbox: str) -> None:
        """Make the volumes and the sandbox. Raises Missing."""
        self._volumes(pod).make(pod, self._facts(pod, ""))
        self._engine.make(translate.sandbox(self._engine.cluster, pod, self._dns(pod)), sandbox)

    def container(self, pod: Object, container: Object, seen: Seen) -> None:
        """Create and start the next attempt. Raises Missing."""
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
            mounting.mounts(container, places),
            attempts[0].number + 1 if attempts else 0,
        )
        self._engine.start(options, [attempt.id for attempt in attempts[:_KEPT_ATTEMPTS]])

    def clear(self, uid: str) -> None:
        """Throw away the volumes of a pod that is gone."""
        Volumes(self._directory, self._memory, lambda kind, name: None, lambda source: "", lambda name: None).remove(
            uid
        )

    def _volumes(self, pod: Object) -> Volumes:
        namespace = text(at(pod, "metadata", "namespace"))

        def claim(name: str) -> Path | None:
            return self._claim(namespace, name)

        return Volumes(self._directory, self._memory, self._look(pod), lambda source: self._token(pod, source), claim)

    def _claim(self, namespace: str, name: str) -> Path | None:
        """Return where the volume of a claim lies; None until it is bound."""
        bound = self._find("PersistentVolumeClaim", namespace, name)
        volume = self._find("PersistentVolume", "", text(at(bound, "spec", "volumeName"))) if bound else None
        for kind in ("local", "hostPath"):
            if volume and (path := text(at(volume, "spec", kind, "path"))):
                Path(path).mkdir(parents=True, mode=0o777, exist_ok=True)
                return Path(path)
        return None

    def _look(self, pod: Object) -> Callable[[str, str], Object | None]:
        namespace = text(at(pod, "metadata", "namespace"))
        return lambda kind, name: self._find(kind, namespace, name)

    def _facts(self, pod: Object, address: str) -> Facts:
        host, node = self._host()
        return Facts(address=host if at(pod, "spec", "hostNetwork") is True else address, host=host, node=node)

    def _service_variables(self, pod: Object) -> Mapping[str, str]:
        wanted: Sequence[Object] = self._services("default")
        found = of_services([each for each in wanted if at(each, "metadata", "name") == "kubernetes"])
        if at(pod, "spec", "enableServiceLinks") is False:
            return found
        return found | of_services(self._services(text(at(pod, "metadata", "namespace"))))
