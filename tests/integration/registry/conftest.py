"""A registry of our own on loopback, stores, and a client whose retries cost no time."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from jubako.image.catalog import Image, Images
from jubako.image.reference import parse
from jubako.registry.client import ClientOptions, pull
from jubako.registry.server import configured, load
from jubako.spec.oci_image import MANIFEST
from jubako.store import Store

from .images import make_image
from .peer import Http, Serve, served
from .scripted import Answer, Asked, Script, Scripted


@pytest.fixture
def registry_root(tmp_path: Path) -> Path:
    return tmp_path / "registry"


@pytest.fixture
def serve(registry_root: Path) -> Serve:
    """Starts a registry with the options that the test wants."""

    def start(**options: Any) -> AbstractContextManager[Http]:
        return served(configured(registry_root, "127.0.0.1:0", drain_s=5, **options))

    return start


@pytest.fixture
def serve_file(tmp_path: Path, registry_root: Path) -> Callable[[str], AbstractContextManager[Http]]:
    """Starts a registry with the sections of a configuration file that the test wants."""

    def start(sections: str) -> AbstractContextManager[Http]:
        path = tmp_path / "registry.yaml"
        path.write_text(f"root: {registry_root}\nlisten: 127.0.0.1:0\ndrain: 5s\n{sections}")
        return served(load(path), path)

    return start


@pytest.fixture
def registry(serve: Serve) -> Iterator[Http]:
    """A registry that asks nobody who they are."""
    with serve() as http:
        yield http


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as store:
        yield store


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """The store of another machine."""
    with Store.open(tmp_path / "other") as store:
        yield store


@pytest.fixture
def options() -> ClientOptions:
    return ClientOptions(sleep=lambda seconds: None, timeout_s=10, connect_timeout_s=5)


@pytest.fixture(autouse=True)
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tests' credentials are kept."""
    path = tmp_path / "auth" / "config.json"
    monkeypatch.setenv("JUBAKO_AUTH_FILE", str(path))
    monkeypatch.setenv("JUBAKO_REGISTRIES_CONF", str(path.with_name("registries.conf")))
    return path


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    base = tmp_path_factory.mktemp("tls")
    cert, key = base / "cert.pem", base / "key.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*make.split(), *files], check=True, capture_output=True)
    return cert, key


@pytest.fixture
def image(store: Store) -> Image:
    return make_image(store, "app", os.urandom(9_000_000), b"small")


@pytest.fixture
def honest(store: Store, image: Image) -> Script:
    """What an honest registry answers; tests put themselves before it."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/v2/":
            return Answer()
        kind, reference = asked.path.split("/")[-2:]
        if kind == "manifests":
            data = store.blobs.read(image.manifest_digest)
            return Answer(body=data, headers={"Content-Type": MANIFEST})
        if kind == "blobs" and store.blobs.exists(reference):
            data = store.blobs.read(reference, limit=1 << 30)
            if match := re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("Range", "")):
                start, end = int(match[1]), int(match[2] or len(data) - 1)
                return Answer(206, data[start : end + 1], {"Content-Range": f"bytes {start}-{end}/{len(data)}"})
            return Answer(body=data)
        return Answer(404)

    return answer


@pytest.fixture
def fetch(other: Store, options: ClientOptions) -> Callable[..., Image]:
    def fetch(server: Scripted, **more: Any) -> Image:
        return pull(other, Images(other), parse(f"{server.domain}/app:v1"), options=options, **more)

    return fetch
