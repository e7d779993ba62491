"""An OpenID Connect issuer on loopback: its discovery document, its keys, and tokens that it signs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

AUDIENCE = "registry"


class Issuer:
    """`fetches` counts how often somebody asked for the keys."""

    def __init__(self) -> None:
        self.url = ""
        self.fetches = 0
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.rotate("first")

    def rotate(self, key_id: str) -> None:
        self.keys = {key_id: rsa.generate_private_key(65537, 2048)}

    def token(self, user: str, **claims: Any) -> str:
        ((key_id, key),) = self.keys.items()
        whole = {"iss": self.url, "aud": AUDIENCE, "sub": user, "exp": int(time.time()) + 300, **claims}
        return jwt.encode(whole, key, "RS256", {"kid": key_id})

    def answer(self, path: str) -> Any:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.fetches += 1
        public = [(key_id, json.loads(RSAAlgorithm.to_jwk(key.public_key()))) for key_id, key in self.keys.items()]
        return {"keys": [jwk | {"kid": key_id, "use": "sig", "alg": "RS256"} for key_id, jwk in public]}


@contextmanager
def issuing() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = json.dumps(issuer.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
