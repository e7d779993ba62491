"""Another registry, for as long as ours serves: credentials from the configuration, connections kept between uses."""

from __future__ import annotations

import threading
import time
from urllib.parse import urlsplit

from jubako.image.reference import Reference, parse
from jubako.registry.client import ClientOptions, Credentials
from jubako.registry.client.repository import Repository
from jubako.registry.client.session import Session
from jubako.registry.server.config.schema import Remote

# A session keeps a token for each repository: it is made anew before there are very many.
_SESSION_S = 600.0


class RemoteRegistry:
    """Threads may share it."""

    def __init__(self, settings: Remote, *, retries: int = 2) -> None:
        self._settings = settings
        self._options = ClientOptions(
            insecure=settings.url.startswith("http:"), ca_file=settings.ca_file, retries=retries, first_answer_s=10.0
        )
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._opened = 0.0

    @property
    def domain(self) -> str:
        return urlsplit(self._settings.url).netloc

    def repository(self, name: str, *, push: bool = False) -> Repository:
        """A repository of that registry, by its name there."""
        return Repository(self._current(), self._reference(name), push=push)

    def _reference(self, name: str) -> Reference:
        return parse(f"{self.domain}/{name}")

    def _current(self) -> Session:
        with self._lock:
            if self._session is None or time.monotonic() - self._opened > _SESSION_S:
                # The one before is left to those who use it now; its connections end with them.
                self._session = Session(self.domain, self._credentials(), self._options)
                self._opened = time.monotonic()
            return self._session

    def _credentials(self) -> Credentials:
        file = self._settings.password_file
        return Credentials(self._settings.username, file.read_text().strip()) if file else Credentials()
