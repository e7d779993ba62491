"""Servers for what a build fetches, on this machine's loopback."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

MODIFIED = "Wed, 01 May 2024 10:00:00 GMT"


class Web:
    """Files by path, redirects by path; `asked` is every request with its status."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.headers: dict[str, str] = {"Last-Modified": MODIFIED}
        self.directory: Path | None = None
        self.asked: list[tuple[str, int]] = []
        self.url = ""
        self.authorization = ""
        """What a request must carry, if anything; `seen` is what requests carried."""
        self.seen: set[str | None] = set()

    def content(self, path: str) -> bytes | None:
        if self.directory and (self.directory / path.lstrip("/")).is_file():
            return (self.directory / path.lstrip("/")).read_bytes()
        return self.files.get(path)


@contextmanager
def serving() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            content, etag = web.content(path), f'"{hash(web.content(path))}"'
            web.seen.add(self.headers.get("Authorization"))
            if web.authorization and self.headers.get("Authorization") != web.authorization:
                self._answer(path, 401, {})
            elif path in web.redirects:
                self._answer(path, 302, {"Location": web.redirects[path]})
            elif content is None:
                self._answer(path, 404, {})
            elif self.headers.get("If-None-Match") == etag:
                self._answer(path, 304, {})
            else:
                self._answer(path, 200, {"ETag": etag, **web.headers}, content)

        def _answer(self, path: str, status: int, headers: dict[str, str], content: bytes = b"") -> None:
            web.asked.append((path, status))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Repo:
    """A repository with a work tree to change, published bare for dumb http."""

    def __init__(self, base: Path) -> None:
        self.work, self.bare = base / "work", base / "srv" / "project.git"
        self.git("init", "--quiet", "--initial-branch=main", str(self.work), cwd=base)

    def commit(self, message: str, **files: str) -> str:
        for name, content in files.items():
            path = self.work / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def publish(self) -> None:
        if not self.bare.exists():
            self.git("clone", "--quiet", "--bare", str(self.work), str(self.bare))
        self.git("push", "--quiet", "--mirror", str(self.bare))
        self.git("update-server-info", cwd=self.bare)

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": f"who@{who}.test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(
            command, cwd=cwd or self.work, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
