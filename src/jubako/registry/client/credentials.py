"""Credentials as Docker keeps them: ~/.docker/config.json and credential helpers.

Layout:  {"auths": {KEY: {"auth": base64("user:password"), "identitytoken": …}},
          "credsStore": NAME, "credHelpers": {KEY: NAME}}
         KEY is the registry's domain, or a part of a registry as podman keeps it: quay.io/team. Docker Hub's is the
         URL of its first API.
Files:   JUBAKO_AUTH_FILE; or else podman's REGISTRY_AUTH_FILE, config.json in DOCKER_CONFIG or ~/.docker, podman's
         auth.json in XDG_RUNTIME_DIR (or /run) and ~/.config: each is asked in turn. Written is Docker's (or the first
         that a variable names), by rename, 0600, other keys kept.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from jubako.errors import InvalidArgument
from jubako.image.manifest import MALFORMED
from jubako.image.reference import DEFAULT_DOMAIN
from jubako.linux import userns
from jubako.registry.client import helper

_HUB_KEY = "https://index.docker.io/v1/"
_FILE_LIMIT_BYTES = 4 << 20


class Credentials(msgspec.Struct, frozen=True):
    """A user and password, or an identity token that stands for both."""

    user: str = ""
    password: str = ""
    identity_token: str = ""

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r})"


class AuthFile:
    """One configuration file; a missing one is empty."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()

    def find(self, domain: str, path: str = "") -> Credentials | None:
        """What is kept for a registry, or for what of it has `path`: from its helper, the common one, or the file."""
        document = self._read()
        name = self._helper(document, domain)
        if name and (found := helper.get(name, key_of(domain))):
            user, secret = found
            if user == helper.TOKEN_USER:
                return Credentials(identity_token=secret)
            return Credentials(user, secret)
        return in_table(document.get("auths"), domain, path)

    def store(self, domain: str, credentials: Credentials) -> str | None:
        """Keep credentials; return the file they stand in, readable by whoever reads it, or None with a helper."""
        document = self._read()
        name = self._helper(document, domain)
        if name:
            helper.store(name, key_of(domain), credentials.user, credentials.password)
            return None
        encoded = b64encode(f"{credentials.user}:{credentials.password}".encode()).decode()
        self._write({**document, "auths": {**_table(document, "auths"), key_of(domain): {"auth": encoded}}})
        return str(self.path)

    def erase(self, domain: str) -> bool:
        """Forget a registry, and say whether there was anything."""
        document = self._read()
        name = self._helper(document, domain)
        erased = helper.erase(name, key_of(domain)) if name else False
        auths = _table(document, "auths")
        left = {key: value for key, value in auths.items() if _domain_of(key) != domain}
        if len(left) != len(auths):
            self._write({**document, "auths": left})
            erased = True
        return erased

    def _helper(self, document: Mapping[str, Any], domain: str) -> str | None:
        helpers = _table(document, "credHelpers")
        name = helpers.get(key_of(domain)) or helpers.get(domain) or document.get("credsStore")
        return name if isinstance(name, str) and name else None

    def _read(self) -> dict[str, Any]:
        try:
            with open(self.path, "rb") as stream:
                data = stream.read(_FILE_LIMIT_BYTES)
            document = msgspec.json.decode(data) if data.strip() else {}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except MALFORMED as error:
            raise InvalidArgument(
                f"{self.path} is not valid JSON: {error}", hint="repair or remove the file"
            ) from error
        return document if isinstance(document, dict) else {}

    def _write(self, document: dict[str, Any]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Where the file is a link into somebody's dotfiles, the link stays.
        target = self.path.resolve()
        draft = target.with_name(f"{target.name}.{os.urandom(6).hex()}")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as stream:
                stream.write(msgspec.json.format(msgspec.json.encode(document), indent=4) + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.rename(draft, target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


def default_path() -> Path:
    """Where login writes."""
    return next(_paths())


def _paths() -> Iterator[Path]:
    """Where credentials may be."""
    if override := os.environ.get("JUBAKO_AUTH_FILE"):
        yield Path(override)
        return
    if podmans := os.environ.get("REGISTRY_AUTH_FILE"):
        yield Path(podmans)
    home = Path(os.path.expanduser("~"))
    yield Path(os.environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    yield Path(runtime, "containers/auth.json") if runtime else Path(f"/run/containers/{userns.user()}/auth.json")
    yield Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "containers/auth.json"


def credentials_for(domain: str, path: str = "") -> Credentials | None:
    """What the user's configuration keeps for the registry called `domain`, or for the repository `path` of it."""
    found = (AuthFile(candidate).find(domain, path) for candidate in _paths())
    return next((credentials for credentials in found if credentials), None)


def key_of(domain: str) -> str:
    return _HUB_KEY if domain == DEFAULT_DOMAIN else domain


def in_table(auths: object, domain: str, path: str) -> Credentials | None:
    """What the `auths` of a configuration have for a registry, or for what of it has `path`."""
    if not isinstance(auths, dict):
        return None
    parts = path.split("/") if path else []
    keys = [f"{domain}/{'/'.join(parts[:end])}" for end in range(len(parts), 0, -1)]
    keys += [key_of(domain), *(key for key in auths if _domain_of(key) == domain)]
    for entry in (auths.get(key) for key in keys):
        if isinstance(entry, dict) and (found := _decode(entry, domain)):
            return found
    return None


def _decode(entry: Mapping[str, Any], domain: str) -> Credentials | None:
    token = str(entry.get("identitytoken") or "")
    user, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if auth := entry.get("auth"):
        try:
            user, _, password = b64decode(str(auth)).decode().partition(":")
        except ValueError as error:
            raise InvalidArgument(f"the credentials kept for {domain} are malformed: {error}") from error
    return Credentials(user, password.rstrip("\0"), token) if user or token else None


def _domain_of(key: str) -> str:
    """Old files key by URL: https://registry.example/v1/ is registry.example."""
    if key == _HUB_KEY:
        return DEFAULT_DOMAIN
    domain, _, rest = key.removeprefix("https://").removeprefix("http://").partition("/")
    return domain if "://" in key or rest in ("", "v1/", "v2/") else key


def _table(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return dict(value) if isinstance(value, dict) else {}
