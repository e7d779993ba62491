"""An API server that keeps nothing: it answers discovery and OpenAPI from the table, and records what is sent to it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from jubako.cluster.types import columns, discovery
from jubako.cluster.types.decoding.body import JSON_TYPE, decode
from jubako.cluster.types.document import Object, objects
from jubako.cluster.types.openapi import v2, v3
from jubako.cluster.types.resources import group_versions
from jubako.cluster.types.served import GroupVersion, Kind

SERVED = group_versions(older=True)
# The moment at which everything is looked at.
NOW = datetime(2026, 1, 10, 12, 0, 0, tzinfo=UTC)


class Sent(NamedTuple):
    """A body as it came, and the kind that its path takes."""

    kind: Kind
    media_type: str
    body: bytes


class Recorder(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sent: list[Sent] = []
        self.asked: list[tuple[str, str]] = []
        self.objects: dict[str, dict[str, Any]] = {}


class _Handler(BaseHTTPRequestHandler):
    server: Recorder
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append((path, self.headers.get("Accept", "")))
        if path in self.server.objects:
            found = self.server.objects[path]
            return self.answer(200, as_table(path, found) if "as=Table" in self.headers.get("Accept", "") else found)
        found = self.document(path)
        return self.answer(200, found) if found is not None else self.absent(path)

    def do_POST(self) -> None:
        self.keep("create")

    def do_PUT(self) -> None:
        self.keep("update")

    def do_PATCH(self) -> None:
        self.keep("patch")

    def keep(self, verb: str) -> None:
        path = urlsplit(self.path).path
        body = self.rfile.read(int(self.headers["Content-Length"]))
        media_type = self.headers.get("Content-Type", JSON_TYPE).partition(";")[0]
        kind = kind_at(path, verb)
        self.server.sent.append(Sent(kind, media_type, body))
        if verb == "patch":
            return self.answer(200, self.server.objects[path])
        return self.answer(201, decode(body, kind, media_type=media_type).document)

    def document(self, path: str) -> Any:
        aggregated = "g=apidiscovery.k8s.io;v=v2;" in self.headers.get("Accept", "")
        core, groups = SERVED[:1], SERVED[1:]
        parts = path.strip("/").split("/")
        match parts:
            case ["version"]:
                return {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}
            case ["api"]:
                return discovery.aggregated(core) if aggregated else discovery.api_versions("127.0.0.1")
            case ["apis"]:
                return discovery.aggregated(groups) if aggregated else discovery.api_group_list(SERVED)
            case ["openapi", "v2"]:
                protobuf = "com.github.proto-openapi" in self.headers.get("Accept", "")
                return (v2.document_protobuf if protobuf else v2.document)(SERVED)[0]
            case ["openapi", "v3"]:
                return v3.index(SERVED)
            case ["openapi", "v3", *rest]:
                return v3.document(group_at(rest))[0]
            case ["api", _] | ["apis", _, _]:
                return discovery.api_resource_list(group_at(parts))
        return None

    def absent(self, path: str) -> None:
        name = path.rpartition("/")[2]
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotFound"}
        self.answer(404, {**status, "message": f'"{name}" not found', "details": {"name": name}, "code": 404})

    def answer(self, code: int, document: Any) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(code)
        accepted = self.headers.get("Accept", "application/json").split(",")[0]
        wanted = discovery.AGGREGATED if code == 200 and "apidiscovery" in accepted else "application/json"
        if "proto-openapi" in accepted and isinstance(document, bytes):
            wanted = v2.PROTOBUF_TYPE
        self.send_header("Content-Type", wanted)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def group_at(parts: list[str]) -> GroupVersion:
    group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
    return next(found for found in SERVED if (found.group, found.version) == (group, version))


def kind_at(path: str, verb: str) -> Kind:
    """Return the kind that a path takes: of the resource, or of its subresource."""
    parts = path.strip("/").split("/")
    group = group_at(parts)
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    found = next(each for each in group.resources if each.plural == rest[0])
    sub = found.subresource(rest[2]) if len(rest) > 2 else None
    return sub.kind if sub else found.kind


def as_table(path: str, found: Object) -> Object:
    return columns.table(kind_at(path, "get"), objects(found.get("items", [found])), NOW, include_object="Metadata")


@contextmanager
def recording() -> Iterator[Recorder]:
    server = Recorder()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Kubectl:
    """A kubectl with a home of its own, against a recorder."""

    def __init__(self, program: str, server: Recorder, home: Path) -> None:
        self.program, self.server, self.home = program, server, home

    def run(self, *arguments: str, input: str = "") -> subprocess.CompletedProcess[str]:
        address = f"http://127.0.0.1:{self.server.server_port}"
        argv = [self.program, f"--server={address}", "--namespace=default", *arguments]
        env = {"HOME": str(self.home), "PATH": os.environ["PATH"], "KUBECONFIG": os.devnull}
        return subprocess.run(argv, capture_output=True, text=True, input=input, env=env, timeout=60)

    def __call__(self, *arguments: str, input: str = "") -> str:
        done = self.run(*arguments, input=input)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.returncode}\n{done.stderr}"
        return done.stdout
